use serde_json::json;

use super::*;
use crate::k8s::kind::SERVICE;
use crate::k8s::object::{Object, ObjectId};
use crate::simulated::Simulated;

fn relation(own: &[(&str, &str)]) -> Relation {
    Relation {
        own_application: Some(
            own.iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        ),
        ..Relation::new("gateway-info:1".parse().unwrap())
    }
}

/// What is written on a cluster on which everything else is as asked.
fn published(cluster: &mut Simulated, own: &[(&str, &str)], leader: bool) -> String {
    cluster.intent.ingress.get_or_insert_default().is_watched = true;
    let (observed, _) = cluster.assess();
    let world = World::of(&cluster.intent, Some(&observed), leader);
    let published = GatewayInfo.publish(&relation(own), &world);
    let changes = published.iter().flat_map(|it| &it.changes);
    let lines = changes.map(|(key, value)| format!("{key}={} ", value.as_deref().unwrap_or("-")));
    lines.collect()
}

fn with_service(cluster: &mut Simulated, kind: &str) {
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "istio-ingressgateway-workload", "namespace": "mesh"},
        "spec": {"type": kind, "clusterIP": "10.1.1.1"},
    });
    let service = Object::from_value(service).unwrap();
    cluster.live.insert(service.id().clone(), service);
}

#[test]
fn the_gateway_is_up_once_it_exists_and_its_service_can_be_reached() {
    let mut cluster = Simulated::settled(&[]);
    let down = "gateway_name=istio-gateway gateway_namespace=mesh gateway_up=false ";
    assert_eq!(published(&mut cluster, &[], true), down);
    with_service(&mut cluster, "LoadBalancer");
    assert_eq!(
        published(&mut cluster, &[], true),
        down,
        "it has no address"
    );
    with_service(&mut cluster, "ClusterIP");
    let up = "gateway_name=istio-gateway gateway_namespace=mesh gateway_up=true ";
    assert_eq!(published(&mut cluster, &[], true), up);
    assert_eq!(published(&mut cluster, &[], false), "", "a follower");
    // Only what is new is written.
    let known = [
        ("gateway_name", "istio-gateway"),
        ("gateway_namespace", "mesh"),
    ];
    assert_eq!(published(&mut cluster, &known, true), "gateway_up=true ");
    // A closed gateway is down.
    let gateway = ObjectId::new(&crate::k8s::kind::GATEWAY, "mesh", "istio-gateway");
    cluster.live.remove(&gateway);
    assert_eq!(published(&mut cluster, &[], true), down);
}

#[test]
fn without_a_view_of_the_cluster_nothing_is_said() {
    let cluster = Simulated::settled(&[]);
    let world = World::of(&cluster.intent, None, true);
    assert_eq!(GatewayInfo.publish(&relation(&[]), &world), []);
    assert!(
        !cluster
            .live
            .keys()
            .any(|it| it.is(&SERVICE) && it.name.contains("ingress"))
    );
}
