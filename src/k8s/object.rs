//! Kubernetes objects as the pure middle of the charm handles them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::kind::{self, Kind, Wave};

/// Identifies one object in a cluster.
///
/// It has no version on purpose: one object is served in several versions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectId {
    /// API group; empty for the core group.
    pub group: String,
    /// Kind, as in `Deployment`.
    pub kind: String,
    /// Namespace; `None` for cluster-scoped objects.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl ObjectId {
    /// The object with this kind and name; `namespace` only counts for kinds whose objects live in
    /// one.
    pub fn new(kind: &Kind, namespace: &str, name: &str) -> Self {
        Self {
            group: kind.group.to_owned(),
            kind: kind.kind.to_owned(),
            namespace: kind.namespaced.then(|| namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    /// Whether the object is of that kind.
    pub fn is(&self, kind: &Kind) -> bool {
        self.group == kind.group && self.kind == kind.kind
    }

    /// The object's kind; `None` for one that this charm never applies.
    pub fn known_kind(&self) -> Option<&'static Kind> {
        kind::find(&self.group, &self.kind)
    }

    /// When the object is applied; `None` for a kind that this charm never applies.
    pub fn wave(&self) -> Option<Wave> {
        let managed = self.known_kind()?.managed?;
        Some(managed.wave)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(formatter, "{} {}/{}", self.kind, namespace, self.name),
            None => write!(formatter, "{} {}", self.kind, self.name),
        }
    }
}

/// Objects of a cluster, by their identity.
pub type LiveObjects = BTreeMap<ObjectId, Object>;

/// Why a value is not a Kubernetes object.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ObjectError {
    /// The value is not a map.
    #[error("a Kubernetes object must be a map")]
    NotAMap,
    /// A required text field is missing or empty.
    #[error("a Kubernetes object has no {0}")]
    Missing(&'static str),
}

/// One Kubernetes object: its identity and its whole content.
///
/// The copies of an object share their content until one of them is changed: definitions are large.
#[derive(Clone, PartialEq)]
pub struct Object {
    id: ObjectId,
    api_version: String,
    value: Arc<Value>,
}

/// Shows the whole content, except for a Secret: of that only the identity.
impl fmt::Debug for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is(&kind::SECRET) {
            return write!(formatter, "{} (content hidden)", self.id);
        }
        write!(formatter, "{}", self.value)
    }
}

impl Object {
    /// Takes a JSON value that holds one object.
    ///
    /// # Errors
    /// When the value is not a map, or has no `apiVersion`, `kind` or `metadata.name`.
    pub fn from_value(value: Value) -> Result<Self, ObjectError> {
        if !value.is_object() {
            return Err(ObjectError::NotAMap);
        }
        let text = |pointer: &'static str| match value.pointer(pointer).and_then(Value::as_str) {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(ObjectError::Missing(pointer)),
        };
        let api_version = text("/apiVersion")?;
        let kind = text("/kind")?;
        let name = text("/metadata/name")?;
        let namespace = text("/metadata/namespace").ok();
        let group = api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
            .to_owned();
        Ok(Self {
            id: ObjectId {
                group,
                kind,
                namespace,
                name,
            },
            api_version,
            value: Arc::new(value),
        })
    }

    /// The object's identity.
    pub fn id(&self) -> &ObjectId {
        &self.id
    }

    /// The object's kind, as in `Deployment`.
    pub fn kind(&self) -> &str {
        &self.id.kind
    }

    /// Whether the object is of that kind.
    pub fn is(&self, kind: &Kind) -> bool {
        self.id.is(kind)
    }

    /// The object's `apiVersion`.
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// The whole content, `apiVersion`, `kind` and `metadata` included.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The value at a JSON pointer such as `/spec/template`, if there is one.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.value.pointer(pointer)
    }

    /// The value at a JSON pointer, for changing it. The identity must stay as it is.
    pub(crate) fn at_mut(&mut self, pointer: &str) -> Option<&mut Value> {
        Arc::make_mut(&mut self.value).pointer_mut(pointer)
    }

    /// The server's identifier of this very object: a later object of the same name has another
    /// one. `None` for an object that does not come from a server.
    pub fn uid(&self) -> Option<&str> {
        self.at("/metadata/uid")?.as_str()
    }

    /// The server's identifier of this state of the object; `None` for an object that does not come
    /// from a server.
    pub fn resource_version(&self) -> Option<&str> {
        self.at("/metadata/resourceVersion")?.as_str()
    }

    /// When the object was created; `None` for one that does not come from a server.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.at("/metadata/creationTimestamp")?
            .as_str()?
            .parse()
            .ok()
    }

    /// Whether somebody has deleted the object, but something still keeps it, such as a finalizer.
    pub fn is_being_deleted(&self) -> bool {
        self.at("/metadata/deletionTimestamp").is_some()
    }

    /// What has to be done before a deleted object disappears, but for what Kubernetes itself does.
    pub fn finalizers(&self) -> impl Iterator<Item = &str> {
        let finalizers = self.at("/metadata/finalizers").and_then(Value::as_array);
        let finalizers = finalizers.into_iter().flatten().filter_map(Value::as_str);
        finalizers.filter(|it| !["foregroundDeletion", "orphan"].contains(it))
    }

    /// A label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.at("/metadata/labels")?.get(key)?.as_str()
    }

    /// An annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.at("/metadata/annotations")?.get(key)?.as_str()
    }

    /// Sets a label, replacing a former value.
    pub fn set_label(&mut self, key: &str, value: &str) {
        if self.label(key) == Some(value) {
            return;
        }
        let metadata = &mut Arc::make_mut(&mut self.value)["metadata"];
        if !metadata["labels"].is_object() {
            metadata["labels"] = Value::Object(Map::new());
        }
        metadata["labels"][key] = Value::String(value.to_owned());
    }

    /// The same object, for a write that only counts if the stored object is still of that version.
    #[must_use]
    pub fn only_at(&self, version: &str) -> Self {
        let mut object = self.clone();
        Arc::make_mut(&mut object.value)["metadata"]["resourceVersion"] = version.into();
        object
    }

    /// The content as one JSON value.
    pub fn into_value(self) -> Value {
        Arc::unwrap_or_clone(self.value)
    }
}
