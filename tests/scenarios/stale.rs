//! Workloads that still run with what was injected before, and their restart.

use anyhow::Result;
use charm_world::{World, until};
use expect_test::expect;
use serde_json::{Value, json};

use super::nodes::add_node;
use super::support::{BOTH_PATHS, deployed, outcome, without_pod_suffixes};

/// The namespace of the workloads.
const SHOP: &str = "shop";
/// The two actions.
const LIST: &str = "list-stale-workloads";
const RESTART: &str = "restart-stale-workloads";

/// Plays istiod for the namespace `shop`: adds what it injects, by an admission policy.
fn inject(world: &World, init_container: &str) -> Result<()> {
    let image = "docker.io/istio/proxyv2:1.31.1";
    let status = json!({"initContainers": [init_container, "istio-proxy"], "revision": "default"});
    let container = |name: &str, restart: &str| {
        format!("Object.spec.initContainers{{name: '{name}', image: '{image}'{restart}}}")
    };
    let init = container(init_container, "");
    let proxy = container("istio-proxy", ", restartPolicy: 'Always'");
    let injected = format!(
        "Object{{metadata: Object.metadata{{\
            labels: {{'service.istio.io/canonical-name': 'x'}}, \
            annotations: {{'sidecar.istio.io/status': '{status}'}}}}, \
         spec: Object.spec{{initContainers: [{init}, {proxy}]}}}}"
    );
    let rule = json!({
        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"],
    });
    apply_policy(world, "injection", &rule, &injected)?;
    let probe = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "namespace": SHOP},
        "spec": {"containers": [{"name": "app", "image": "app"}]},
    });
    until("the policy is in force", || {
        let create = "create --dry-run=server -o json -f -";
        let pod = world
            .cluster
            .kubectl_with_input(create, &probe.to_string())?;
        Ok(pod.contains(&format!("\"name\": \"{init_container}\"")) && pod.contains(image))
    })
}

/// Changes what is written to the namespace `shop`.
fn apply_policy(world: &World, name: &str, rule: &Value, expression: &str) -> Result<()> {
    world.apply(&format!(
        "
        apiVersion: admissionregistration.k8s.io/v1
        kind: MutatingAdmissionPolicy
        metadata:
          name: {name}
        spec:
          failurePolicy: Fail
          reinvocationPolicy: Never
          matchConstraints:
            resourceRules: [{rule}]
            namespaceSelector:
              matchLabels: {{kubernetes.io/metadata.name: {SHOP}}}
          mutations:
          - patchType: ApplyConfiguration
            applyConfiguration: {{expression: {expression}}}
        ",
        expression = json!(expression)
    ))?;
    world.apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": name}, "spec": {"policyName": name},
    }))
}

/// A workload of the namespace `shop`.
fn workload(kind: &str, name: &str, more: &Value) -> Value {
    let labels = json!({"app": name});
    let mut spec = json!({
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "app", "image": "app"}]},
        },
    });
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": {"name": name, "namespace": SHOP}, "spec": spec,
    })
}

/// Creates workloads and waits until they run.
fn run(world: &World, workloads: &[Value]) -> Result<()> {
    for workload in workloads {
        world.apply(workload)?;
        let text = |pointer| workload.pointer(pointer).and_then(Value::as_str).unwrap();
        let (kind, name) = (text("/kind"), text("/metadata/name"));
        let strategy = &workload["spec"]["updateStrategy"]["type"];
        if kind != "Pod" && strategy != "OnDelete" {
            world.kubectl(&format!(
                "rollout status -n {SHOP} {kind}/{name} --timeout=60s"
            ))?;
        }
    }
    Ok(())
}

