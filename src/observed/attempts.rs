//! What a hook has tried to write so far, and what came of it.

use std::collections::BTreeMap;

use crate::cluster::error::FailureKind;
use crate::k8s::object::{Object, ObjectId};

/// How often one object is applied in one hook as long as it is wanted like that, before the charm
/// concludes that something else changes it.
const MOST_ATTEMPTS: u32 = 3;

/// What a hook has tried to write so far.
#[derive(Clone, Debug, Default)]
pub struct Attempts(BTreeMap<ObjectId, Attempt>);

/// What came of one object.
#[derive(Clone, Debug)]
struct Attempt {
    /// The object as it was wanted. Each phase of the switch may want another, so a hook that goes
    /// through several phases changes an object more than once.
    wanted: Object,
    /// How often it was applied like that.
    count: u32,
    /// The version at which applying changed nothing, whatever the plan says.
    unchanged_at: Option<String>,
    /// Why the cluster does not take it.
    refusal: Option<Refusal>,
}

/// A write that the cluster does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of refusal it is.
    pub kind: FailureKind,
    /// Operation, object and the cluster's words.
    pub text: String,
}

/// What another attempt promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Promise {
    /// It may succeed.
    Open,
    /// Something else changes the object as soon as it is applied.
    Contested,
    /// Applying changes nothing: something in the cluster sets the fields otherwise on the way.
    WithoutEffect,
    /// The cluster does not take the object.
    Refused(Refusal),
}

impl Attempts {
    /// What it promises to apply an object now.
    pub fn promise(&self, wanted: &Object, live: Option<&Object>) -> Promise {
        let attempt = self.0.get(wanted.id());
        let Some(attempt) = attempt.filter(|it| it.wanted == *wanted) else {
            return Promise::Open;
        };
        if let Some(refusal) = &attempt.refusal {
            return Promise::Refused(refusal.clone());
        }
        let version = live.and_then(Object::resource_version);
        if version.is_some() && attempt.unchanged_at.as_deref() == version {
            Promise::WithoutEffect
        } else if attempt.count >= MOST_ATTEMPTS {
            Promise::Contested
        } else {
            Promise::Open
        }
    }

    /// Notes that an object was applied: its version before and after.
    pub fn applied(&mut self, wanted: &Object, before: Option<&str>, after: Option<&str>) {
        let attempt = self.of(wanted);
        attempt.count += 1;
        attempt.unchanged_at = after.filter(|_| before == after).map(str::to_owned);
    }

    /// Notes that the cluster does not take an object.
    pub fn refused(&mut self, wanted: &Object, refusal: Refusal) {
        self.of(wanted).refusal = Some(refusal);
    }

    /// Whether anything was applied.
    pub fn has_applied(&self) -> bool {
        self.0.values().any(|attempt| attempt.count > 0)
    }

    fn of(&mut self, wanted: &Object) -> &mut Attempt {
        let new = || Attempt {
            wanted: wanted.clone(),
            count: 0,
            unchanged_at: None,
            refusal: None,
        };
        let attempt = self.0.entry(wanted.id().clone()).or_insert_with(new);
        if attempt.wanted != *wanted {
            *attempt = new();
        }
        attempt
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(data: &str, version: Option<&str>) -> Object {
        let mut value = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "values", "namespace": "mesh"},
            "data": {"merged-values": data},
        });
        if let Some(version) = version {
            value["metadata"]["resourceVersion"] = json!(version);
        }
        Object::from_value(value).unwrap()
    }

    #[test]
    fn an_object_that_applying_does_not_change_is_not_applied_again() {
        let wanted = config("on", None);
        let mut attempts = Attempts::default();
        let live = |version: &str| config("off", Some(version));
        assert_eq!(attempts.promise(&wanted, Some(&live("1"))), Promise::Open);
        assert!(!attempts.has_applied());
        attempts.applied(&wanted, Some("1"), Some("1"));
        assert!(attempts.has_applied());
        let unchanged = attempts.promise(&wanted, Some(&live("1")));
        assert_eq!(unchanged, Promise::WithoutEffect);
        let edited = attempts.promise(&wanted, Some(&live("2")));
        assert_eq!(edited, Promise::Open, "somebody changed it");
        assert_eq!(attempts.promise(&wanted, None), Promise::Open, "it went");
    }

    #[test]
    fn what_is_changed_back_three_times_is_contested() {
        let wanted = config("on", None);
        let mut attempts = Attempts::default();
        for version in ["2", "4", "6"] {
            let live = config("off", Some(version));
            assert_eq!(attempts.promise(&wanted, Some(&live)), Promise::Open);
            attempts.applied(&wanted, Some(version), Some("later"));
        }
        let live = config("off", Some("7"));
        assert_eq!(attempts.promise(&wanted, Some(&live)), Promise::Contested);
        assert_eq!(attempts.promise(&wanted, None), Promise::Contested);
    }

    #[test]
    fn a_hook_may_change_its_mind_as_often_as_the_switch_does() {
        let mut attempts = Attempts::default();
        for round in 0..10 {
            let wanted = config(if round % 2 == 0 { "on" } else { "off" }, None);
            assert_eq!(attempts.promise(&wanted, None), Promise::Open, "{round}");
            attempts.applied(&wanted, Some("1"), Some("2"));
        }
    }

    #[test]
    fn a_refusal_holds_for_what_was_refused() {
        let mut attempts = Attempts::default();
        let refusal = Refusal {
            kind: FailureKind::Denied("no".to_owned()),
            text: "applying ConfigMap mesh/values: no".to_owned(),
        };
        attempts.refused(&config("on", None), refusal.clone());
        assert!(!attempts.has_applied());
        let same = attempts.promise(&config("on", None), None);
        assert_eq!(same, Promise::Refused(refusal));
        let other = attempts.promise(&config("off", None), None);
        assert_eq!(other, Promise::Open);
    }
}
