//! Workloads that still run with what was injected before, and their restart.

use juju_sim::ActionResult;
use serde_json::{Map, Value, json};

use super::nodes::add_node;
use super::support::{APPLICATION, BOTH_PATHS, MODEL, World, shown, until};

/// The namespace of the workloads.
const SHOP: &str = "shop";

/// Plays istiod for the namespace `shop`: adds what it injects, by an admission policy.
fn inject(world: &World, init_container: &str, version: &str) {
    let image = format!("docker.io/istio/proxyv2:{version}");
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
    apply_policy(world, "injection", &rule, &injected);
    let probe = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "namespace": SHOP},
        "spec": {"containers": [{"name": "app", "image": "app"}]},
    });
    let create = ["create", "--dry-run=server", "-o", "json", "-f", "-"];
    until("the policy is in force", || {
        let pod = world
            .cluster
            .kubectl_with_input(&create, &probe.to_string());
        let pod = pod.unwrap();
        pod.contains(&format!("\"name\": \"{init_container}\"")) && pod.contains(&image)
    });
}

/// Changes what is written to the namespace `shop`.
fn apply_policy(world: &World, name: &str, rule: &Value, expression: &str) {
    let policy = json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail", "reinvocationPolicy": "Never",
                "matchConstraints": {
                    "resourceRules": [rule],
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": SHOP}},
                },
                "mutations": [{
                    "patchType": "ApplyConfiguration",
                    "applyConfiguration": {"expression": expression},
                }],
            },
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": name}, "spec": {"policyName": name},
        },
    ]});
    world.cluster.apply(&policy).unwrap();
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
fn run(world: &World, workloads: &[Value]) {
    for workload in workloads {
        world.cluster.apply(workload).unwrap();
        let name = |pointer| workload.pointer(pointer).and_then(Value::as_str).unwrap();
        let (kind, name) = (name("/kind"), name("/metadata/name"));
        let strategy = &workload["spec"]["updateStrategy"]["type"];
        if kind != "Pod" && strategy != "OnDelete" {
            let object = format!("{kind}/{name}");
            let wait = ["rollout", "status", "-n", SHOP, &object, "--timeout=60s"];
            world.cluster.kubectl(&wait).unwrap();
        }
    }
}

/// A model in which the CNI was off when workloads began, and is on.
fn switched_on(workloads: &[Value]) -> World {
    let mut world = World::deployed();
    world
        .cluster
        .kubectl(&["create", "namespace", SHOP])
        .unwrap();
    inject(&world, "istio-init", "1.31.1");
    run(&world, workloads);
    let none = act(&mut world, "list-stale-workloads", &json!({}));
    assert_eq!(none.results["workloads"], "0", "{none:?}");
    assert_eq!(none.results["new-pods-get"], "istio-init");
    let on = world.configure(&BOTH_PATHS);
    assert_eq!(on, shown("active", "CNI on (3/3 nodes)"), "{}", world.log());
    inject(&world, "istio-validation", "1.31.1");
    world
}

fn act(world: &mut World, action: &str, parameters: &Value) -> ActionResult {
    let unit = format!("{APPLICATION}/0");
    let parameters: &Map<_, _> = parameters.as_object().unwrap();
    world.model.run_action(&unit, action, parameters).unwrap()
}

/// What the charm wrote to the namespace `shop`, as `verb path`.
fn writes_to_the_shop(world: &World) -> Vec<String> {
    let user = format!("system:serviceaccount:{MODEL}:{APPLICATION}");
    let requests = world.cluster.audit_requests().unwrap();
    let path = |uri: &str| uri.split('?').next().unwrap().to_owned();
    let writes = requests
        .iter()
        .filter(|it| it.user == user && it.is_write() && it.uri.contains("/namespaces/shop/"));
    writes
        .map(|it| format!("{} {}", it.verb, path(&it.uri)))
        .collect()
}

