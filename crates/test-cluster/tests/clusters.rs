//! What a cluster promises, on real ones.
#![allow(
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use test_cluster::{Options, TestCluster};

/// Tests that need no cluster of their own share one: statics are never dropped, so each run also
/// shows that the end of a process ends its clusters.
fn shared() -> &'static TestCluster {
    static CLUSTER: OnceLock<TestCluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        TestCluster::start(&Options {
            audit: true,
            ..Options::default()
        })
        .unwrap()
    })
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Command lines of living processes that mention `folder`.
fn processes_of(folder: &Path) -> Vec<String> {
    let needle = folder.display().to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap() {
        let path = entry.unwrap().path().join("cmdline");
        // Processes may end while this looks.
        let line = std::fs::read(path).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(&needle) {
            found.push(line);
        }
    }
    found
}

fn config_map(name: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
    })
}

#[test]
fn two_clusters_at_once_have_nothing_in_common() {
    let options = Options {
        nodes: 1,
        ..Options::default()
    };
    let (one, two) = thread::scope(|scope| {
        let one = scope.spawn(|| TestCluster::start(&options).unwrap());
        let two = scope.spawn(|| TestCluster::start(&options).unwrap());
        (one.join().unwrap(), two.join().unwrap())
    });
    assert_ne!(one.server(), two.server());
    let address = |cluster: &TestCluster| {
        let line = "get service kubernetes --output=jsonpath={.spec.clusterIP}";
        cluster.kubectl(line).unwrap()
    };
    assert_ne!(address(&one), address(&two));
    one.apply(&config_map("only-here")).unwrap();
    let error = two.get("configmap only-here").unwrap_err();
    assert!(error.to_string().contains("NotFound"), "{error}");
    // The credentials of one are worth nothing to the other.
    let foreign = two.kubectl(&format!(
        "get nodes --server={} --certificate-authority='{}'",
        one.server(),
        one.certificate_authority().display()
    ));
    assert!(foreign.is_err());

    let folder = one.folder().to_path_buf();
    assert!(
        processes_of(&folder).len() >= 5,
        "{:?}",
        processes_of(&folder)
    );
    drop(one);
    assert_eq!(processes_of(&folder), Vec::<String>::new());
    assert!(!folder.exists());
    assert!(two.get("nodes").is_ok(), "the other one lives on");
}

