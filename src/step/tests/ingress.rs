//! The ingress gateway: what is opened and closed in which order.

use expect_test::{Expect, expect};
use serde_json::json;

use crate::intent::ingress::route::Route;
use crate::intent::ingress::{Authorization, Authorizer, Ingress};
use crate::intent::tls::{ServerCertificate, Tls};
use crate::k8s::kind::{DEPLOYMENT, ENVOY_FILTER, GATEWAY, VIRTUAL_SERVICE};
use crate::simulated::Simulated;
use crate::step::deadlines::Timeouts;

#[track_caller]
fn check(cluster: &mut Simulated, expected: &Expect) {
    expected.assert_eq(&cluster.run());
}

pub(super) fn route(service: &str) -> Route {
    Route::of_prefix("ingress:1", service, &format!("/{service}"))
}

fn by(service: &str) -> Authorization {
    Authorization::By(Authorizer {
        service: service.to_owned(),
        namespace: "mesh".to_owned(),
        port: 8080,
        path_prefix: String::new(),
        request_headers: Vec::new(),
        response_headers: Vec::new(),
        client_headers: Vec::new(),
    })
}

/// Another hook, in which that is asked of the gateway.
pub(super) fn ask(cluster: &mut Simulated, routes: &[&str], authorization: Authorization) {
    cluster.intent.ingress = Some(Ingress {
        routes: routes.iter().map(|it| route(it)).collect(),
        authorization,
        ..Ingress::default()
    });
    cluster.begin_hook(Timeouts::default());
}

#[test]
fn routes_come_and_go_with_what_is_asked() {
    let mut cluster = Simulated::settled(&[]);
    ask(&mut cluster, &["a", "b"], Authorization::Nobody);
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply 2 VirtualService
        Off: active: CNI off
    "#]],
    );
    ask(&mut cluster, &["b"], Authorization::Nobody);
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete VirtualService a
        Off: active: CNI off
    "#]],
    );
}

#[test]
fn a_gateway_opens_after_what_checks_requests_and_closes_before_anything_else() {
    let mut cluster = Simulated::settled(&[]);
    ask(&mut cluster, &["a"], Authorization::Unknown);
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete Gateway istio-gateway
        Off: apply VirtualService a
        Off: active: CNI off
    "#]],
    );
    ask(&mut cluster, &["a"], by("oidc"));
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply EnvoyFilter pilot-authn-filter
        Off: apply Gateway istio-gateway
        Off: active: CNI off
    "#]],
    );
    // Another service: the old one checks requests until the new one does.
    ask(&mut cluster, &["a"], by("dex"));
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply EnvoyFilter pilot-authn-filter
        Off: active: CNI off
    "#]],
    );
    ask(&mut cluster, &["a"], Authorization::Nobody);
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete EnvoyFilter pilot-authn-filter
        Off: active: CNI off
    "#]],
    );
    // Without a moment in which nobody is known.
    ask(&mut cluster, &["a"], by("oidc"));
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete Gateway istio-gateway
        Off: apply EnvoyFilter pilot-authn-filter
        Off: apply Gateway istio-gateway
        Off: active: CNI off
    "#]],
    );
    // Somebody deletes the filter.
    cluster.live.retain(|id, _| !id.is(&ENVOY_FILTER));
    cluster.begin_hook(Timeouts::default());
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete Gateway istio-gateway
        Off: apply EnvoyFilter pilot-authn-filter
        Off: apply Gateway istio-gateway
        Off: active: CNI off
    "#]],
    );
}

