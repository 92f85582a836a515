//! The document with an application's routes: what its library writes, checked for its form alone.
//!
//! A field that is not set may be there with the value `null`, as Python writes it. Fields of which
//! nothing is known are left out.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The document.
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    /// The namespace of all services.
    pub(super) model: String,
    #[serde(default)]
    pub(super) listeners: Vec<Listener>,
    #[serde(default)]
    pub(super) http_routes: Vec<Route<HttpMatch>>,
    #[serde(default)]
    pub(super) grpc_routes: Vec<Route<GrpcMatch>>,
}

/// Where a gateway listens.
#[derive(Debug, Deserialize)]
pub(super) struct Listener {
    pub(super) port: Port,
    pub(super) protocol: Protocol,
}

/// What clients speak.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Protocol {
    Http,
    Grpc,
}

/// Requests of a kind, and what happens with them.
#[derive(Debug, Deserialize)]
pub(super) struct Route<Match> {
    pub(super) name: String,
    pub(super) listener: Listener,
    pub(super) backends: Vec<Backend>,
    pub(super) hostnames: Option<Vec<String>>,
    pub(super) matches: Option<Vec<Match>>,
    pub(super) filters: Option<Vec<Filter>>,
}

/// A service that gets requests.
#[derive(Debug, Deserialize)]
pub(super) struct Backend {
    pub(super) service: String,
    pub(super) port: Port,
    pub(super) weight: Option<Weight>,
}

/// Requests of HTTP.
#[derive(Debug, Default, Deserialize)]
pub(super) struct HttpMatch {
    pub(super) path: Option<PathMatch>,
    pub(super) method: Option<Method>,
    pub(super) headers: Option<BTreeMap<String, String>>,
}

/// The path of a request.
#[derive(Debug, Deserialize)]
pub(super) struct PathMatch {
    #[serde(default, rename = "type")]
    pub(super) kind: PathKind,
    pub(super) value: String,
}

/// How a path is compared.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) enum PathKind {
    Exact,
    #[default]
    PathPrefix,
    RegularExpression,
}

/// A method of HTTP.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Delete,
    Patch,
    Head,
    Options,
    Connect,
    Trace,
}

/// Requests of gRPC.
#[derive(Debug, Default, Deserialize)]
pub(super) struct GrpcMatch {
    pub(super) method: Option<GrpcMethod>,
    pub(super) headers: Option<BTreeMap<String, String>>,
}

/// What a request of gRPC calls.
#[derive(Debug, Deserialize)]
pub(super) struct GrpcMethod {
    pub(super) service: String,
    /// `None` for every method of the service.
    pub(super) method: Option<String>,
}

/// A change to requests. One of the two is set, unless it is of a kind that is not known.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter {
    pub(super) url_rewrite: Option<UrlRewrite>,
    pub(super) request_redirect: Option<RequestRedirect>,
}

/// What stands in place of host and path on the way to the service.
#[derive(Debug, Deserialize)]
pub(super) struct UrlRewrite {
    pub(super) hostname: Option<String>,
    pub(super) path: Option<PathChange>,
}

/// Where a client is sent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestRedirect {
    pub(super) scheme: Option<Scheme>,
    pub(super) hostname: Option<String>,
    pub(super) path: Option<PathChange>,
    pub(super) port: Option<Port>,
    pub(super) status_code: Option<u16>,
}

/// A scheme of URLs.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Scheme {
    Http,
    Https,
}

/// What stands in place of a path.
#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
pub(super) enum PathChange {
    ReplaceFullPath {
        #[serde(alias = "replaceFullPath")]
        value: String,
    },
    ReplacePrefixMatch {
        #[serde(alias = "replacePrefixMatch")]
        value: String,
    },
}

/// The number of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Port(pub(super) u16);

/// The share of one of several services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weight(pub(super) u8);

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let port = u16::deserialize(deserializer).ok().filter(|it| *it > 0);
        let port = port.ok_or_else(|| D::Error::custom("ports are numbers from 1 to 65535"));
        port.map(Self)
    }
}

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let weight = u8::deserialize(deserializer).ok();
        let weight = weight.filter(|it| (1..=100).contains(it));
        let weight = weight.ok_or_else(|| D::Error::custom("weights are numbers from 1 to 100"));
        weight.map(Self)
    }
}

