//! The file from which gRPC learns where istiod is: the scripts of both grpc-simple templates run.

use std::process::Command;

use istio_pilot::istio::Injection;
use serde_json::{Value, json};
use test_cluster::command::output_of;

use crate::kube_inject::KubeInject;
use crate::setup::{Configuration, Setup};

/// Where the script writes it.
const FOLDER: &str = "/var/lib/grpc/data/";

const WORKLOAD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: a, annotations: {inject.istio.io/templates: grpc-simple}}
spec:
  containers: [{name: app, image: app:1}]
";

/// What Kubernetes takes from the pod.
const OF_THE_POD: &[(&str, &str)] = &[
    ("INSTANCE_IP", "fd00::7"),
    ("POD_NAME", "shop-6f7c8d-x2k4p"),
    ("POD_NAMESPACE", "team"),
];

/// The container that writes the file.
fn writer(configuration: &Configuration) -> Value {
    let injected = KubeInject::new(configuration, true)
        .inject(WORKLOAD)
        .unwrap();
    let mut pod: Value = serde_yaml::from_str(&injected[0]).unwrap();
    pod["spec"]["initContainers"][0].take()
}

/// Runs the container's command and reads the file; `fixed` changes the values of its variables.
fn written(container: &Value, fixed: impl Fn(&str) -> String) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = format!("{}/", folder.path().display());
    let command: Vec<String> = container["command"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap().replace(FOLDER, &elsewhere))
        .collect();
    let mut program = Command::new(&command[0]);
    program.args(&command[1..]);
    for variable in container["env"].as_array().unwrap() {
        let name = variable["name"].as_str().unwrap();
        let of_the_pod = OF_THE_POD.iter().find(|(other, _)| *other == name);
        let value = match (variable["value"].as_str(), of_the_pod) {
            (Some(value), None) => fixed(value),
            (None, Some((_, value))) => (*value).to_owned(),
            _ => panic!("{variable}"),
        };
        program.env(name, value);
    }
    output_of(&mut program).unwrap();
    let text = std::fs::read_to_string(folder.path().join("bootstrap.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn grpc_without_an_agent_finds_istiod() {
    let setup = Setup::plain(Injection::IstioInit);
    let [upstream, ours] = [setup.upstream(), setup.ours()].map(|it| writer(&it));
    let ours = written(&ours, str::to_owned);
    assert_eq!(
        ours,
        json!({
            "xds_servers": [{
                "server_uri": "dns:///istiod.istio-system.svc:15010",
                "channel_creds": [{"type": "insecure"}],
                "server_features": ["xds_v3"],
            }],
            "node": {
                "id": "sidecar~fd00::7~shop-6f7c8d-x2k4p.team~cluster.local",
                "metadata": {"GENERATOR": "grpc"},
            },
        })
    );
    // Upstream's namespace ends in a line break, of which the shell makes a space. That is all.
    assert_eq!(
        written(&upstream, str::to_owned)["xds_servers"][0]["server_uri"],
        "dns:///istiod.istio-system .svc:15010"
    );
    assert_eq!(written(&upstream, |value| value.trim().to_owned()), ours);
}