#[test]
fn what_the_python_charm_has_made_is_taken_over_and_stays_open() {
    let mut cluster = Simulated::settled(&[]);
    ask(&mut cluster, &["a"], by("oidc"));
    cluster.run();
    let by_python = |it: &mut serde_json::Value, labels: serde_json::Value| {
        it["metadata"]["managedFields"][0]["manager"] = json!("lightkube");
        it["metadata"]["labels"] = labels;
    };
    // Its filter has no labels.
    cluster.change(&ENVOY_FILTER, |it| by_python(it, json!({})));
    for (kind, scope) in [(GATEWAY, "gateway"), (VIRTUAL_SERVICE, "ingress")] {
        let labels = json!({
            "app.kubernetes.io/instance": "pilot-mesh", "kubernetes-resource-handler-scope": scope,
        });
        cluster.change(&kind, |it| by_python(it, labels.clone()));
    }
    ask(&mut cluster, &["a"], by("oidc"));
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply EnvoyFilter pilot-authn-filter, Gateway istio-gateway, VirtualService a
        Off: active: CNI off
    "#]],
    );
    // What it has made and nobody asks for any more goes, and what must close closes.
    cluster.change(&VIRTUAL_SERVICE, |it| {
        let labels = json!({
            "app.kubernetes.io/instance": "pilot-mesh",
            "kubernetes-resource-handler-scope": "ingress",
        });
        by_python(it, labels);
    });
    ask(&mut cluster, &[], Authorization::Unknown);
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete Gateway istio-gateway
        Off: delete VirtualService a, EnvoyFilter pilot-authn-filter
        Off: active: CNI off
    "#]],
    );
}

#[test]
fn a_filter_that_the_cluster_does_not_take_keeps_the_gateway_closed() {
    let mut cluster = Simulated::settled(&[]);
    cluster.refuses.insert("pilot-authn-filter".to_owned());
    ask(&mut cluster, &["a"], by("oidc"));
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete Gateway istio-gateway
        Off: apply EnvoyFilter pilot-authn-filter, VirtualService a: refused
        Off: blocked: applying EnvoyFilter mesh/pilot-authn-filter: the cluster refuses it: a policy says no
    "#]],
    );
    assert!(!cluster.live.keys().any(|id| id.is(&GATEWAY)));
}

#[test]
fn a_gateway_closes_although_istiod_is_not_ready_and_routes_wait_for_it() {
    let mut cluster = Simulated::settled(&[]);
    cluster.change(&DEPLOYMENT, |it| {
        it["status"]["availableReplicas"] = json!(0);
    });
    ask(&mut cluster, &["a"], Authorization::Unknown);
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete Gateway istio-gateway
        Off: wait: istiod 0/1 ready
    "#]],
    );
}

#[test]
fn an_object_of_others_in_the_way_of_one_route_holds_no_other() {
    let mut cluster = Simulated::settled(&[]);
    cluster.put_as_it_is(json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {
            "name": "a", "namespace": "mesh", "uid": "u",
            "managedFields": [{"manager": "kubectl", "operation": "Apply", "fieldsV1": {}}],
        },
        "spec": {"hosts": ["*"]},
    }));
    ask(&mut cluster, &["a", "b"], Authorization::Nobody);
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply VirtualService b
        Off: blocked: VirtualService mesh/a belongs to somebody else (field manager kubectl); remove it first
    "#]],
    );
}

#[test]
fn what_relations_ask_for_stays_where_nobody_knows_of_it() {
    let mut cluster = Simulated::settled(&[]);
    ask(&mut cluster, &["a"], Authorization::Nobody);
    cluster.run();
    cluster.intent.ingress = None;
    let (_, assessment) = cluster.assess();
    assert!(assessment.plan.is_empty(), "{}", assessment.plan);
    // A removal knows that nobody asks any more.
    cluster.remove();
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete Gateway istio-gateway, VirtualService a
        Off: delete MutatingWebhookConfiguration istio-sidecar-injector-mesh, ValidatingWebhookConfiguration istio-validator-mesh
        Off: delete Deployment istiod, HorizontalPodAutoscaler istiod
        Off: delete 3 ConfigMap, Service istiod, 2 ServiceAccount, 3 ClusterRole, 3 ClusterRoleBinding, Role istiod, RoleBinding istiod
        Off: delete 15 CustomResourceDefinition
        Off: active
    "#]],
    );
}

/// With this certificate, of which the texts do not matter here.
fn with_certificate() -> Tls {
    let key = crate::certificates::tests::key();
    let chain = "chain".to_owned();
    Tls::With(ServerCertificate { chain, key })
}

