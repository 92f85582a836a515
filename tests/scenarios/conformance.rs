//! What the tests of the Python charm ask for, and no other story shows whole. Which line of them is
//! held by which test is listed in `tests/conformance/list.yaml`.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use charm_world::{Charm, Neighbour, Verdict, World, until};
use expect_test::expect;
use serde_json::{Value, json};

use super::ingress::{objects, relate, say};
use super::support::{APPLICATION, MODEL, databag, deployed};

/// What an application writes that supports version 1 of an interface.
const VERSIONS: (&str, &str) = ("_supported_versions", "- v1\n");

/// What the application has written into all of these relations: the same into each.
fn told(world: &World, relations: &[u32]) -> String {
    let databags = relations.iter().map(|it| databag(world, *it, APPLICATION));
    let databags: BTreeSet<String> = databags.collect();
    assert_eq!(databags.len(), 1, "{databags:?}");
    databags.into_iter().collect()
}

/// The Service of the ingress gateway's pods, with more in its specification.
fn apply_service(world: &World, more: &Value) -> Result<Value> {
    let mut spec = json!({"ports": [{"port": 80}]});
    let more = more.as_object().unwrap().clone();
    spec.as_object_mut().unwrap().extend(more);
    let name = "istio-ingressgateway-workload";
    world.apply(&json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": MODEL}, "spec": spec,
    }))?;
    world.get(&format!("service {name}"))
}

