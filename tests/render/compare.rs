//! Compares two sets of manifests by what they mean.
//!
//! Before comparing, both sides are brought into one form: lists that Kubernetes takes for maps
//! (containers, variables, volumes, ports, webhooks) become maps by their key, so that their order
//! does not matter; a role's rules become the single rights that they give; and a ConfigMap's
//! texts are read where they hold YAML or JSON. Nothing is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use istio_pilot::k8s::object::{Object, ObjectId};
use serde_json::{Map, Value, json};

/// Objects by identity, in the form to compare.
pub(crate) struct Manifests(BTreeMap<ObjectId, Value>);

impl Manifests {
    pub(crate) fn new(objects: Vec<Object>) -> Self {
        let mut manifests = BTreeMap::new();
        for object in objects {
            let id = object.id().clone();
            let comparable = comparable(&id.kind, object.into_value());
            assert!(
                manifests.insert(id.clone(), comparable).is_none(),
                "{id} twice"
            );
        }
        Self(manifests)
    }
}

/// One place at which the two sides differ. `None`: nothing stands there.
#[derive(Debug)]
pub(crate) struct Difference {
    /// `Kind name`.
    pub(crate) object: String,
    /// JSON pointer.
    pub(crate) at: String,
    pub(crate) istioctl: Option<Value>,
    pub(crate) ours: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Option<Value>| match value {
            None => "nothing".to_owned(),
            Some(value) => value.to_string().chars().take(300).collect(),
        };
        let (istioctl, ours) = (text(&self.istioctl), text(&self.ours));
        write!(
            formatter,
            "{} at {}: istioctl {istioctl}, ours {ours}",
            self.object, self.at
        )
    }
}

/// Every difference, in the order of objects and fields.
pub(crate) fn differences(ours: &Manifests, theirs: &Manifests) -> Vec<Difference> {
    let mut found = Vec::new();
    let ids: BTreeSet<_> = ours.0.keys().chain(theirs.0.keys()).collect();
    for id in ids {
        let object = format!("{} {}", id.kind, id.name);
        let mut at = String::new();
        collect(
            &object,
            &mut at,
            theirs.0.get(id),
            ours.0.get(id),
            &mut found,
        );
    }
    found
}

fn collect(
    object: &str,
    at: &mut String,
    istioctl: Option<&Value>,
    ours: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    match (istioctl, ours) {
        (Some(Value::Object(theirs)), Some(Value::Object(our))) => {
            let keys: BTreeSet<_> = theirs.keys().chain(our.keys()).collect();
            for key in keys {
                let key = key.as_str();
                below(object, at, key, (theirs.get(key), our.get(key)), found);
            }
        }
        (Some(Value::Array(theirs)), Some(Value::Array(our))) if theirs.len() == our.len() => {
            for (index, pair) in theirs.iter().zip(our).enumerate() {
                below(
                    object,
                    at,
                    &index.to_string(),
                    (Some(pair.0), Some(pair.1)),
                    found,
                );
            }
        }
        (istioctl, ours) if istioctl == ours => {}
        (istioctl, ours) => found.push(Difference {
            object: object.to_owned(),
            at: at.clone(),
            istioctl: istioctl.cloned(),
            ours: ours.cloned(),
        }),
    }
}

fn below(
    object: &str,
    at: &mut String,
    key: &str,
    (istioctl, ours): (Option<&Value>, Option<&Value>),
    found: &mut Vec<Difference>,
) {
    let length = at.len();
    at.push('/');
    at.push_str(&key.replace('~', "~0").replace('/', "~1"));
    collect(object, at, istioctl, ours, found);
    at.truncate(length);
}

/// Lists that are maps for Kubernetes (`x-kubernetes-list-type: map`), and the fields of their
/// key. Mount paths and printer columns are as unique.
const KEYED_LISTS: [(&str, &[&str]); 9] = [
    ("additionalPrinterColumns", &["name"]),
    ("containers", &["name"]),
    ("env", &["name"]),
    ("ports", &["containerPort", "port", "protocol"]),
    ("subjects", &["kind", "namespace", "name"]),
    ("versions", &["name"]),
    ("volumeMounts", &["mountPath"]),
    ("volumes", &["name"]),
    ("webhooks", &["name"]),
];

fn comparable(kind: &str, mut value: Value) -> Value {
    if matches!(kind, "ClusterRole" | "Role") {
        value["rules"] = rights(&value["rules"]);
    }
    if kind == "ConfigMap" {
        let data = value["data"].as_object_mut().unwrap();
        data.values_mut()
            .for_each(|text| *text = structured(text.take()));
    }
    keyed("", value)
}

/// Turns keyed lists into maps, at every depth.
fn keyed(name: &str, value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .map(|(name, value)| (name.clone(), keyed(&name, value)))
            .collect(),
        Value::Array(list) => {
            let list = list.into_iter().map(|item| keyed("", item));
            match KEYED_LISTS.iter().find(|(listed, _)| *listed == name) {
                Some((_, fields)) => by_key(fields, list),
                None => list.collect(),
            }
        }
        scalar => scalar,
    }
}

fn by_key(fields: &[&str], list: impl Iterator<Item = Value>) -> Value {
    let mut map = Map::new();
    for item in list {
        let text = |field: &&str| match item.get(*field)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let key = fields.iter().filter_map(text).collect::<Vec<_>>().join(" ");
        let former = map.insert(key, item);
        assert!(former.is_none(), "twice under one key: {former:?}");
    }
    Value::Object(map)
}

/// The single rights that rules give: group, resource, verb.
fn rights(rules: &Value) -> Value {
    let texts = |rule: &Value, field: &str| -> Vec<String> {
        let list = rule[field].as_array().unwrap();
        list.iter()
            .map(|it| it.as_str().unwrap().to_owned())
            .collect()
    };
    let mut rights = json!({});
    for rule in rules.as_array().unwrap() {
        let fields: Vec<_> = rule
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            fields,
            ["apiGroups", "resources", "verbs"],
            "other kinds of rules"
        );
        for group in texts(rule, "apiGroups") {
            for resource in texts(rule, "resources") {
                for verb in texts(rule, "verbs") {
                    rights[format!("{resource}.{group}")][verb] = Value::Bool(true);
                }
            }
        }
    }
    rights
}

/// What a text holds when it is YAML (or JSON) of a map or a list; else the text.
fn structured(value: Value) -> Value {
    let text = value.as_str().unwrap();
    match serde_yaml::from_str::<Value>(text) {
        Ok(read @ (Value::Object(_) | Value::Array(_))) => read,
        _ => value,
    }
}
