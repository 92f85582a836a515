//! A model with a real API server behind it.

use serde_json::{Value, json};
use test_cluster::{Options, Program, TestCluster};

use crate::common::{charm, options};
use juju_sim::{Deployment, Model};

/// What a hook may do, asked with the access that the hook has.
const ASK: &str = r#"
    can() { "$KUBECTL" auth can-i --quiet "$@" 2>/dev/null && echo "$*: yes" || echo "$*: no"; }
    can list namespaces
    can patch pods
    can create deployments.apps
    can create deployments.apps --namespace default
    can create customresourcedefinitions
    "$KUBECTL" auth whoami -o jsonpath='{.status.userInfo.username}'"#;

fn answers(model: &Model) -> (String, String) {
    let dispatch = model.dispatches().last().unwrap();
    assert!(dispatch.succeeded(), "{}", dispatch.stderr);
    (dispatch.hook.clone(), dispatch.stdout.clone())
}

fn expected(create: &str) -> String {
    format!(
        "list namespaces: yes\npatch pods: yes\ncreate deployments.apps: {create}\n\
         create deployments.apps --namespace default: {create}\n\
         create customresourcedefinitions: {create}\n\
         system:serviceaccount:mesh:pilot"
    )
}

fn names(cluster: &TestCluster, kind: &str) -> Vec<String> {
    let line = format!("{kind} -n mesh -l app.kubernetes.io/managed-by=juju");
    let list = cluster.get(&line).unwrap();
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn trust_is_rbac_of_the_cluster() {
    let controllers = false;
    let cluster = TestCluster::start(&Options {
        controllers,
        nodes: 0,
        ..Options::default()
    })
    .unwrap();
    let foreign = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "mesh-other", "labels": {"app.kubernetes.io/name": "pilot"}},
        "rules": [],
    });
    cluster.apply(&foreign).unwrap();
    let charm = charm("name: app", &[], ASK);
    let mut model = Model::new(options().on_cluster(cluster.kubeconfig())).unwrap();
    model.set_variable(
        "KUBECTL",
        Program::Kubectl.path().unwrap().to_str().unwrap(),
    );
    model
        .deploy(Deployment::of(charm.path()).named("pilot"))
        .unwrap();
    model.settle().unwrap();
    assert_eq!(answers(&model), ("start".into(), expected("no")));
    let environment = &model.dispatches()[0].environment;
    assert_eq!(environment["CLOUD_API_VERSION"], "1.37.2");
    let server = format!(
        "https://{}:{}",
        environment["KUBERNETES_SERVICE_HOST"], environment["KUBERNETES_SERVICE_PORT"]
    );
    assert_eq!(server, cluster.server());

    model.set_trust("pilot", true).unwrap();
    model.settle().unwrap();
    assert_eq!(answers(&model), ("config-changed".into(), expected("yes")));
    for kind in ["serviceaccounts", "roles", "rolebindings"] {
        assert_eq!(names(&cluster, kind), ["pilot"], "{kind}");
    }
    for kind in ["clusterroles", "clusterrolebindings"] {
        assert_eq!(names(&cluster, kind), ["mesh-pilot"], "{kind}");
    }
    let role = cluster.get("role pilot -n mesh").unwrap();
    let everything: Value = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]);
    assert_eq!(role["rules"], everything);

    model.set_trust("pilot", false).unwrap();
    model.settle().unwrap();
    assert_eq!(answers(&model), ("config-changed".into(), expected("no")));

    // The last hooks still have their access; then it goes, and nothing else does.
    model.remove_application("pilot").unwrap();
    model.settle().unwrap();
    assert_eq!(answers(&model), ("remove".into(), expected("no")));
    for kind in [
        "serviceaccounts",
        "roles",
        "rolebindings",
        "clusterroles",
        "clusterrolebindings",
    ] {
        assert_eq!(names(&cluster, kind), Vec::<String>::new(), "{kind}");
    }
    cluster.get("clusterrole mesh-other").unwrap();
    cluster.get("namespace mesh").unwrap();
}

#[test]
fn a_cluster_that_does_not_answer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("config");
    std::fs::write(
        &kubeconfig,
        "{clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}], users: [{name: u}], \
         contexts: [{name: x, context: {cluster: c, user: u}}], current-context: x}",
    )
    .unwrap();
    let error = Model::new(options().on_cluster(kubeconfig))
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("127.0.0.1:1"), "{error}");
    let error = Model::new(options().on_cluster("/nothing"))
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("/nothing"), "{error}");
}
