//! What a real API server makes of the objects.

use istio_pilot::cni::Phase;
use istio_pilot::desired::gateway;
use istio_pilot::desired::stream::to_yaml_stream;
use istio_pilot::intent::cni_paths::CniPaths;
use istio_pilot::k8s::managed_fields::FIELD_MANAGER;
use istio_pilot::k8s::object::Object;
use istio_pilot::plan::drift;
use test_cluster::{Options, TestCluster};

use crate::cases;

/// The server knows every field, and stores every value as it was sent: so a comparison of what is
/// wanted with what is there finds no difference by itself.
#[test]
fn the_api_server_stores_what_is_rendered_as_it_stands() {
    let options = Options {
        nodes: 0,
        controllers: false,
        ..Options::default()
    };
    let cluster = TestCluster::start(&options).unwrap();
    let paths = CniPaths {
        bin_dir: "/opt/cni/bin".to_owned(),
        conf_dir: "/etc/cni/net.d".to_owned(),
    };
    // A name that YAML 1.1 takes for a truth value: kubectl reads the stream nevertheless.
    let control_plane = cases::with_node_agent("on", paths, Phase::On);
    let mut wanted = control_plane.objects();
    cluster.kubectl("create namespace on").unwrap();
    apply(&cluster, &wanted);
    let gateway = gateway(&control_plane.intent.identity, control_plane.mesh()).unwrap();
    let wait = "wait --for=condition=Established --timeout=60s customresourcedefinitions --all";
    cluster.kubectl(wait).unwrap();
    apply(&cluster, std::slice::from_ref(&gateway));
    wanted.push(gateway);

    let stream = to_yaml_stream(&wanted);
    let get = "get -f - -o json --show-managed-fields";
    let list = cluster.kubectl_with_input(get, &stream).unwrap();
    let mut list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let items = list["items"].as_array_mut().unwrap();
    let live = items
        .iter_mut()
        .map(|item| Object::from_value(item.take()).unwrap());
    let differences: Vec<_> = wanted
        .iter()
        .zip(live)
        .flat_map(|(wanted, live)| {
            assert_eq!(wanted.id(), live.id());
            let differences = drift::differences(wanted, &live);
            differences
                .into_iter()
                .map(|it| format!("{}: {it}", wanted.id()))
        })
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

fn apply(cluster: &TestCluster, objects: &[Object]) {
    let apply = format!(
        "apply --server-side --field-manager={FIELD_MANAGER} --validate=strict --filename=-"
    );
    cluster
        .kubectl_with_input(&apply, &to_yaml_stream(objects))
        .unwrap();
}
