mod kubeconfig;
mod nonsense;
mod pages;
mod requests;
mod silent_server;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use kube::client::Body;
use serde_json::json;
use tower::BoxError;

use super::*;
use crate::cluster::connect::{Access, ConnectError};

fn service() -> Object {
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "istiod", "namespace": "mesh", "resourceVersion": "7"},
    });
    Object::from_value(service).unwrap()
}

fn definition() -> Object {
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gateways.networking.istio.io"},
        "spec": {
            "group": "networking.istio.io", "names": {"plural": "gateways"},
            "versions": [{"name": "v1alpha3", "served": false}, {"name": "v1", "served": true}],
        },
    });
    Object::from_value(definition).unwrap()
}

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

/// A cluster that gives these answers in turn, and the requests that it got.
fn answering(
    answers: impl Iterator<Item = (u16, Value)> + Send + 'static,
) -> (Cluster, Arc<Mutex<Vec<String>>>) {
    answering_text(answers.map(|(code, value)| (code, value.to_string())))
}

/// The same, with answers of any text.
fn answering_text(
    answers: impl Iterator<Item = (u16, String)> + Send + 'static,
) -> (Cluster, Arc<Mutex<Vec<String>>>) {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let received = Arc::clone(&requests);
    let answers = Arc::new(Mutex::new(answers));
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let received = Arc::clone(&received);
        let answer = answers.lock().unwrap().next();
        async move {
            let text = as_text(request).await?;
            received.lock().unwrap().push(text);
            let (code, text) = answer.ok_or("no answer is left")?;
            let body = Body::from(text.into_bytes());
            let response = http::Response::builder().status(code).body(body)?;
            Ok::<_, BoxError>(response)
        }
    });
    let cluster = Cluster {
        client: Client::new(service, "mesh"),
        namespace: "mesh".to_owned(),
        longest_request: Duration::from_secs(30),
    };
    (cluster, requests)
}

/// Method, path and query, and what is accepted if it is not any JSON; then the media type and the
/// body, if there is one.
async fn as_text(request: http::Request<Body>) -> Result<String, BoxError> {
    let (head, body) = request.into_parts();
    let mut text = format!("{} {}", head.method, head.uri);
    if let Some(accepted) = head.headers.get("accept")
        && accepted != "application/json"
    {
        text = format!("{text} as {}", accepted.to_str()?);
    }
    if let Some(media_type) = head.headers.get("content-type") {
        let body = String::from_utf8(body.collect_bytes().await?.to_vec())?;
        text = format!("{text}\n{} {body}", media_type.to_str()?);
    }
    Ok(text)
}