#[test]
fn a_killed_process_leaves_no_cluster_behind() {
    let mut victim = Command::new(env!("CARGO_BIN_EXE_test-cluster"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let kubeconfig = lines
        .find_map(|line| {
            let path = line.unwrap();
            path.strip_prefix("export KUBECONFIG=").map(PathBuf::from)
        })
        .expect("the victim starts a cluster");
    let folder = kubeconfig.parent().unwrap();
    let running = processes_of(folder);
    assert!(running.len() >= 5, "{running:?}");
    // SIGKILL: it cannot do anything about it.
    victim.kill().unwrap();
    victim.wait().unwrap();
    eventually("the cluster is gone", || {
        processes_of(folder).is_empty() && !folder.exists()
    });
}

#[test]
fn a_panic_ends_the_cluster() {
    let folder = thread::spawn(|| {
        let cluster = TestCluster::start(&Options {
            controllers: false,
            ..Options::default()
        })
        .unwrap();
        std::panic::panic_any(cluster.folder().to_path_buf());
    })
    .join()
    .unwrap_err();
    let folder = folder.downcast::<PathBuf>().unwrap();
    assert!(!folder.exists());
    assert_eq!(processes_of(&folder), Vec::<String>::new());
}

#[test]
fn workloads_roll_out_on_simulated_nodes() {
    let cluster = shared();
    cluster
        .apply(&json!({
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "everywhere", "namespace": "default"},
            "spec": {
                "selector": {"matchLabels": {"app": "everywhere"}},
                "template": {
                    "metadata": {"labels": {"app": "everywhere"}},
                    "spec": {"containers": [{"name": "app", "image": "example.test/app:1"}]},
                },
            },
        }))
        .unwrap();
    cluster
        .kubectl("rollout status daemonset/everywhere --timeout=60s")
        .unwrap();
    let set = cluster.get("daemonset everywhere").unwrap();
    assert_eq!(set["status"]["numberReady"], 3, "{set}");
    let nodes = cluster.get("nodes").unwrap();
    for node in nodes["items"].as_array().unwrap() {
        assert_eq!(node["status"]["nodeInfo"]["kubeletVersion"], "v1.37.2");
    }
    // Addresses of pods are loopback ones, so nothing ever leaves the machine.
    let pods = cluster.get("pods --selector=app=everywhere").unwrap();
    for pod in pods["items"].as_array().unwrap() {
        let address = pod["status"]["podIP"].as_str().unwrap();
        assert!(address.starts_with("127."), "{address}");
    }
}

#[test]
fn requests_are_recorded_with_who_sent_them() {
    let cluster = shared();
    cluster.kubectl("create namespace audited").unwrap();
    let kubeconfig = cluster
        .service_account_kubeconfig("audited", "reader")
        .unwrap();
    let before = cluster.audit_requests().unwrap().len();
    let kubeconfig = kubeconfig.display().to_string();
    let error = cluster
        .kubectl(&format!("--kubeconfig='{kubeconfig}' get secrets"))
        .unwrap_err();
    assert!(error.to_string().contains("Forbidden"), "{error}");
    cluster.apply(&config_map("recorded")).unwrap();

    let requests = cluster.audit_requests().unwrap().split_off(before);
    let account = "system:serviceaccount:audited:reader";
    let refused: Vec<_> = requests.iter().filter(|r| r.user == account).collect();
    assert!(
        refused
            .iter()
            .any(|r| r.resource == "secrets" && r.status == 403 && r.namespace == "audited"),
        "{refused:?}"
    );
    assert!(refused.iter().all(|r| !r.is_write()), "{refused:?}");
    let writes: Vec<_> = requests
        .iter()
        .filter(|r| r.user == "admin" && r.is_write() && r.name == "recorded")
        .collect();
    assert_eq!(writes.len(), 1, "{requests:?}");
    assert_eq!(writes[0].verb, "patch");
}

#[test]
fn a_service_account_may_do_what_is_bound_to_it() {
    let cluster = shared();
    cluster.kubectl("create namespace bound").unwrap();
    let kubeconfig = cluster
        .service_account_kubeconfig("bound", "viewer")
        .unwrap();
    let kubeconfig = kubeconfig.display().to_string();
    let read = || cluster.kubectl(&format!("--kubeconfig='{kubeconfig}' get configmaps"));
    assert!(read().is_err());
    let bind = "create rolebinding viewer --namespace=bound --clusterrole=view \
                --serviceaccount=bound:viewer";
    cluster.kubectl(bind).unwrap();
    eventually("the binding counts", || read().is_ok());
}

#[test]
fn a_request_without_the_administrators_token_is_refused() {
    let cluster = shared();
    let error = cluster.kubectl("--token=wrong get nodes").unwrap_err();
    assert!(error.to_string().contains("Unauthorized"), "{error}");
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let error = TestCluster::start(&Options {
        api_server_flags: vec!["--no-such-flag".to_owned()],
        ..Options::default()
    })
    .unwrap_err();
    assert!(error.to_string().contains("no-such-flag"), "{error}");
}

#[test]
fn istioctl_and_istiod_see_the_cluster() {
    let cluster = shared();
    let folder = test_cluster::programs::source_folder(
        test_cluster::programs::Module::Istio,
        "istio.io/api",
    )
    .unwrap();
    let crds = folder.join("kubernetes/customresourcedefinitions.gen.yaml");
    cluster
        .kubectl(&format!("create --filename='{}'", crds.display()))
        .unwrap();
    cluster.kubectl("create namespace istio-system").unwrap();
    let istiod = cluster.start_istiod("istio-system", &[]).unwrap();
    assert!(istiod.log().contains("1.31.1"), "{}", istiod.log());
    eventually("istiod publishes its certificate authority", || {
        let published = cluster.get("configmap istio-ca-root-cert");
        published.is_ok()
    });
    let version = cluster.istioctl(&["version", "--remote=false"]).unwrap();
    assert!(version.contains("1.31.1"), "{version}");
}
