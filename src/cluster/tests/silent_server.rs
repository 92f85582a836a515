//! API servers that stop answering, at each point of a request.

use super::*;
use crate::cluster::error::FailureKind;
use crate::cluster::watch::Watched;
use crate::cluster::write::{Mode, OnConflict};
use crate::k8s::kind;

/// Longer than any of these tests takes when all is well, so that none hangs when it is not.
const TOO_LONG: Duration = Duration::from_secs(30);

/// A connection to a server, with a bound that a test can wait for.
async fn impatient(server: String) -> Cluster {
    let cluster = json!({"server": server, "insecure-skip-tls-verify": true});
    let mut cluster = connected(cluster, json!({})).await.unwrap();
    cluster.longest_request = Duration::from_millis(50);
    cluster
}

/// Takes what is sent, and never says anything.
fn hold(mut connection: TcpStream) {
    let mut sink = [0; 1024];
    while connection.read(&mut sink).is_ok_and(|read| read > 0) {}
}

/// Begins an answer that it never ends.
fn stall(mut connection: TcpStream) {
    let _ = read_head(&mut connection);
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    connection.write_all(head).unwrap();
    hold(connection);
}

#[track_caller]
fn assert_late<T: std::fmt::Debug>(answer: Result<T, ClusterError>) {
    let error = answer.unwrap_err();
    let late = FailureKind::Unavailable("no answer within 50ms".to_owned());
    assert_eq!(error.kind(), &late, "{error}");
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_server_that_falls_silent_is_as_good_as_away() {
    let after_the_request = format!("http://{}", serve(hold));
    let during_the_handshake = format!("https://{}", serve(hold));
    let during_the_answer = format!("http://{}", serve(stall));
    for server in [after_the_request, during_the_handshake, during_the_answer] {
        let cluster = impatient(server).await;
        let version = tokio::time::timeout(TOO_LONG, cluster.version()).await;
        assert_late(version.unwrap());
    }
}

#[tokio::test]
async fn every_kind_of_request_is_bounded() {
    let cluster = impatient(format!("http://{}", serve(hold))).await;
    let all = async {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "namespace": "mesh"}});
        let object = Object::from_value(object).unwrap();
        let definition = json!({"apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition", "metadata": {"name": "as.example"},
            "spec": {"group": "example", "names": {"plural": "as"},
                "versions": [{"name": "v1", "served": true}]}});
        let definition = Object::from_value(definition).unwrap();
        let scope = Scope::Cluster;
        let everything = Selector::default();
        assert_late(cluster.get(object.id()).await);
        assert_late(cluster.list(&kind::POD, scope, everything).await);
        assert_late(cluster.has_custom_resources(&definition).await);
        assert_late(cluster.ask_pod("mesh", "a", 1, "b", &json!({})).await);
        assert_late(cluster.last_lines("a", "b", Run::Current, 1).await);
        let written = cluster.apply(&object, Mode::Write, OnConflict::Fail).await;
        assert_late(written);
        assert_late(cluster.set_managed_fields(&object, json!([])).await);
        assert_late(cluster.delete(object.id(), "uid").await);
        assert_late(cluster.restart(&kind::POD, "mesh", "a", "now").await);
    };
    tokio::time::timeout(TOO_LONG, all).await.unwrap();
}

fn pods() -> Watched {
    Watched {
        kind: kind::POD,
        namespace: None,
        labels: String::new(),
        fields: String::new(),
        resource_version: "1".to_owned(),
    }
}

#[tokio::test]
async fn a_watch_that_does_not_begin_ends() {
    let cluster = impatient(format!("http://{}", serve(hold))).await;
    let changed = tokio::time::timeout(TOO_LONG, cluster.wait_for_change(&[pods()])).await;
    changed.unwrap();
}

/// Says that a Pod was added, long after a request would have been given up.
fn change_late(mut connection: TcpStream) {
    let _ = read_head(&mut connection);
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
    connection.write_all(head).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let event = json!({"type": "ADDED", "object": {"kind": "Pod"}});
    connection
        .write_all(format!("{event}\n").as_bytes())
        .unwrap();
}

#[tokio::test]
async fn a_watch_that_has_begun_lasts_longer_than_a_request() {
    let mut cluster = impatient(format!("http://{}", serve(change_late))).await;
    cluster.longest_request = Duration::from_secs(1);
    assert_eq!(cluster.wait_for_event(&pods()).await, Some(()));
}