/// A model in which the CNI was off when workloads began, and is on.
fn switched_on(workloads: &[Value]) -> Result<World> {
    let mut world = deployed()?;
    world.kubectl(&format!("create namespace {SHOP}"))?;
    inject(&world, "istio-init")?;
    run(&world, workloads)?;
    let none = world.run_action(LIST, &json!({}))?;
    assert_eq!(none.results["workloads"], "0", "{none:?}");
    assert_eq!(none.results["new-pods-get"], "istio-init");
    world.configure(&BOTH_PATHS)?;
    inject(&world, "istio-validation")?;
    Ok(world)
}

/// What the charm wrote to the namespace `shop`, as `verb path`.
fn writes_to_the_shop(world: &World) -> Result<Vec<String>> {
    let mut writes = world.requests()?;
    writes.retain(|it| it.is_write() && it.uri.contains("/namespaces/shop/"));
    let path = |uri: &str| uri.split('?').next().unwrap().to_owned();
    Ok(writes
        .iter()
        .map(|it| format!("{} {}", it.verb, path(&it.uri)))
        .collect())
}

/// The init containers of the pods of an application.
fn init_containers(world: &World, app: &str) -> Result<Vec<String>> {
    let pods = world.get(&format!("pods -n {SHOP} -l app={app}"))?;
    let pods = pods["items"].as_array().unwrap().iter();
    let names = pods
        .filter(|it| it["metadata"]["deletionTimestamp"].is_null())
        .map(|it| &it["spec"]["initContainers"][0]["name"])
        .map(|it| it.as_str().unwrap().to_owned());
    Ok(names.collect())
}

/// A model with the CNI on, and workloads of all kinds from when it was off.
fn shop() -> Result<World> {
    let bare = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "debug", "namespace": SHOP, "labels": {"app": "debug"}},
        "spec": {"containers": [{"name": "app", "image": "app"}]},
    });
    let by_hand = json!({"updateStrategy": {"type": "OnDelete"}});
    let two = json!({"replicas": 2});
    let database = json!({"replicas": 2, "serviceName": "db"});
    let world = switched_on(&[
        workload("Deployment", "cart", &two),
        workload("StatefulSet", "db", &database),
        workload("DaemonSet", "log", &json!({})),
        workload("DaemonSet", "old-style", &by_hand),
        workload("Deployment", "sleeping", &json!({"replicas": 0})),
        bare,
    ])?;
    // It allows no eviction at all, and a rollout asks for none.
    world.apply(&json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "cart", "namespace": SHOP},
        "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"app": "cart"}}},
    }))?;
    Ok(world)
}

