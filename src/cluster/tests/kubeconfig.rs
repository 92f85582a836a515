//! Which settings of a kubeconfig are followed.

use std::sync::mpsc;

use super::*;

#[tokio::test]
async fn each_request_says_who_is_impersonated() {
    let (heads, received) = mpsc::channel();
    let server = serve(move |mut connection| {
        let head = read_head(&mut connection);
        let version = json!({"major": "1", "minor": "34"}).to_string();
        let length = version.len();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{version}");
        connection.write_all(answer.as_bytes()).unwrap();
        heads.send(head).unwrap();
    });
    let cluster = json!({"server": format!("http://{server}")});
    let user = json!({"token": "a", "as": "auditor", "as-groups": ["viewers"]});
    let cluster = connected(cluster, user).await.unwrap();
    cluster.version().await.unwrap();
    let head = received.recv().unwrap();
    for header in [
        "authorization: Bearer a",
        "impersonate-user: auditor",
        "impersonate-group: viewers",
    ] {
        assert!(head.contains(header), "{head}");
    }
}

#[tokio::test]
async fn a_cluster_behind_a_proxy_is_not_reached_past_it() {
    let cluster = json!({"server": "https://127.0.0.1:1", "proxy-url": "http://127.0.0.1:2"});
    let error = connected(cluster, json!({})).await.err().unwrap();
    let message = error.to_string();
    assert!(
        message.ends_with("proxy-url http://127.0.0.1:2 is set, and this program uses no proxy"),
        "{message}"
    );
    // An empty one counts as not set.
    let cluster = json!({"server": "https://127.0.0.1:1", "proxy-url": ""});
    assert!(connected(cluster, json!({})).await.is_ok());
}
