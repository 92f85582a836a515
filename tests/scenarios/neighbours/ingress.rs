//! The endpoint `ingress`: services that want a path of the ingress gateway.

use std::fmt::Write as _;

use anyhow::Result;
use charm_world::{Library, Neighbour, Verdict, World};
use expect_test::expect;
use serde_json::{Value, json};

use super::{WELL, writes};
use crate::ingress::objects;
use crate::support::{APPLICATION, databag, deployed, world};

/// What the applications of Charmed Kubeflow say, all of them in version 1 of the interface: service,
/// port, prefix and rewrite. The dashboard names its namespace all the same.
fn kubeflow() -> Vec<(&'static str, Value)> {
    let applications = [
        ("dex-auth", 5556, "/dex", Some("/dex")),
        ("oidc-gatekeeper", 8080, "/authservice", Some("/")),
        ("kubeflow-dashboard", 8082, "/", Some("/")),
        ("jupyter-ui", 5000, "/jupyter/", Some("/")),
        ("katib-ui", 8080, "/katib/", None),
        ("kfp-ui", 3000, "/pipeline", Some("/pipeline")),
        ("kubeflow-volumes", 5000, "/volumes", Some("/")),
        ("tensorboards-web-app", 5000, "/tensorboards", Some("/")),
        ("envoy", 9090, "/ml_metadata", Some("/ml_metadata")),
    ];
    let data = applications.map(|(service, port, prefix, rewrite)| {
        let mut data = json!({"service": service, "port": port, "prefix": prefix});
        if let Some(rewrite) = rewrite {
            data["rewrite"] = json!(rewrite);
        }
        if service == "kubeflow-dashboard" {
            data["namespace"] = json!("kubeflow");
        }
        (service, data)
    });
    data.into()
}

/// The databag in which a neighbour has written its versions, as one line.
fn versions(world: &World, relation: u32, owner: &str) -> String {
    world.model.databag(relation, owner)["_supported_versions"].replace('\n', " ")
}

