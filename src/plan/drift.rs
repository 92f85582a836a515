//! How a live object differs from the wanted one.
//!
//! Only wanted fields count, and fields that this charm's field manager owns: what others add and
//! what the server sets by default is not drift. Ownership is read from `managedFields`, in the
//! form FieldsV1 (<https://kubernetes.io/docs/reference/using-api/server-side-apply/>).

use std::fmt;

use serde_json::{Map, Value};

use crate::k8s::kind::SECRET;
use crate::k8s::labels;
use crate::k8s::object::Object;
use crate::text::shorten;

/// How many characters of a value are shown.
const LONGEST_VALUE: usize = 80;

/// What is shown in place of a secret value.
const HIDDEN: &str = "(hidden)";

/// One field that applying would change. The values of a Secret are hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its path, as in `.spec.template.spec.containers[name=discovery].image`.
    pub path: String,
    /// The value in the cluster; `None` when the field does not exist.
    pub live: Option<Value>,
    /// The wanted value; `None` when the field has to be removed.
    pub wanted: Option<Value>,
}

impl Difference {
    /// Hides the values, except in fields that only describe the object.
    fn hide(&mut self) {
        let is_open = |path: &&str| self.path.starts_with(path);
        if [".metadata.labels", ".type"].iter().any(is_open) {
            return;
        }
        for value in [&mut self.live, &mut self.wanted].into_iter().flatten() {
            *value = Value::from(HIDDEN);
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| match value {
            None => "(none)".to_owned(),
            Some(value) if value == HIDDEN => HIDDEN.to_owned(),
            Some(value) => shorten(&value.to_string(), LONGEST_VALUE),
        };
        let (live, wanted) = (shown(&self.live), shown(&self.wanted));
        write!(formatter, "{}: {live} -> {wanted}", self.path)
    }
}

/// What applying `wanted` would change in `live`, as far as that is known without the server.
pub fn differences(wanted: &Object, live: &Object) -> Vec<Difference> {
    let owned = live.fields_of_this_charm();
    let mut comparison = Comparison { found: Vec::new() };
    let (Some(wanted_value), Some(live_value)) =
        (wanted.value().as_object(), live.value().as_object())
    else {
        return Vec::new();
    };
    comparison.maps(&mut Vec::new(), wanted_value, &owned, live_value);
    let mut found = comparison.found;
    // Some versions of Juju write their own name there, each time.
    let managed_by = format!(".metadata.labels[{}]", labels::MANAGED_BY);
    found.retain(|it| it.path != managed_by || it.live.is_none());
    if wanted.is(&SECRET) {
        found.iter_mut().for_each(Difference::hide);
    }
    found
}

type Path = Vec<String>;

struct Comparison {
    found: Vec<Difference>,
}

impl Comparison {
    fn report(&mut self, path: &[String], live: Option<&Value>, wanted: Option<&Value>) {
        let (live, wanted) = (live.cloned(), wanted.cloned());
        self.found.push(Difference {
            path: path.concat(),
            live,
            wanted,
        });
    }

    /// Compares one wanted field. `owned` is what this charm owns below it; `None` when it does not
    /// own the field.
    fn field(&mut self, path: &mut Path, wanted: &Value, owned: Option<&Value>, live: &Value) {
        let Some(Value::Object(owned)) = owned else {
            // The field is not ours yet, or no longer: applying takes it over.
            return match (wanted, live) {
                (Value::Object(wanted), Value::Object(live)) if !wanted.is_empty() => {
                    self.maps(path, wanted, &Map::new(), live);
                }
                _ => self.report(path, Some(live), Some(wanted)),
            };
        };
        let whole = owned.keys().all(|key| key == ".");
        match (wanted, live) {
            // An empty map owns nothing below it; the server may have filled in defaults.
            (Value::Object(wanted), Value::Object(_)) if wanted.is_empty() && whole => {}
            (Value::Object(wanted), Value::Object(live)) if !whole => {
                self.maps(path, wanted, owned, live);
            }
            (Value::Array(wanted), Value::Array(live)) if !whole => {
                self.lists(path, wanted, owned, live);
            }
            _ if equal(wanted, live) => {}
            _ => self.report(path, Some(live), Some(wanted)),
        }
    }