/// Reads the document. An error goes on where it has been named, and repeats nothing of it: a header
/// may be a credential.
pub(super) fn read(text: &str) -> Result<Document, String> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let document = serde_path_to_error::deserialize(&mut deserializer);
    let document = document.map_err(|error| describe(&error))?;
    deserializer.end().map_err(|error| not_json(&error))?;
    Ok(document)
}

fn not_json(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    format!("is not JSON at line {line}, column {column}")
}

fn describe(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let inner = error.inner();
    if !inner.is_data() {
        return not_json(inner);
    }
    let text = inner.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |it| it.0);
    // What stands before it is what was found.
    let what = text.rfind("expected ").map_or(text, |begin| &text[begin..]);
    match error.path().to_string().as_str() {
        "." => format!("is wrong: {what}"),
        path => format!("is wrong at `{path}`: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_named_by_its_path_without_what_is_there() {
        let with = |key: &str, value: &str| {
            let route = r#""name":"a","listener":{"port":80,"protocol":"HTTP"},"backends":[]"#;
            format!(r#"{{"model":"m","http_routes":[{{{route},"{key}":{value}}}]}}"#)
        };
        let redirect =
            |fields: &str| with("filters", &format!(r#"[{{"requestRedirect":{fields}}}]"#));
        let listener = r#"{"model":"m","listeners":[{"port":"80","protocol":"HTTP"}]}"#;
        let weight = r#"[{"service":"a","port":80},{"service":"b","port":80,"weight":0}]"#;
        let weight = format!(
            r#"{{"model":"m","grpc_routes":[{{
                "name":"a","listener":{{"port":80,"protocol":"GRPC"}},"backends":{weight}
            }}]}}"#
        );
        let wrong = [
            "{".to_owned(),
            "{}".to_owned(),
            r#"{"model":"m"} x"#.to_owned(),
            listener.to_owned(),
            weight,
            with("hostnames", r#""secret""#),
            with("hostnames", r#"["a", 1]"#),
            with("matches", r#"[{"headers":{"x":7}}]"#),
            with("matches", r#"[{"method":"expected secret"}]"#),
            with("matches", r#"[{"path":{"type":"secret","value":"/"}}]"#),
            with("matches", r#"[{},{"path":{"type":"Exact"}}]"#),
            redirect(r#"{"port":0}"#),
            redirect(r#"{"scheme":"secret"}"#),
            redirect(r#"{"statusCode":"secret"}"#),
            redirect(r#"{"path":{"type":"secret","value":"/"}}"#),
            redirect(r#"{"path":{"type":"ReplaceFullPath"}}"#),
        ];
        let errors = wrong.iter().map(|it| read(it).unwrap_err() + "\n");
        expect_test::expect![[r#"
            is not JSON at line 1, column 1
            is wrong: missing field `model`
            is not JSON at line 1, column 15
            is wrong at `listeners[0].port`: ports are numbers from 1 to 65535
            is wrong at `grpc_routes[0].backends[1].weight`: weights are numbers from 1 to 100
            is wrong at `http_routes[0].hostnames`: expected a sequence
            is wrong at `http_routes[0].hostnames[1]`: expected a string
            is wrong at `http_routes[0].matches[0].headers.x`: expected a string
            is wrong at `http_routes[0].matches[0].method`: expected one of `GET`, `POST`, `PUT`, `DELETE`, `PATCH`, `HEAD`, `OPTIONS`, `CONNECT`, `TRACE`
            is wrong at `http_routes[0].matches[0].path.type`: expected one of `Exact`, `PathPrefix`, `RegularExpression`
            is wrong at `http_routes[0].matches[1].path`: missing field `value`
            is wrong at `http_routes[0].filters[0].requestRedirect.port`: ports are numbers from 1 to 65535
            is wrong at `http_routes[0].filters[0].requestRedirect.scheme`: expected `http` or `https`
            is wrong at `http_routes[0].filters[0].requestRedirect.statusCode`: expected u16
            is wrong at `http_routes[0].filters[0].requestRedirect.path.type`: expected `ReplaceFullPath` or `ReplacePrefixMatch`
            is wrong at `http_routes[0].filters[0].requestRedirect.path`: missing field `value`
        "#]].assert_eq(&errors.collect::<String>());
        assert!(read(&with("filters", "null")).is_ok());
    }
}