#[test]
fn what_kubeflow_asks_for_is_routed_whoever_speaks_first() -> Result<()> {
    let mut world = deployed()?;
    let mut neighbours = Vec::new();
    for (application, data) in kubeflow() {
        let mut neighbour = Neighbour::related(&mut world, application, "ingress", data)?;
        neighbour.supports(&["v1"]);
        // Some speak before the charm has heard of them.
        if neighbours.len() < 2 {
            let verdict = neighbour.turn(&mut world)?.to_string();
            assert!(verdict.contains("versions not found"), "{verdict}");
        }
        neighbours.push(neighbour);
    }
    for neighbour in &mut neighbours {
        assert_eq!(neighbour.converse(&mut world)?, Verdict::Read(None));
    }
    expect![[r#"
        Gateway istio-gateway 8080
        VirtualService dex-auth /dex dex-auth.mesh.svc.cluster.local
        VirtualService envoy /ml_metadata envoy.mesh.svc.cluster.local
        VirtualService jupyter-ui /jupyter/ jupyter-ui.mesh.svc.cluster.local
        VirtualService katib-ui /katib/ katib-ui.mesh.svc.cluster.local
        VirtualService kfp-ui /pipeline kfp-ui.mesh.svc.cluster.local
        VirtualService kubeflow-dashboard / kubeflow-dashboard.kubeflow.svc.cluster.local
        VirtualService kubeflow-volumes /volumes kubeflow-volumes.mesh.svc.cluster.local
        VirtualService oidc-gatekeeper /authservice oidc-gatekeeper.mesh.svc.cluster.local
        VirtualService tensorboards-web-app /tensorboards tensorboards-web-app.mesh.svc.cluster.local"#]].assert_eq(&objects(&world)?);
    assert_eq!(world.shown()?, WELL);
    // In the charm's own place, the library reads what they say.
    let [dex, .., katib, _, _, _, _] = &mut neighbours[..] else {
        panic!("there are more")
    };
    expect![[r#"read {"port":8080,"prefix":"/katib/","service":"katib-ui"}"#]]
        .assert_eq(&katib.verdict_in_place_of_charm(&world)?.to_string());

    // Another prefix, and one that goes.
    katib.says(json!({"service": "katib-ui", "port": 80, "prefix": "/hpo/"}));
    katib.converse(&mut world)?;
    dex.part(&mut world)?;
    world.settle()?;
    let routes = objects(&world)?;
    assert!(
        !routes.contains("dex-auth") && !routes.contains("/katib/"),
        "{routes}"
    );
    assert!(routes.contains("VirtualService katib-ui /hpo/"), "{routes}");
    Ok(())
}

#[test]
fn what_was_said_to_the_charm_before_this_one_is_routed_from_the_first_hook_on() -> Result<()> {
    let mut world = world()?;
    let deployment = world.deployment().trusted();
    world.model.deploy(deployment)?;
    let mut neighbours = Vec::new();
    let texts = [
        "port: 5556\nprefix: /dex\nrewrite: /dex\nservice: dex-auth\n",
        "port: 8080\nprefix: /authservice\nrewrite: /\nservice: oidc-gatekeeper\n",
    ];
    for ((application, data), text) in kubeflow().into_iter().zip(texts) {
        let mut neighbour = Neighbour::new(application, "ingress")?;
        neighbour.supports(&["v1"]);
        neighbour.says(data);
        let relation = neighbour.relate(&mut world)?;
        let databag = [("_supported_versions", "- v1\n"), ("data", text)];
        world.model.write_remote(relation, application, &databag)?;
        neighbours.push((neighbour, relation));
    }
    world.settle()?;
    assert_eq!(world.shown()?, WELL);
    expect![[r#"
        Gateway istio-gateway 8080
        VirtualService dex-auth /dex dex-auth.mesh.svc.cluster.local
        VirtualService oidc-gatekeeper /authservice oidc-gatekeeper.mesh.svc.cluster.local"#]]
    .assert_eq(&objects(&world)?);
    let before = writes(&world)?;
    for (neighbour, relation) in &mut neighbours {
        let said = world.model.databag(*relation, neighbour.application());
        // A charm with nothing new to say changes nothing on either side.
        assert_eq!(neighbour.converse(&mut world)?, Verdict::Read(None));
        let databag = world.model.databag(*relation, neighbour.application());
        assert_eq!(databag, said);
    }
    assert_eq!(writes(&world)?, before);
    Ok(())
}

/// What comes of these versions and data, one after the other.
fn told(
    world: &mut World,
    neighbour: &mut Neighbour,
    turns: &[(&[&str], &Value)],
) -> Result<String> {
    let mut story = String::new();
    for (versions, data) in turns {
        neighbour.supports(versions);
        neighbour.says((*data).clone());
        let verdict = neighbour.converse(world)?;
        let (namespace, shown) = (&data["namespace"], world.shown()?);
        writeln!(story, "{versions:?} with the namespace {namespace}")?;
        writeln!(story, "  {verdict}\n  {shown}")?;
        for route in objects(world)?
            .lines()
            .filter(|it| it.starts_with("Virtual"))
        {
            writeln!(story, "  {route}")?;
        }
    }
    Ok(story)
}

#[test]
fn the_highest_version_that_both_support_says_what_is_needed() -> Result<()> {
    let mut world = deployed()?;
    let nowhere = json!({"service": "mlflow", "port": 5000, "prefix": "/mlflow/", "rewrite": "/"});
    let mut somewhere = nowhere.clone();
    somewhere["namespace"] = json!("models");
    let mut mlflow = Neighbour::new("mlflow", "ingress")?;
    mlflow.relate(&mut world)?;
    let story = told(
        &mut world,
        &mut mlflow,
        &[
            (&["v2"], &nowhere),
            (&["v2"], &somewhere),
            (&["v1"], &somewhere),
            (&["v1"], &nowhere),
            (&["v1", "v2"], &nowhere),
            // The library first reads by v2 what it has said by v1, and fails before it says it
            // better.
            (&["v1", "v2"], &somewhere),
            (&["v9"], &somewhere),
        ],
    )?;
    expect![[r#"
        ["v2"] with the namespace null
          hook failed with RelationDataError: Failed to validate data on ingress:1 from mlflow
          active: CNI off
        ["v2"] with the namespace "models"
          read nothing
          active: CNI off
          VirtualService mlflow /mlflow/ mlflow.models.svc.cluster.local
        ["v1"] with the namespace "models"
          read nothing
          active: CNI off
          VirtualService mlflow /mlflow/ mlflow.models.svc.cluster.local
        ["v1"] with the namespace null
          read nothing
          active: CNI off
          VirtualService mlflow /mlflow/ mlflow.mesh.svc.cluster.local
        ["v1", "v2"] with the namespace null
          hook failed with RelationDataError: Failed to validate data on ingress:1 from mlflow
          active: CNI off
          VirtualService mlflow /mlflow/ mlflow.mesh.svc.cluster.local
        ["v1", "v2"] with the namespace "models"
          hook failed with RelationDataError: Failed to validate data on ingress:1 from mlflow
          active: CNI off
          VirtualService mlflow /mlflow/ mlflow.mesh.svc.cluster.local
        ["v9"] with the namespace "models"
          raised IncompatibleVersionsError: No compatible ingress versions found for apps: pilot
          blocked: ingress:1 with mlflow: `_supported_versions` lists no version that is supported here; mlflow must support v1 or v2: refresh one of the two charms
    "#]].assert_eq(&story);
    // What helps a charm that has said it by v1.
    mlflow.part(&mut world)?;
    world.settle()?;
    mlflow.supports(&["v1", "v2"]);
    mlflow.relate(&mut world)?;
    assert_eq!(mlflow.converse(&mut world)?, Verdict::Read(None));
    expect![[r#"
        Gateway istio-gateway 8080
        VirtualService mlflow /mlflow/ mlflow.models.svc.cluster.local"#]]
    .assert_eq(&objects(&world)?);
    Ok(())
}

#[test]
fn versions_in_another_order_are_the_same() -> Result<()> {
    let mut world = deployed()?;
    let data = json!({"service": "a", "port": 80, "prefix": "/a", "namespace": "b"});
    let mut neighbour = Neighbour::related(&mut world, "a", "ingress", data)?;
    neighbour.converse(&mut world)?;
    let relation = world.model.relation_id("a", APPLICATION)?;
    let first = versions(&world, relation, "a");
    let before = writes(&world)?;
    let mut tries = 0..100;
    while versions(&world, relation, "a") == first {
        assert!(tries.next().is_some(), "always {first}");
        neighbour.restarts();
        neighbour.turn(&mut world)?;
        world.settle()?;
    }
    assert_eq!(world.shown()?, WELL);
    assert_eq!(writes(&world)?, before);
    // This charm itself always writes them in the same order.
    assert_eq!(versions(&world, relation, APPLICATION), "- v1 - v2 ");
    Ok(())
}

#[test]
fn charms_of_the_reconciler_become_active() -> Result<()> {
    let mut world = deployed()?;
    let mut kfp = Neighbour::speaking(Library::CHISME, "kfp-ui", "ingress")?;
    kfp.supports(&["v1"]);
    kfp.says(json!({"service": "kfp-ui", "port": 3000, "prefix": "/pipeline"}));
    kfp.relate(&mut world)?;
    expect![[r#"read {"status":"waiting: List of <ops.model.Relation ingress:1> versions not found for apps: pilot"}"#]].assert_eq(&kfp.turn(&mut world)?.to_string());
    expect![[r#"read {"status":"active"}"#]].assert_eq(&kfp.converse(&mut world)?.to_string());
    expect![[r#"
        Gateway istio-gateway 8080
        VirtualService kfp-ui /pipeline kfp-ui.mesh.svc.cluster.local"#]]
    .assert_eq(&objects(&world)?);
    kfp.supports(&["v9"]);
    expect![[r#"read {"status":"blocked: No compatible ingress versions found for apps: pilot"}"#]]
        .assert_eq(&kfp.converse(&mut world)?.to_string());

    // One that only reads, on the endpoint where this charm has something to say.
    let mut gateway = Neighbour::speaking(Library::CHISME, "gateway", "istio-pilot")?;
    let relation = gateway.relate(&mut world)?;
    expect![[r#"read {"data":{"service-name":"istiod.mesh.svc","service-port":"15012"},"status":"active"}"#]].assert_eq(&gateway.converse(&mut world)?.to_string());
    expect![[r#"
        _supported_versions = "- v1\n"
        data = "service-name: istiod.mesh.svc\nservice-port: '15012'\n""#]]
    .assert_eq(&databag(&world, relation, APPLICATION));
    Ok(())
}