    fn maps(
        &mut self,
        path: &mut Path,
        wanted: &Map<String, Value>,
        owned: &Map<String, Value>,
        live: &Map<String, Value>,
    ) {
        for (key, wanted) in wanted.iter().filter(|(_, value)| !value.is_null()) {
            if is_identity(path, key) {
                continue;
            }
            path.push(segment(key));
            match live.get(key) {
                Some(live) => self.field(path, wanted, owned.get(&format!("f:{key}")), live),
                // The server omits empty text and empty lists.
                None if is_empty(wanted) => {}
                None => self.report(path, None, Some(wanted)),
            }
            path.pop();
        }
        for key in owned.keys().filter_map(|key| key.strip_prefix("f:")) {
            let unwanted = wanted.get(key).is_none_or(Value::is_null);
            if let (true, Some(live)) = (unwanted, live.get(key)) {
                path.push(segment(key));
                self.report(path, Some(live), None);
                path.pop();
            }
        }
    }

    fn lists(
        &mut self,
        path: &mut Path,
        wanted: &[Value],
        owned: &Map<String, Value>,
        live: &[Value],
    ) {
        let owned: Vec<(ItemKey, &Value)> = owned
            .iter()
            .filter_map(|(key, below)| Some((ItemKey::parse(key)?, below)))
            .collect();
        let mut taken = vec![false; owned.len()];
        let mut last_position = None;
        for wanted in wanted {
            let entry = owned.iter().position(|(key, _)| key.wants(wanted));
            let Some(entry) = entry else {
                path.push("[+]".to_owned());
                self.report(path, None, Some(wanted));
                path.pop();
                continue;
            };
            taken[entry] = true;
            let (key, below) = &owned[entry];
            path.push(key.to_string());
            match live.iter().position(|live| key.is_of(live)) {
                None => self.report(path, None, Some(wanted)),
                Some(position) => {
                    // The order of environment variables and containers has a meaning.
                    if last_position.is_some_and(|last| position < last) {
                        self.report(path, Some(&live[position]), Some(wanted));
                    }
                    last_position = Some(position);
                    // An item that is named by its whole value is equal.
                    if let (Value::Object(wanted), Value::Object(live), Value::Object(owned)) =
                        (wanted, &live[position], below)
                    {
                        self.maps(path, wanted, owned, live);
                    }
                }
            }
            path.pop();
        }
        for ((key, _), _) in owned.iter().zip(taken).filter(|(_, taken)| !taken) {
            if let Some(live) = live.iter().find(|live| key.is_of(live)) {
                path.push(key.to_string());
                self.report(path, Some(live), None);
                path.pop();
            }
        }
    }
}

/// Whether a field identifies the object: it is equal already, and never a managed field.
fn is_identity(path: &[String], key: &str) -> bool {
    match path {
        [] => matches!(key, "apiVersion" | "kind"),
        [only] if only == ".metadata" => matches!(key, "name" | "namespace"),
        _ => false,
    }
}

fn segment(key: &str) -> String {
    if key.contains(['.', '/']) {
        format!("[{key}]")
    } else {
        format!(".{key}")
    }
}

/// How a FieldsV1 set names one item of a list.
enum ItemKey {
    /// `k:{"name":"x"}`: by the values of some of its fields.
    Fields(Map<String, Value>),
    /// `v:"x"`: by its whole value.
    Value(Value),
}

impl ItemKey {
    fn parse(key: &str) -> Option<Self> {
        if let Some(fields) = key.strip_prefix("k:") {
            return serde_json::from_str(fields).ok().map(Self::Fields);
        }
        key.strip_prefix("v:")
            .and_then(|value| serde_json::from_str(value).ok())
            .map(Self::Value)
    }

    /// Whether this key names a live item.
    fn is_of(&self, item: &Value) -> bool {
        match self {
            Self::Fields(fields) => fields
                .iter()
                .all(|(key, value)| item.get(key) == Some(value)),
            Self::Value(value) => equal(item, value),
        }
    }

