mod kubeconfig;
mod pages;
mod requests;
mod silent_server;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::json;

use super::*;
use crate::cluster::connect::{Access, ConnectError};

/// A server on loopback that treats each connection alike; gives its address.
fn serve(treat: impl Fn(TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let connection = connection.unwrap();
            let treat = treat.clone();
            std::thread::spawn(move || treat(connection));
        }
    });
    address
}

/// Reads a request without a body.
fn read_head(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// The cluster that a kubeconfig describes, whose cluster and user have these fields.
async fn connected(cluster: Value, user: Value) -> Result<Cluster, ConnectError> {
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "here"}}],
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "here", "user": user}],
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(kubeconfig.to_string().as_bytes()).unwrap();
    let access = Access::Kubeconfig {
        path: file.path().to_owned(),
        namespace: "mesh".to_owned(),
    };
    Cluster::connect(&access).await
}