/// The init containers of the pods of an application.
fn init_containers(world: &World, app: &str) -> Vec<String> {
    let app = format!("app={app}");
    let pods = world.cluster.get(&["pods", "-n", SHOP, "-l", &app]);
    let pods = pods.unwrap()["items"].as_array().unwrap().clone();
    let name = |it: &Value| it["spec"]["initContainers"][0]["name"].clone();
    pods.iter()
        .filter(|it| it["metadata"]["deletionTimestamp"].is_null())
        .map(|it| name(it).as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn stale_workloads_are_restarted_one_after_the_other() {
    let bare = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "debug", "namespace": SHOP, "labels": {"app": "debug"}},
        "spec": {"containers": [{"name": "app", "image": "app"}]},
    });
    let by_hand = json!({"updateStrategy": {"type": "OnDelete"}});
    let mut world = switched_on(&[
        workload("Deployment", "cart", &json!({"replicas": 2})),
        workload(
            "StatefulSet",
            "db",
            &json!({"replicas": 2, "serviceName": "db"}),
        ),
        workload("DaemonSet", "log", &json!({})),
        workload("DaemonSet", "old-style", &by_hand),
        workload("Deployment", "sleeping", &json!({"replicas": 0})),
        bare.clone(),
    ]);
    // It allows no eviction at all, and a rollout asks for none.
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "cart", "namespace": SHOP},
        "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"app": "cart"}}},
    });
    world.cluster.apply(&budget).unwrap();
    let listed = act(&mut world, "list-stale-workloads", &json!({}));
    let table = "\
NAMESPACE  WORKLOAD             PODS  WHY             RESTART
shop       Pod/debug            1     has istio-init  no: a bare pod; delete and create it yourself
shop       DaemonSet/log        3     has istio-init  yes
shop       DaemonSet/old-style  3     has istio-init  no: its strategy is OnDelete; delete its pods one by one
shop       Deployment/cart      2     has istio-init  yes
shop       StatefulSet/db       2     has istio-init  yes";
    assert_eq!(listed.results["table"], table, "{}", listed.message);
    assert_eq!(listed.results["new-pods-get"], "istio-validation");
    assert_eq!(listed.results["proxy-version"], "1.31.1");

    let tried = act(&mut world, "restart-stale-workloads", &json!({}));
    assert_eq!(tried.results["would-restart"], "3", "{}", tried.message);
    let elsewhere = json!({"namespace": "default", "dry-run": false});
    let elsewhere = act(&mut world, "restart-stale-workloads", &elsewhere);
    assert_eq!(elsewhere.results["restarted"], "0", "{}", elsewhere.message);
    assert_eq!(writes_to_the_shop(&world), Vec::<String>::new());

    let one = json!({"dry-run": false, "max": 1});
    let one = act(&mut world, "restart-stale-workloads", &one);
    assert!(one.completed, "{}", one.message);
    assert_eq!(
        (&one.results["restarted"], &one.results["left"]),
        (&json!("1"), &json!("2"))
    );
    assert_eq!(init_containers(&world, "log"), ["istio-validation"; 3]);
    assert_eq!(init_containers(&world, "cart"), ["istio-init"; 2]);
    let rest = act(
        &mut world,
        "restart-stale-workloads",
        &json!({"dry-run": false}),
    );
    assert!(rest.completed, "{}", rest.message);
    let log = [
        "restarting Deployment shop/cart (1/2)",
        "Deployment shop/cart is back",
        "restarting StatefulSet shop/db (2/2)",
        "StatefulSet shop/db is back",
    ];
    assert_eq!(rest.log, log);
    assert_eq!(
        (&rest.results["restarted"], &rest.results["left"]),
        (&json!("2"), &json!("0"))
    );
    for app in ["cart", "db"] {
        assert_eq!(init_containers(&world, app), ["istio-validation"; 2]);
    }
    for app in ["debug", "old-style"] {
        assert!(
            init_containers(&world, app)
                .iter()
                .all(|it| it == "istio-init")
        );
    }
    let apps = |kind: &str| format!("patch /apis/apps/v1/namespaces/shop/{kind}");
    let writes = ["daemonsets/log", "deployments/cart", "statefulsets/db"].map(apps);
    assert_eq!(
        writes_to_the_shop(&world),
        writes,
        "nothing is deleted or evicted"
    );
}

