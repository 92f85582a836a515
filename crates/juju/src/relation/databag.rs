//! Databags: what one side shares in a relation.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// The data of one unit or application in one relation.
///
/// Both keys and values are text; an interface defines what they mean. An empty value counts as
/// absent.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Databag(BTreeMap<String, String>);

/// What to change in a databag: new values, and keys to remove (`None`).
pub type DatabagChanges = BTreeMap<String, Option<String>>;

impl Databag {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// All keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(String::is_empty)
    }

    /// The changes that make these keys hold these values; other keys stay as they are.
    ///
    /// Empty when they already do, so that a charm writes only what differs.
    pub fn changes_to(&self, wanted: &DatabagChanges) -> DatabagChanges {
        let differs = |(key, value): &(&String, &Option<String>)| {
            self.get(key) != value.as_deref().filter(|value| !value.is_empty())
        };
        let changes = wanted.iter().filter(differs);
        changes
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

impl fmt::Debug for Databag {
    /// A value may hold a credential, so only its length is shown, in bytes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths = self.iter().map(|(key, value)| (key, value.len()));
        formatter.debug_map().entries(lengths).finish()
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Databag {
    fn from(values: [(&str, &str); N]) -> Self {
        let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        values.into_iter().map(own).collect()
    }
}

impl FromIterator<(String, String)> for Databag {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(values: T) -> Self {
        Self(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(pairs: &[(&str, Option<&str>)]) -> DatabagChanges {
        let own =
            |(key, value): &(&str, Option<&str>)| ((*key).to_owned(), value.map(str::to_owned));
        pairs.iter().map(own).collect()
    }

    #[test]
    fn only_what_differs_is_a_change() {
        let data: Databag = serde_json::from_str(r#"{"a":"1","b":"2","empty":""}"#).unwrap();
        let wanted = changes(&[
            ("a", Some("1")),
            ("b", Some("3")),
            ("c", Some("4")),
            ("empty", None),
            ("absent", None),
            ("absent-too", Some("")),
        ]);
        assert_eq!(
            data.changes_to(&wanted),
            changes(&[("b", Some("3")), ("c", Some("4"))])
        );
        let removal = changes(&[("a", None)]);
        assert_eq!(data.changes_to(&removal), removal);
    }

    #[test]
    fn values_do_not_show_when_a_databag_is_printed() {
        let data = Databag::from([("password", "hunter2"), ("user", "")]);
        assert_eq!(format!("{data:?}"), r#"{"password": 7, "user": 0}"#);
    }
}
