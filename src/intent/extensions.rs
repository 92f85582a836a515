//! What relations add to the mesh, beside its ingress gateway.

use core::net::IpAddr;
use std::collections::BTreeSet;

use juju::names::RelationId;

/// What relations add to the mesh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// The services that gateways may have their requests checked by, in the order of the relations;
    /// no two have one name.
    pub authorizers: Vec<ExternalAuthorizer>,
    /// Where proxies send spans; `None` for nowhere.
    pub collector: Option<SpanCollector>,
    /// The certificates in PEM of authorities that istiod trusts when it asks issuers of tokens for
    /// their keys, beside those of its image.
    pub key_authorities: BTreeSet<String>,
}

impl Extensions {
    /// Nothing.
    pub const NONE: &'static Self = &Self {
        authorizers: Vec::new(),
        collector: None,
        key_authorities: BTreeSet::new(),
    };
}

/// A service that gateways may have their requests checked by, as authorization policies do that name
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalAuthorizer {
    /// The relation that asks for it.
    pub relation: RelationId,
    /// How policies call it.
    pub name: String,
    /// The service.
    pub service: String,
    /// Its namespace.
    pub namespace: String,
    /// Its port.
    pub port: u16,
    /// What is spoken with it.
    pub protocol: CheckProtocol,
}

/// How a service is asked about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckProtocol {
    /// Over HTTP, with these headers.
    Http(CheckHeaders),
    /// Over gRPC, where it sees the whole request.
    Grpc,
}

/// The headers that take part in a check over HTTP; one may begin or end with `*`. `None` as Istio does
/// by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckHeaders {
    /// Those of the request that the service gets to see.
    pub seen: Option<Vec<String>>,
    /// Those of its answer that are added to a request that passes.
    pub added: Option<Vec<String>>,
    /// Those of its answer that the client gets of a request that passes.
    pub answered: Option<Vec<String>>,
    /// Those of its answer that the client gets of a request that does not pass.
    pub refused: Option<Vec<String>>,
}

/// What collects the spans of requests, over OTLP with gRPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanCollector {
    /// Where it is.
    pub host: CollectorHost,
    /// Its port.
    pub port: u16,
}

/// Where spans are collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CollectorHost {
    /// A Service of the cluster, by the whole name that the mesh has for it.
    Service(String),
    /// Another name, which DNS knows.
    Name(String),
    /// An address.
    Address(IpAddr),
}