/// The list has all that is stale, and what can be done about it.
fn check_list(world: &mut World) -> Result<()> {
    let listed = world.run_action(LIST, &json!({}))?;
    let json: Vec<Value> = serde_json::from_str(listed.results["json"].as_str().unwrap())?;
    let json: Vec<String> = json.iter().map(Value::to_string).collect();
    expect![[r#"
        {"kind":"Pod","name":"debug","namespace":"shop","pods":1,"restart":false,"why":["has istio-init"]}
        {"kind":"DaemonSet","name":"log","namespace":"shop","pods":3,"restart":true,"why":["has istio-init"]}
        {"kind":"DaemonSet","name":"old-style","namespace":"shop","pods":3,"restart":false,"why":["has istio-init"]}
        {"kind":"Deployment","name":"cart","namespace":"shop","pods":2,"restart":true,"why":["has istio-init"]}
        {"kind":"StatefulSet","name":"db","namespace":"shop","pods":2,"restart":true,"why":["has istio-init"]}"#]].assert_eq(&json.join("\n"));
    expect![[r#"
        completed
        new-pods-get: istio-validation
        pods: 11
        proxy-version: 1.31.1
        workloads: 5"#]]
    .assert_eq(&outcome(&listed));
    expect![[r#"
        NAMESPACE  WORKLOAD             PODS  WHY             RESTART
        shop       Pod/debug            1     has istio-init  no: a bare pod; delete and create it yourself
        shop       DaemonSet/log        3     has istio-init  yes
        shop       DaemonSet/old-style  3     has istio-init  no: its strategy is OnDelete; delete its pods one by one
        shop       Deployment/cart      2     has istio-init  yes
        shop       StatefulSet/db       2     has istio-init  yes"#]].assert_eq(listed.results["table"].as_str().unwrap());
    Ok(())
}

/// Nothing is restarted without being asked, nor elsewhere.
fn check_restraint(world: &mut World) -> Result<()> {
    let tried = world.run_action(RESTART, &json!({}))?;
    expect![[r#"
        completed
        dry-run: true
        new-pods-get: istio-validation
        not-restartable: 2
        pods: 11
        proxy-version: 1.31.1
        workloads: 5
        would-restart: 3"#]]
    .assert_eq(&outcome(&tried));
    let elsewhere = json!({"namespace": "default", "dry-run": false});
    let elsewhere = world.run_action(RESTART, &elsewhere)?;
    expect![[r#"
        completed
        dry-run: false
        left: 0
        new-pods-get: istio-validation
        not-restartable: 0
        pods: 0
        proxy-version: 1.31.1
        restarted: 0
        still-stale: 0
        workloads: 0"#]]
    .assert_eq(&outcome(&elsewhere));
    assert_eq!(writes_to_the_shop(world)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn stale_workloads_are_restarted_one_after_the_other() -> Result<()> {
    let mut world = shop()?;
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.shown()?);
    check_list(&mut world)?;
    check_restraint(&mut world)?;

    let one = world.run_action(RESTART, &json!({"dry-run": false, "max": 1}))?;
    expect![[r#"
        completed
        dry-run: false
        left: 2
        new-pods-get: istio-validation
        not-restartable: 2
        pods: 11
        proxy-version: 1.31.1
        restarted: 1
        still-stale: 0
        workloads: 5"#]]
    .assert_eq(&outcome(&one));
    assert_eq!(init_containers(&world, "log")?, ["istio-validation"; 3]);
    assert_eq!(init_containers(&world, "cart")?, ["istio-init"; 2]);
    let rest = world.run_action(RESTART, &json!({"dry-run": false}))?;
    expect![[r#"
        completed
        dry-run: false
        left: 0
        new-pods-get: istio-validation
        not-restartable: 2
        pods: 8
        proxy-version: 1.31.1
        restarted: 2
        still-stale: 0
        workloads: 4"#]]
    .assert_eq(&outcome(&rest));
    expect![[r#"
        restarting Deployment shop/cart (1/2)
        Deployment shop/cart is back
        restarting StatefulSet shop/db (2/2)
        StatefulSet shop/db is back"#]]
    .assert_eq(&rest.log.join("\n"));
    for app in ["cart", "db"] {
        assert_eq!(init_containers(&world, app)?, ["istio-validation"; 2]);
    }
    assert_eq!(init_containers(&world, "debug")?, ["istio-init"]);
    assert_eq!(init_containers(&world, "old-style")?, ["istio-init"; 3]);
    let apps = |kind: &str| format!("patch /apis/apps/v1/namespaces/shop/{kind}");
    let writes = ["daemonsets/log", "deployments/cart", "statefulsets/db"].map(apps);
    assert_eq!(
        writes_to_the_shop(&world)?,
        writes,
        "nothing is deleted or evicted"
    );
    Ok(())
}

#[test]
fn the_first_that_does_not_come_back_stops_the_rest() -> Result<()> {
    let mut world = switched_on(&[
        workload("Deployment", "cart", &json!({})),
        workload("Deployment", "till", &json!({})),
    ])?;
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.shown()?);
    world.apply(&json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"name": "full", "namespace": SHOP}, "spec": {"hard": {"pods": "2"}},
    }))?;
    until("the quota counts", || {
        let quota = world.get(&format!("resourcequota full -n {SHOP}"))?;
        Ok(quota["status"]["used"]["pods"] == "2")
    })?;
    world.set_rollout_timeout(5);
    let stopped = world.run_action(RESTART, &json!({"dry-run": false}))?;
    expect![[r#"
        failed: Deployment shop/cart: it did not come back: 0/1 new, 1/1 available, 1 old left (pods "cart-…-…" is forbidden: exceeded quota: full, requested: pods=1, used: pods=2, limited: pods=2). No other workload was restarted after it
        dry-run: false
        left: 2
        new-pods-get: istio-validation
        not-restartable: 0
        pods: 2
        proxy-version: 1.31.1
        restarted: 0
        still-stale: 0
        workloads: 2"#]].assert_eq(&without_pod_suffixes(&outcome(&stopped)));
    let writes = ["patch /apis/apps/v1/namespaces/shop/deployments/cart"];
    assert_eq!(writes_to_the_shop(&world)?, writes);
    assert_eq!(
        init_containers(&world, "cart")?,
        ["istio-init"],
        "the old pod serves on"
    );
    Ok(())
}

#[test]
fn a_restart_that_something_takes_back_is_told() -> Result<()> {
    let mut world = switched_on(&[workload("Deployment", "cart", &json!({}))])?;
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.shown()?);
    // Plays a controller that has its own idea of the template.
    let rule = json!({
        "apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"],
        "resources": ["deployments"],
    });
    let expression = "Object{spec: Object.spec{template: Object.spec.template{\
                      metadata: Object.spec.template.metadata{annotations: {\
                      'kubectl.kubernetes.io/restartedAt': '2020-01-01T00:00:00Z'}}}}}";
    apply_policy(&world, "own-template", &rule, expression)?;
    until("the policy is in force", || {
        let annotate = "annotate deployment/cart a=b --dry-run=server -o json";
        let changed = world.kubectl(&format!("{annotate} -n {SHOP}"))?;
        Ok(changed.contains("2020-01-01"))
    })?;
    let result = world.run_action(RESTART, &json!({"dry-run": false}))?;
    expect![[r#"
        failed: Deployment shop/cart: it was not restarted: something has set its template back. No other workload was restarted after it
        dry-run: false
        left: 1
        new-pods-get: istio-validation
        not-restartable: 0
        pods: 1
        proxy-version: 1.31.1
        restarted: 0
        still-stale: 0
        workloads: 1"#]].assert_eq(&outcome(&result));
    Ok(())
}

#[test]
fn what_cannot_be_restarted_now_fails_with_what_to_do() -> Result<()> {
    let mut world = deployed()?;
    world.scale(2)?;
    let follower = world.unit(1);
    let restart = json!({"dry-run": false});
    let restart = restart.as_object().unwrap();
    let result = world.model.run_action(&follower, RESTART, restart)?;
    expect!["failed: only the leader restarts workloads; run: juju run pilot/leader restart-stale-workloads"].assert_eq(&outcome(&result));
    let misspelled = json!({"namespace": "sohp"});
    let misspelled = misspelled.as_object().unwrap();
    let result = world.model.run_action(&follower, LIST, misspelled)?;
    expect!["failed: there is no namespace sohp"].assert_eq(&outcome(&result));
    // The options ask for the CNI, and it cannot be on yet.
    add_node(&world, "bare", "linux", "True")?;
    world.set_rollout_timeout(3);
    world.configure(&BOTH_PATHS)?;
    assert!(!world.injects_validation()?);
    let result = world.run_action(RESTART, &json!({}))?;
    expect!["failed: the switch of the CNI is not done: new pods still get istio-init; see juju status, and run this again when it is"].assert_eq(&outcome(&result));
    world.kubectl("delete configmap istio-sidecar-injector")?;
    let result = world.run_action(LIST, &json!({}))?;
    expect!["failed: ConfigMap mesh/istio-sidecar-injector does not show what new pods get: there is no control plane yet; see juju status"].assert_eq(&outcome(&result));
    Ok(())
}
