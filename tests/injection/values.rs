//! What istiod reads of the injector's values and of the mesh configuration.

use serde_json::Value;

use crate::istiod::through_istiod;
use crate::kube_inject::KubeInject;
use crate::setup::{Configuration, Setup};

/// A pod in which everything shows.
const WORKLOAD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers: [{name: app, image: app:1, livenessProbe: {httpGet: {port: 80}}}]
";

/// The only value that is not istiod's: this charm finds out by it what the templates beside it
/// do, in its own installations and in those of istioctl.
const OF_THE_CHARM: &str = "/pilot/cni/enabled";

/// The installation whose values all differ from istiod's defaults.
fn configuration() -> Configuration {
    let [setup, _] = Setup::for_istiod();
    setup.ours()
}

/// The JSON pointers to all values that are no maps.
fn leaves(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                leaves(field, &format!("{pointer}/{key}"), found);
            }
        }
        _ => found.push(pointer.to_owned()),
    }
}

fn injected(configuration: &Configuration) -> String {
    let injector = KubeInject::new(configuration, true);
    injector.inject(WORKLOAD).unwrap().remove(0)
}

#[test]
fn istiod_reads_every_value() {
    let configuration = configuration();
    let values: Value = serde_json::from_str(&configuration.values).unwrap();
    let mut pointers = Vec::new();
    leaves(&values, "", &mut pointers);
    let whole = injected(&configuration);
    let unread: Vec<&String> = pointers
        .iter()
        .filter(|pointer| {
            let mut values = values.clone();
            crate::gateways::remove(&mut values, pointer);
            let values = values.to_string();
            injected(&Configuration {
                values,
                ..configuration.clone()
            }) == whole
        })
        .collect();
    assert_eq!(unread, [OF_THE_CHARM]);
}

#[test]
fn istiod_takes_every_key_of_the_mesh_configuration() {
    for through in through_istiod() {
        let mesh: Value = serde_yaml::from_str(&through.setup.ours().mesh).unwrap();
        let known: Value = serde_json::from_str(&through.ours.mesh).unwrap();
        let mut pointers = Vec::new();
        leaves(&mesh, "", &mut pointers);
        assert!(pointers.len() > 4, "{pointers:?}");
        for pointer in pointers {
            assert_eq!(known.pointer(&pointer), mesh.pointer(&pointer), "{pointer}");
        }
    }
}