#[test]
fn every_application_of_an_endpoint_is_told_the_same() -> Result<()> {
    let mut world = deployed()?;
    let mut gateways = Vec::new();
    for name in ["gateway-a", "gateway-b", "gateway-c"] {
        let relation = relate(&mut world, name, "istio-pilot")?;
        world.model.write_remote(relation, name, &[VERSIONS])?;
        world.settle()?;
        gateways.push(relation);
    }
    expect![[r#"
        _supported_versions = "- v1\n"
        data = "service-name: istiod.mesh.svc\nservice-port: '15012'\n""#]]
    .assert_eq(&told(&world, &gateways));

    let mut controllers = Vec::new();
    for name in ["controller-a", "controller-b", "controller-c"] {
        controllers.push(relate(&mut world, name, "gateway-info")?);
    }
    expect![[r#"
        gateway_name = "istio-gateway"
        gateway_namespace = "mesh"
        gateway_up = "false""#]]
    .assert_eq(&told(&world, &controllers));
    apply_service(&world, &json!({}))?;
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    expect![[r#"
        gateway_name = "istio-gateway"
        gateway_namespace = "mesh"
        gateway_up = "true""#]]
    .assert_eq(&told(&world, &controllers));

    // One goes first, and then this application, with what it has left.
    world.model.remove_relation("gateway-a", APPLICATION)?;
    world.settle()?;
    expect!["active: CNI off"].assert_eq(&world.shown()?);
    world.remove()?;
    assert!(world.objects()?.is_empty(), "{:?}", world.objects());
    Ok(())
}

#[test]
fn problems_of_several_endpoints_are_told_together_and_hold_no_route() -> Result<()> {
    let mut world = deployed()?;
    for name in ["first", "second"] {
        let relation = relate(&mut world, name, "ingress")?;
        let data = format!("namespace: shop\nport: 80\nprefix: /{name}\nservice: {name}\n");
        let bag = [("_supported_versions", "- v2\n"), ("data", data.as_str())];
        world.model.write_remote(relation, name, &bag)?;
        world.settle()?;
    }
    let routes = [
        "VirtualService first /first first.shop.svc.cluster.local",
        "VirtualService second /second second.shop.svc.cluster.local",
    ]
    .join("\n");
    let open = format!("Gateway istio-gateway 8080\n{routes}");
    assert_eq!(objects(&world)?, open);
    expect!["active: CNI off"].assert_eq(&world.shown()?);

    // One endpoint after the other, each with a problem of its own.
    let newer = [("_supported_versions", "- v9\n")];
    let gateway = relate(&mut world, "gateway", "istio-pilot")?;
    world.model.write_remote(gateway, "gateway", &newer)?;
    world.settle()?;
    expect!["blocked: istio-pilot:3 with gateway: `_supported_versions` lists no version that is supported here; gateway must support v1: refresh one of the two charms"].assert_eq(&world.shown()?);
    assert_eq!(objects(&world)?, open);
    let third = relate(&mut world, "third", "ingress")?;
    world.model.write_remote(third, "third", &newer)?;
    world.settle()?;
    expect!["blocked: istio-pilot:3 with gateway: `_supported_versions` lists no version that is supported here; gateway must support v1: refresh one of the two charms (+1 more, see debug-log)"].assert_eq(&world.shown()?);
    assert_eq!(objects(&world)?, open);
    let oidc = relate(&mut world, "oidc", "ingress-auth")?;
    expect!["blocked: istio-pilot:3 with gateway: `_supported_versions` lists no version that is supported here; gateway must support v1: refresh one of the two charms (+2 more, see debug-log)"].assert_eq(&say(&mut world, oidc, "oidc", "")?);
    assert_eq!(objects(&world)?, routes);
    let id = world.model.add_secret("gone", &[("tls-crt", "a")])?;
    world.model.remove_secret("gone")?;
    expect!["blocked: tls-secret-id: there is no such secret: add it with juju add-secret, or set another one; the ingress gateway stays as it is until then (+3 more, see debug-log)"].assert_eq(&world.configure(&[("tls-secret-id", &id)])?);
    expect![[r#"
        active: CNI off
        blocked: tls-secret-id: there is no such secret: add it with juju add-secret, or set another one; the ingress gateway stays as it is until then
        blocked: istio-pilot:3 with gateway: `_supported_versions` lists no version that is supported here; gateway must support v1: refresh one of the two charms
        blocked: ingress:4 with third: `_supported_versions` lists no version that is supported here; third must support v1 or v2: refresh one of the two charms
        waiting: ingress-auth:5 with oidc: does not say yet which service checks requests; the ingress gateway is closed until then"#]].assert_eq(&world.logged("WARNING"));
    assert_eq!(objects(&world)?, routes);

    // Without what a person must do; then without what is awaited.
    world.configure(&[("tls-secret-id", "")])?;
    for name in ["gateway", "third"] {
        world.model.remove_relation(name, APPLICATION)?;
        world.settle()?;
    }
    expect!["waiting: ingress-auth:5 with oidc: does not say yet which service checks requests; the ingress gateway is closed until then"].assert_eq(&world.shown()?);
    world.model.remove_relation("oidc", APPLICATION)?;
    world.settle()?;
    expect!["active: CNI off"].assert_eq(&world.shown()?);
    assert_eq!(objects(&world)?, open);
    Ok(())
}

/// What the one certificate that the charm wants is for.
fn subjects(world: &mut World, authority: &mut Neighbour) -> Result<Vec<String>> {
    world.update_status()?;
    let requests = match authority.converse(world)? {
        Verdict::Read(Some(requests)) => requests,
        verdict => bail!("{verdict}"),
    };
    let requests = requests.as_array().unwrap();
    assert!(requests.len() < 2, "{requests:?}");
    let names = requests.iter().flat_map(|it| [&it["dns"], &it["ip"]]);
    let names = names.flat_map(|it| it.as_array().unwrap());
    Ok(names.map(|it| it.as_str().unwrap().to_owned()).collect())
}

#[test]
fn a_certificate_is_for_the_address_at_which_the_gateway_is_reached() -> Result<()> {
    let mut world = deployed()?;
    let mut authority = Neighbour::new("authority", "certificates")?;
    authority.relate(&mut world)?;
    // There is nothing to name yet.
    assert_eq!(subjects(&mut world, &mut authority)?, Vec::<String>::new());
    expect!["waiting: certificates:1 with authority: no certificate is requested before the Service istio-ingressgateway-workload has an address: wait for it, or set csr-domain-name; the ingress gateway stays as it is until then"].assert_eq(&world.shown()?);
    for kind in ["ClusterIP", "NodePort"] {
        let service = apply_service(&world, &json!({"type": kind}))?;
        let address = service["spec"]["clusterIP"].as_str().unwrap();
        assert_eq!(subjects(&mut world, &mut authority)?, [address], "{kind}");
        assert_eq!(world.shown()?, "active: CNI off");
    }
    // A load balancer that has no address yet changes nothing; then its own counts.
    let before = subjects(&mut world, &mut authority)?;
    apply_service(&world, &json!({"type": "LoadBalancer"}))?;
    assert_eq!(subjects(&mut world, &mut authority)?, before);
    let set = |world: &World, ingress: Value| {
        let status = json!({"status": {"loadBalancer": {"ingress": [ingress]}}});
        let service = "service istio-ingressgateway-workload --subresource=status";
        world.patch(service, &status)
    };
    set(&world, json!({"hostname": "lb.example.test"}))?;
    let of_balancer = subjects(&mut world, &mut authority)?;
    assert_eq!(of_balancer, ["lb.example.test"]);
    set(&world, json!({"ip": "192.0.2.1"}))?;
    assert_eq!(subjects(&mut world, &mut authority)?, ["192.0.2.1"]);
    world.configure(&[("csr-domain-name", "named.example.test")])?;
    let named = subjects(&mut world, &mut authority)?;
    assert_eq!(named, ["named.example.test"]);

    // All of it is served as Istio wants it.
    let gateway = world.get("gateways.networking.istio.io istio-gateway")?;
    let servers = json!([{
        "hosts": ["*"], "port": {"name": "https", "number": 8443, "protocol": "HTTPS"},
        "tls": {"credentialName": "istio-gateway-gateway-secret", "mode": "SIMPLE"},
    }]);
    assert_eq!(gateway["spec"]["servers"], servers);
    let secret = world.get("secret istio-gateway-gateway-secret")?;
    assert_eq!(secret["type"], "kubernetes.io/tls");
    for (key, kind) in [("tls.crt", "CERTIFICATE"), ("tls.key", "PRIVATE KEY")] {
        let bytes = STANDARD.decode(secret["data"][key].as_str().unwrap())?;
        let text = String::from_utf8(bytes)?;
        let is_pem = text.starts_with("-----BEGIN ") && text.contains(kind);
        assert!(is_pem, "{key} is no {kind} in PEM");
    }
    expect!["active: CNI off"].assert_eq(&world.shown()?);
    Ok(())
}

#[test]
fn what_the_python_charm_has_made_is_kept_where_it_is_wanted_and_else_goes() -> Result<()> {
    let mut world = deployed()?;
    // istiod does not run here, so nothing answers its webhook; the next hook makes it again.
    world.kubectl("delete validatingwebhookconfigurations --all")?;
    world.cluster.kubectl_with_input(
        "apply --server-side --field-manager=lightkube --filename=-",
        include_str!("manifests/of_python_charm.yaml"),
    )?;
    world.apply(&json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "users-own", "namespace": MODEL},
        "spec": {"hosts": ["*"], "http": [{
            "match": [{"uri": {"prefix": "/own"}}],
            "route": [{"destination": {"host": "own.mesh.svc.cluster.local"}}],
        }]},
    }))?;
    let uid = |world: &World| -> Result<Value> {
        Ok(world.get("virtualservice dex-auth")?["metadata"]["uid"].clone())
    };
    let before = uid(&world)?;

    // The relation is there with all its data, as it is for a charm that is refreshed.
    let dex = "dex-auth";
    let model = &mut world.model;
    model.add_remote_application(dex, "ingress", "ingress", 1)?;
    let relation = model.integrate(dex, &format!("{APPLICATION}:ingress"))?;
    let data = ("data", "port: 5556\nprefix: /dex\nservice: dex-auth\n");
    model.write_remote(relation, dex, &[VERSIONS, data])?;
    world.settle()?;
    expect!["active: CNI off"].assert_eq(&world.shown()?);
    expect![[r#"
        Gateway istio-gateway 8080
        VirtualService dex-auth /dex dex-auth.mesh.svc.cluster.local
        VirtualService users-own /own own.mesh.svc.cluster.local"#]]
    .assert_eq(&objects(&world)?);
    assert_eq!(uid(&world)?, before, "it was made anew");
    assert!(world.get("secret old-gateway-gateway-secret").is_err());
    Ok(())
}

#[test]
fn a_deletion_that_the_cluster_refuses_is_told_and_tried_again() -> Result<()> {
    let mut world = deployed()?;
    let dex = relate(&mut world, "dex-auth", "ingress")?;
    let data = "port: 5556\nprefix: /dex\nservice: dex-auth\n";
    say(&mut world, dex, "dex-auth", data)?;
    world.apply(include_str!("manifests/no_deletion_of_routes.yaml"))?;
    // The API server takes a moment to heed a policy.
    let refused = |world: &World| {
        let line = "delete virtualservice dex-auth --dry-run=server";
        world.kubectl(line).is_err()
    };
    until("routes are kept", || Ok(refused(&world)))?;
    world.model.remove_relation("dex-auth", APPLICATION)?;
    world.settle()?;
    expect![[r#"blocked: deleting VirtualService mesh/dex-auth: the cluster refuses it: virtualservices.networking.istio.io "dex-auth" is forbidden: ValidatingAdmissionPolicy 'keep.test' with binding 'keep.test' denied reques…"#]].assert_eq(&world.shown()?);
    assert!(world.get("virtualservice dex-auth").is_ok());
    world.kubectl("delete validatingadmissionpolicybinding,validatingadmissionpolicy keep.test")?;
    until("routes may go", || Ok(!refused(&world)))?;
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    expect!["Gateway istio-gateway 8080"].assert_eq(&objects(&world)?);
    Ok(())
}

#[test]
fn a_refreshed_charm_reconciles_in_its_first_hook_and_writes_nothing_twice() -> Result<()> {
    let mut world = deployed()?;
    world.kubectl("delete configmap istio")?;
    let charm = Charm::of_program(Path::new(env!("CARGO_BIN_EXE_istio-pilot")))?;
    world.model.refresh(APPLICATION, charm.path())?;
    world.settle()?;
    expect!["active: CNI off"].assert_eq(&world.shown()?);
    let dispatches = world.model.dispatches();
    let first = dispatches.iter().rfind(|it| it.hook == "upgrade-charm");
    let mut logged = first.unwrap().calls_of("juju-log");
    let created = |argument: &String| argument.contains("created ConfigMap mesh/istio");
    assert!(logged.any(|it| it.argv.iter().any(created)));
    drop(logged);
    let before = world.writes()?;
    world.model.refresh(APPLICATION, charm.path())?;
    world.settle()?;
    assert_eq!(world.writes()?, before);
    Ok(())
}
