//! What an application's routes mean for the gateway that all share.

use std::collections::BTreeMap;

use super::answers::answer;
use super::document::{
    Document, GrpcMatch, GrpcMethod, HttpMatch, Listener, Method, PathKind, PathMatch, Protocol,
    Route,
};
use super::expression;
use super::names::{absolute, domain_name, label};
use crate::intent::ingress::route::{Host, Path, Requests, Rule, Text};
use crate::text::quoted;

/// The ports of the gateway's Service: without a certificate and with one.
const PORTS: [u16; 2] = [80, 443];

/// The rules of a document. An error goes on where the document has been named.
pub(super) fn rules(document: &Document, other: &str) -> Result<Vec<Rule>, String> {
    let model = label("model", &document.model)?;
    check_listeners(document, other)?;
    let mut rules = Vec::new();
    for route in &document.http_routes {
        let of_route = rules_of(route, model, http_requests);
        rules.extend(of_route.map_err(|why| in_route(&route.name, &why))?);
    }
    for route in &document.grpc_routes {
        let of_route = rules_of(route, model, grpc_requests);
        rules.extend(of_route.map_err(|why| in_route(&route.name, &why))?);
    }
    Ok(rules)
}

fn in_route(name: &str, why: &str) -> String {
    format!("has the route {}, which {why}", quoted(name))
}

/// The gateway has one port at a time, whichever the certificate makes it: its pods listen for no
/// other, and plain HTTP is at most redirected.
fn check_listeners(document: &Document, other: &str) -> Result<(), String> {
    let of_http = document.http_routes.iter().map(|it| &it.listener);
    let of_grpc = document.grpc_routes.iter().map(|it| &it.listener);
    let of_routes = of_http.chain(of_grpc);
    for Listener { port, protocol } in document.listeners.iter().chain(of_routes.clone()) {
        if !PORTS.contains(&port.0) {
            let protocol = match protocol {
                Protocol::Http => "http",
                Protocol::Grpc => "grpc",
            };
            return Err(format!(
                "asks for the listener {protocol}-{}, and the ingress gateway serves no ports but 80 \
                 and 443: {other} must use one of these, or another gateway",
                port.0
            ));
        }
    }
    let mut ports = of_routes.map(|it| it.port);
    let first = ports.next();
    if ports.any(|it| Some(it) != first) {
        return Err(format!(
            "has routes for port 80 and for port 443, and the ingress gateway serves one of the two at \
             a time: {other} must use the one that `tls_enabled` says; plain HTTP is redirected by the \
             option redirect-https"
        ));
    }
    Ok(())
}

/// The rules of a route, whose requests are read by `requests_of`.
fn rules_of<Match: Default>(
    route: &Route<Match>,
    model: &str,
    requests_of: impl Fn(&Match) -> Result<Requests, String>,
) -> Result<Vec<Rule>, String> {
    let hosts = route.hostnames.iter().flatten();
    let mut hosts = hosts.map(|it| host(it)).collect::<Result<Vec<_>, _>>()?;
    if hosts.is_empty() {
        hosts.push(Host::Any);
    }
    let everything = [Match::default()];
    let matches = match route.matches.as_deref() {
        None | Some([]) => &everything,
        Some(matches) => matches,
    };
    let filters = route.filters.as_deref().unwrap_or_default();
    let mut rules = Vec::new();
    for it in matches {
        let requests = requests_of(it)?;
        let answer = answer(filters, &route.backends, model, &requests.path)?;
        rules.extend(hosts.iter().map(|host| Rule {
            requests: Requests {
                host: host.clone(),
                ..requests.clone()
            },
            answer: answer.clone(),
        }));
    }
    Ok(rules)
}

fn http_requests(it: &HttpMatch) -> Result<Requests, String> {
    let path = match &it.path {
        None => Path::Below("/".to_owned()),
        Some(path) => path_of(path)?,
    };
    Ok(Requests {
        method: it.method.map(|it| name_of(it).to_owned()),
        headers: headers(it.headers.as_ref())?,
        ..Requests::with_path(path)
    })
}

/// A call of gRPC is a request of HTTP for `/<service>/<method>`
/// (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).
fn grpc_requests(it: &GrpcMatch) -> Result<Requests, String> {
    let mut headers = headers(it.headers.as_ref())?;
    let path = match &it.method {
        None => {
            let calls = Text::Prefix("application/grpc".to_owned());
            headers.insert("content-type".to_owned(), calls);
            Path::Below("/".to_owned())
        }
        Some(GrpcMethod { service, method }) => {
            let is_name = |text: &str| {
                let is_in_name = |it: char| it.is_ascii_alphanumeric() || it == '_';
                !text.is_empty() && text.chars().all(is_in_name)
            };
            if !service.split('.').all(is_name) {
                return Err(format!(
                    "names the service {}, which is none of gRPC",
                    quoted(service)
                ));
            }
            match method {
                None => Path::Prefix(format!("/{service}/")),
                Some(method) if is_name(method) => Path::Is(format!("/{service}/{method}")),
                Some(method) => {
                    return Err(format!(
                        "names the method {}, which is none of gRPC",
                        quoted(method)
                    ));
                }
            }
        }
    };
    Ok(Requests {
        headers,
        ..Requests::with_path(path)
    })
}

fn path_of(path: &PathMatch) -> Result<Path, String> {
    let PathMatch { kind, value } = path;
    match kind {
        PathKind::Exact => Ok(Path::Is(absolute(value)?)),
        PathKind::PathPrefix => {
            let path = absolute(value)?;
            let path = path.trim_end_matches('/');
            Ok(Path::Below(
                if path.is_empty() { "/" } else { path }.to_owned(),
            ))
        }
        // Every path, in other words.
        PathKind::RegularExpression if [".*", "/.*"].contains(&value.as_str()) => {
            Ok(Path::Below("/".to_owned()))
        }
        PathKind::RegularExpression => {
            let checked = expression::check(value);
            checked.map_err(|why| format!("has the path {}, {why}", quoted(value)))?;
            Ok(Path::Regex(value.clone()))
        }
    }
}

/// Names and values of headers. A value may be a credential, so no message repeats it.
fn headers(headers: Option<&BTreeMap<String, String>>) -> Result<BTreeMap<String, Text>, String> {
    let headers = headers.into_iter().flatten().map(|(name, value)| {
        let is_in_name = |it: char| it.is_ascii_alphanumeric() || "-_".contains(it);
        if name.is_empty() || !name.chars().all(is_in_name) {
            return Err(format!("names the header {}, which is none", quoted(name)));
        }
        if value.is_empty() || value.chars().any(char::is_control) {
            return Err(format!(
                "has no value for the header {name} that a header can have"
            ));
        }
        Ok((name.to_lowercase(), Text::Is(value.clone())))
    });
    headers.collect()
}

fn host(host: &str) -> Result<Host, String> {
    match host.strip_prefix("*.") {
        _ if host == "*" => Ok(Host::Any),
        Some(domain) => Ok(Host::Below(domain_name(domain)?)),
        None => Ok(Host::Is(domain_name(host)?)),
    }
}

fn name_of(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Patch => "PATCH",
        Method::Head => "HEAD",
        Method::Options => "OPTIONS",
        Method::Connect => "CONNECT",
        Method::Trace => "TRACE",
    }
}

#[cfg(test)]
mod tests;
