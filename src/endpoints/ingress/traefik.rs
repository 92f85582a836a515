//! What charms say that use version 2 of the Python library `traefik_k8s.ingress` (here as its release
//! 2.21 does): each key of the application's databag has a value in JSON.
//!
//! Such a charm asks for the path `/<model>-<application>`, and is told the URL. Its units say where
//! they are, too; that is not read, as Kubernetes finds them behind the application's Service. So its
//! application has to be in the same cluster. Of what else it may say, `healthcheck_params` is left to
//! the readiness of its pods, and `redirect-https` to the option of that name.

use std::sync::LazyLock;

use juju::python_json;
use juju::relation::{Databag, DatabagChanges, Relation};
use juju::serialized_data::{DATA, SUPPORTED_VERSIONS, Schema};
use serde_json::{Map, Value, json};

use crate::endpoints::World;
use crate::endpoints::fields::Fields;
use crate::endpoints::outside::{Address, Told, object_name};
use crate::intent::ingress::route::{Answer, Backend, NewPath, Path, Requests, Route, Rule};
use crate::intent::problem::Problem;
use crate::text::quoted;

/// The key of the answer.
pub(super) const KEY: &str = "ingress";

/// What each charm says.
const REQUIRED: [&str; 3] = ["model", "name", "port"];

/// Whether the path is removed before a request reaches the application.
const STRIP_PREFIX: &str = "strip-prefix";
/// How the application's pods are spoken to.
const SCHEME: &str = "scheme";

/// What is read, without what stands for nothing.
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = json!({
        "type": "object",
        "properties": {
            "model": {"type": "string"},
            "name": {"type": "string"},
            "port": {"type": "integer"},
            STRIP_PREFIX: {"type": "boolean"},
            SCHEME: {"type": "string"},
        },
        "required": REQUIRED,
    });
    // Tests hold that it can be read.
    serde_json::from_value(schema).unwrap_or_default()
});

/// Whether the other side uses that library. Before it has said anything nobody knows.
pub(super) fn is_spoken_by(relation: &Relation) -> bool {
    relation.remote_application.as_ref().is_some_and(|databag| {
        let has = |key: &str| databag.get(key).is_some();
        !has(SUPPORTED_VERSIONS) && !has(DATA) && REQUIRED.into_iter().any(has)
    })
}

/// What a charm asks for.
struct Request {
    model: String,
    name: String,
    port: u16,
    strips_prefix: bool,
}

/// What a relation asks for.
pub(super) fn route(relation: &Relation) -> Result<Route, Problem> {
    let request = Request::of(relation).map_err(|why| Problem::of_request(relation, &why))?;
    let path = request.path();
    let Request {
        model,
        name,
        port,
        strips_prefix,
    } = request;
    let new_path = if strips_prefix {
        NewPath::InPlaceOfPrefix("/".to_owned())
    } else {
        NewPath::Same
    };
    Ok(Route {
        relation: relation.id.clone(),
        application: relation.application.clone(),
        name: object_name(&name, &model, &relation.id),
        rules: vec![Rule {
            requests: Requests::with_path(Path::Below(path)),
            answer: Answer::Forward {
                to: vec![Backend::alone(name, model, port)],
                path: new_path,
                host: None,
            },
        }],
    })
}

/// What is said to a relation.
pub(super) fn answer(relation: &Relation, world: &World<'_>) -> DatabagChanges {
    let url = match Told::of(relation, world) {
        Told::AsBefore => return DatabagChanges::new(),
        Told::Nothing => None,
        Told::At(Address { host, is_https }) => {
            let scheme = if is_https { "https" } else { "http" };
            let request = Request::of(relation).ok();
            request.map(|it| format!("{scheme}://{host}{}", it.path()))
        }
    };
    // Text alone always has a JSON form.
    let answer = url.and_then(|url| python_json::to_string(&json!({ "url": url })).ok());
    [(KEY.to_owned(), answer)].into()
}

impl Request {
    /// Where the application is served, as that library's own charm has it.
    fn path(&self) -> String {
        format!("/{}-{}", self.model, self.name)
    }

    /// Reads what the other side says. An error goes on where the relation has been named.
    fn of(relation: &Relation) -> Result<Self, String> {
        let other = relation.other_side();
        let remedy =
            format!("{other} must write it as version 2 of the library traefik_k8s.ingress does");
        let databag = relation.remote_application.as_ref();
        let data = data(databag).map_err(|key| format!("`{key}` is not JSON; {remedy}"))?;
        let checked = SCHEMA.check_fields(&data);
        checked.map_err(|violation| format!("the databag {violation}; {remedy}"))?;
        plain_http(&data, other)?;
        let fields = Fields(&data);
        Ok(Self {
            model: fields.label("model")?.unwrap_or_default(),
            name: fields.label("name")?.unwrap_or_default(),
            port: fields.port("port")?,
            strips_prefix: data.get(STRIP_PREFIX) == Some(&Value::Bool(true)),
        })
    }
}

/// What is read of a databag.
///
/// # Errors
/// A key whose value is not JSON.
fn data(databag: Option<&Databag>) -> Result<Map<String, Value>, &'static str> {
    let mut data = Map::new();
    for key in REQUIRED.into_iter().chain([STRIP_PREFIX, SCHEME]) {
        if let Some(text) = databag.and_then(|it| it.get(key)) {
            let value: Value = serde_json::from_str(text).map_err(|_| key)?;
            data.insert(key.to_owned(), value);
        }
    }
    data.retain(|_, value| !value.is_null());
    Ok(data)
}

/// Refuses pods that do not speak plain HTTP. For others the proxy would have to be told so, by an
/// object about the service of somebody else, and for HTTPS which authority to trust: the interface
/// does not say.
fn plain_http(data: &Map<String, Value>, other: &str) -> Result<(), String> {
    match data.get(SCHEME).and_then(Value::as_str) {
        None | Some("http") => Ok(()),
        Some("h2c") => Err(format!(
            "`scheme` is h2c, which is not supported here: {other} must take HTTP/1.1 too, or ask for \
             gRPC at istio-ingress-route"
        )),
        Some("https") => Err(format!(
            "`scheme` is https, which is not supported here, as nobody says which authority to trust: \
             {other} must serve plain HTTP behind the gateway"
        )),
        Some(scheme) => Err(format!(
            "`scheme` is {}, which is none of http, https and h2c",
            quoted(scheme)
        )),
    }
}

#[cfg(test)]
mod tests;