#[test]
fn the_first_that_does_not_come_back_stops_the_rest() {
    let mut world = switched_on(&[
        workload("Deployment", "cart", &json!({})),
        workload("Deployment", "till", &json!({})),
    ]);
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"name": "full", "namespace": SHOP}, "spec": {"hard": {"pods": "2"}},
    });
    world.cluster.apply(&quota).unwrap();
    until("the quota counts", || {
        let quota = world.cluster.get(&["resourcequota", "full", "-n", SHOP]);
        quota.unwrap()["status"]["used"]["pods"] == "2"
    });
    world.model.set_variable("ISTIO_PILOT_ROLLOUT_TIMEOUT", "5");
    let stopped = act(
        &mut world,
        "restart-stale-workloads",
        &json!({"dry-run": false}),
    );
    assert!(!stopped.completed);
    let message = stopped.message.as_str();
    assert!(
        message.starts_with("Deployment shop/cart: it did not come back: 0/1 new"),
        "{message}"
    );
    assert!(message.contains("exceeded quota: full"), "{message}");
    assert!(
        message.ends_with("No other workload was restarted after it"),
        "{message}"
    );
    assert_eq!(
        (&stopped.results["restarted"], &stopped.results["left"]),
        (&json!("0"), &json!("2"))
    );
    let writes = ["patch /apis/apps/v1/namespaces/shop/deployments/cart"];
    assert_eq!(writes_to_the_shop(&world), writes);
    assert_eq!(
        init_containers(&world, "cart"),
        ["istio-init"],
        "the old pod serves on"
    );
}

#[test]
fn a_restart_that_something_takes_back_is_told() {
    let mut world = switched_on(&[workload("Deployment", "cart", &json!({}))]);
    // Plays a controller that has its own idea of the template.
    let rule = json!({
        "apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"],
        "resources": ["deployments"],
    });
    let expression = "Object{spec: Object.spec{template: Object.spec.template{\
                      metadata: Object.spec.template.metadata{annotations: {\
                      'kubectl.kubernetes.io/restartedAt': '2020-01-01T00:00:00Z'}}}}}";
    apply_policy(&world, "own-template", &rule, expression);
    until("the policy is in force", || {
        let annotate = [
            "annotate",
            "deployment/cart",
            "-n",
            SHOP,
            "a=b",
            "--dry-run=server",
            "-o",
            "json",
        ];
        let changed = world.cluster.kubectl(&annotate).unwrap();
        changed.contains("2020-01-01")
    });
    let result = act(
        &mut world,
        "restart-stale-workloads",
        &json!({"dry-run": false}),
    );
    let message = "Deployment shop/cart: it was not restarted: something has set its template back. \
                   No other workload was restarted after it";
    assert_eq!(result.message, message);
}

#[test]
fn what_cannot_be_restarted_now_fails_with_what_to_do() {
    let mut world = World::deployed();
    world.model.scale(APPLICATION, 2).unwrap();
    world.settle();
    let mut fails = |unit: u8, action: &str, parameters: Value, expected: &str| {
        let unit = format!("{APPLICATION}/{unit}");
        let parameters = parameters.as_object().unwrap();
        let result = world.model.run_action(&unit, action, parameters).unwrap();
        assert!(!result.completed);
        assert!(result.message.contains(expected), "{}", result.message);
    };
    let (list, restart) = ("list-stale-workloads", "restart-stale-workloads");
    let command = format!("juju run {APPLICATION}/leader {restart}");
    fails(1, restart, json!({"dry-run": false}), &command);
    fails(
        1,
        list,
        json!({"namespace": "sohp"}),
        "there is no namespace sohp",
    );
    // The options ask for the CNI, and it cannot be on yet.
    add_node(&world, "bare", "linux", "True");
    world.model.set_variable("ISTIO_PILOT_ROLLOUT_TIMEOUT", "3");
    world.configure(&BOTH_PATHS);
    assert!(!world.injects_validation());
    let result = act(&mut world, restart, &json!({}));
    let message = "the switch of the CNI is not done: new pods still get istio-init";
    assert!(result.message.starts_with(message), "{}", result.message);
    world
        .cluster
        .kubectl(&["delete", "configmap", "istio-sidecar-injector", "-n", MODEL])
        .unwrap();
    let result = act(&mut world, list, &json!({}));
    assert!(
        result.message.contains("there is no control plane yet"),
        "{}",
        result.message
    );
}