    /// Whether this key names a wanted item. Missing key fields get the server's default, as a
    /// port's protocol does.
    fn wants(&self, item: &Value) -> bool {
        match self {
            Self::Fields(fields) => {
                let named = fields.keys().any(|key| item.get(key).is_some());
                named
                    && fields
                        .iter()
                        .all(|(key, value)| item.get(key).is_none_or(|own| equal(own, value)))
            }
            Self::Value(value) => equal(item, value),
        }
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fields(fields) => {
                let named: Vec<_> = fields
                    .iter()
                    .map(|(key, value)| match value {
                        Value::String(text) => format!("{key}={text}"),
                        other => format!("{key}={other}"),
                    })
                    .collect();
                write!(formatter, "[{}]", named.join(","))
            }
            Self::Value(value) => write!(formatter, "[{value}]"),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Whether two values are equal where nobody owns parts of them: null and empty values count as
/// absent.
fn equal(wanted: &Value, live: &Value) -> bool {
    match (wanted, live) {
        (Value::Object(wanted), Value::Object(live)) => {
            // Each pair of values is compared once: twice on each level would be 2^depth for a
            // schema.
            let covered = wanted.iter().all(|(key, value)| match live.get(key) {
                Some(other) => equal(value, other),
                None => is_empty(value),
            });
            let more = |(key, value)| wanted.contains_key(key) || is_empty(value);
            covered && live.iter().all(more)
        }
        (Value::Array(wanted), Value::Array(live)) => {
            wanted.len() == live.len() && wanted.iter().zip(live).all(|(a, b)| equal(a, b))
        }
        (Value::Number(wanted), Value::Number(live)) => {
            wanted == live || wanted.as_f64() == live.as_f64()
        }
        _ => wanted == live,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_deep_value_is_compared_in_time() {
        let nested = |leaf: Value| (0..60).fold(leaf, |inner, _| json!({"properties": inner}));
        assert!(equal(&nested(json!(1)), &nested(json!(1))));
        assert!(!equal(&nested(json!(1)), &nested(json!(2))));
    }

    #[test]
    fn lists_and_numbers_are_equal_where_they_mean_the_same() {
        assert!(equal(&json!(1), &json!(1.0)));
        assert!(!equal(&json!(1), &json!(1.5)));
        assert!(equal(&json!([{"a": 1, "b": []}]), &json!([{"a": 1.0}])));
        assert!(!equal(&json!([1, 2]), &json!([2, 1])));
        assert!(!equal(&json!([1]), &json!([1, 2])));
    }

    #[test]
    fn what_is_empty_counts_as_absent_on_either_side() {
        let (some, none) = (json!({"a": [], "b": 1}), json!({"b": 1, "c": null}));
        assert!(equal(&some, &none));
        assert!(equal(&none, &some));
        assert!(!equal(&some, &json!({"b": 1, "c": 2})));
        assert!(!equal(&json!({"b": 1, "c": 2}), &some));
    }

    /// The paths that differ between `spec`s, of which this charm owns that much.
    fn differing(wanted: &Value, live: &Value, owned: &Value) -> String {
        let object = |spec: &Value| {
            Object::from_value(json!({
                "apiVersion": "v1", "kind": "Pod", "spec": spec, "roleRef": spec,
                "metadata": {"name": "a", "managedFields": [{
                    "manager": "istio-pilot", "operation": "Apply",
                    "fieldsV1": {"f:spec": owned, "f:roleRef": {"f:name": {}}},
                }]},
            }))
            .unwrap()
        };
        let found = differences(&object(wanted), &object(live));
        let paths = found.iter().map(|it| it.path.as_str());
        let paths = paths.filter(|it| it.starts_with(".spec") || *it == ".roleRef.name");
        paths.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_empty_map_is_taken_over_once_and_then_what_the_server_fills_in_is_left() {
        let (empty, filled) = (json!({"a": {}}), json!({"a": {"size": 1}}));
        let not_owned = json!({"f:other": {}});
        assert_eq!(differing(&empty, &filled, &not_owned), ".spec.a");
        assert_eq!(differing(&empty, &filled, &json!({"f:a": {}})), "");
        let owned = json!({"f:a": {"f:size": {}}});
        assert_eq!(differing(&empty, &filled, &owned), ".spec.a.size");
    }

    #[test]
    fn a_map_that_is_owned_as_a_whole_is_compared_as_a_whole() {
        let owned = json!({"f:a": {}});
        let (wanted, live) = (json!({"a": {"k": 1}}), json!({"a": {"k": 2}}));
        assert_eq!(differing(&wanted, &live, &owned), ".spec.a");
        assert_eq!(differing(&wanted, &wanted, &owned), "");
    }

    #[test]
    fn what_is_empty_and_not_there_is_no_difference() {
        let wanted = json!({"text": "", "list": [], "set": ["x"]});
        let owned = json!({"f:text": {}, "f:list": {}, "f:set": {"v:\"x\"": {}}});
        assert_eq!(differing(&wanted, &json!({"set": ["x"]}), &owned), "");
        let other = json!({"set": ["y"]});
        assert_eq!(differing(&wanted, &other, &owned), ".spec.set[\"x\"]");
    }

    #[test]
    fn a_name_identifies_the_object_in_its_metadata_only() {
        let (wanted, live) = (json!({"name": "a"}), json!({"name": "b"}));
        let owned = json!({"f:name": {}});
        let found = differing(&wanted, &live, &owned);
        assert_eq!(found, ".roleRef.name .spec.name");
    }
}