/// Another hook, in which HTTPS is asked of the gateway.
fn ask_https(cluster: &mut Simulated, tls: Tls, authorization: Authorization) {
    ask(cluster, &[], authorization);
    cluster.intent.ingress.as_mut().unwrap().tls = tls;
}

#[test]
fn a_certificate_comes_before_the_gateway_that_serves_it_and_goes_after() {
    let mut cluster = Simulated::settled(&[]);
    let certificate = with_certificate();
    ask_https(&mut cluster, certificate.clone(), Authorization::Nobody);
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply Secret istio-gateway-gateway-secret, Gateway istio-gateway
        Off: active: CNI off
    "#]],
    );
    // What is served stays as it is while there is nothing better.
    ask_https(&mut cluster, Tls::AsBefore, Authorization::Nobody);
    check(
        &mut cluster,
        &expect![[r#"
        Off: active: CNI off
    "#]],
    );
    // It closes all the same when nobody can check requests, and its certificate stays.
    ask_https(&mut cluster, Tls::AsBefore, Authorization::Unknown);
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete Gateway istio-gateway
        Off: active: CNI off
    "#]],
    );
    ask_https(&mut cluster, certificate, by("oidc"));
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply EnvoyFilter pilot-authn-filter
        Off: apply Gateway istio-gateway
        Off: active: CNI off
    "#]],
    );
    ask_https(&mut cluster, Tls::Off, Authorization::Nobody);
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply Gateway istio-gateway
        Off: delete EnvoyFilter pilot-authn-filter, Secret istio-gateway-gateway-secret
        Off: active: CNI off
    "#]],
    );
}

#[test]
fn a_gateway_that_waits_for_its_first_certificate_is_not_made_in_plain_http() {
    let mut cluster = Simulated::new(&[]);
    ask_https(&mut cluster, Tls::AsBefore, Authorization::Nobody);
    cluster.run();
    assert!(!cluster.live.values().any(|it| it.is(&GATEWAY)));
}

#[test]
fn a_filter_that_is_going_or_belongs_to_others_checks_nothing() {
    let mut open = Simulated::settled(&[]);
    ask(&mut open, &["a"], by("oidc"));
    open.run();
    let closed = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut cluster = open.clone();
        cluster.change(&ENVOY_FILTER, change);
        cluster.begin_hook(Timeouts::default());
        let (_, assessment) = cluster.assess();
        let closing = assessment.plan.deletions.into_iter();
        let closing = closing.filter(|it| it.id.is(&GATEWAY));
        let upserts = assessment.plan.upserts.into_iter();
        let opening = upserts.filter(|it| it.object.is(&GATEWAY));
        (closing.count(), opening.count())
    };
    assert_eq!(closed(&|_| {}), (0, 0));
    let going = |it: &mut serde_json::Value| {
        it["metadata"]["deletionTimestamp"] = json!("2030-01-01T00:00:00Z");
    };
    assert_eq!(closed(&going), (1, 0));
    let foreign = |it: &mut serde_json::Value| {
        it["metadata"]["managedFields"][0]["manager"] = json!("kubectl");
        it["metadata"]["labels"] = json!({});
    };
    assert_eq!(closed(&foreign), (1, 0));
}

#[test]
fn a_gateway_of_another_name_closes_once_and_opens_after_the_filter() {
    let mut cluster = Simulated::settled(&[]);
    ask(&mut cluster, &["a"], by("oidc"));
    cluster.run();
    cluster.live.retain(|id, _| !id.is(&ENVOY_FILTER));
    let ingress = cluster.intent.ingress.clone();
    cluster.configure(&[("default-gateway", "public")]);
    cluster.intent.ingress = ingress;
    cluster.begin_hook(Timeouts::default());
    let (_, assessment) = cluster.assess();
    let gateways = assessment
        .plan
        .deletions
        .iter()
        .filter(|it| it.id.is(&GATEWAY));
    assert_eq!(gateways.count(), 1);
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete Gateway istio-gateway
        Off: apply EnvoyFilter pilot-authn-filter, VirtualService a
        Off: apply Gateway public
        Off: active: CNI off
    "#]],
    );
}
