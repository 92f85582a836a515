//! What charms of Kubeflow say, in the encoding of the serialized-data-interface.

use std::sync::LazyLock;

use juju::relation::Relation;
use juju::serialized_data::Interface;
use serde_json::{Map, Value};

use crate::endpoints::fields::Fields;
use crate::endpoints::metadata::interface;
use crate::intent::ingress::route::{Answer, Backend, NewPath, Path, Requests, Route, Rule};
use crate::intent::problem::Problem;

/// The interface as `metadata.yaml` declares it.
pub(super) static INTERFACE: LazyLock<Interface> = LazyLock::new(|| interface("ingress"));

/// What a relation asks for; `None` while it asks for nothing.
pub(super) fn route(relation: &Relation, own_namespace: &str) -> Result<Option<Route>, Problem> {
    let received = INTERFACE.read(relation);
    let received = received.map_err(|unreadable| Problem::of_relation(&unreadable))?;
    let read = received.data.map(|it| read(&it, relation, own_namespace));
    let read = read.transpose();
    read.map_err(|why| Problem::of_request(relation, &why))
}

fn read(
    data: &Map<String, Value>,
    relation: &Relation,
    own_namespace: &str,
) -> Result<Route, String> {
    let fields = Fields(data);
    let prefix = fields.path("prefix")?.unwrap_or_default();
    let rewrite = fields.path("rewrite")?.filter(|it| !it.is_empty());
    let rewrite = rewrite.unwrap_or_else(|| prefix.clone());
    let service = fields.label("service")?.unwrap_or_default();
    let namespace = fields.label("namespace")?;
    let namespace = namespace.unwrap_or_else(|| own_namespace.to_owned());
    let backend = Backend::alone(service.clone(), namespace, fields.port("port")?);
    Ok(Route {
        relation: relation.id.clone(),
        application: relation.application.clone(),
        // As the Python charm calls it.
        name: service,
        rules: vec![Rule {
            requests: Requests::with_path(Path::Prefix(prefix)),
            answer: Answer::Forward {
                to: vec![backend],
                path: NewPath::InPlaceOfPrefix(rewrite),
                host: None,
            },
        }],
    })
}
