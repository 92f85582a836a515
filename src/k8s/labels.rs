//! The labels that every object of this charm carries, and what they say.

use crate::istio::ISTIO_VERSION;
use crate::k8s::kind::CUSTOM_RESOURCE_DEFINITION;
use crate::k8s::object::Object;
use crate::text::sha256;

/// Says which application's object it is; see [`instance`].
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// Says which program keeps the object.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// What [`MANAGED_BY`] says on objects of this charm.
pub const MANAGED_BY_VALUE: &str = "istio-pilot";
/// Says which Istio version the object belongs to: [`ISTIO_VERSION`].
pub const VERSION: &str = "app.kubernetes.io/version";
/// Says which larger thing the object is part of.
pub const PART_OF: &str = "app.kubernetes.io/part-of";
/// What [`PART_OF`] says on objects of this charm.
pub const PART_OF_VALUE: &str = "istio";

/// Keeps Juju's admission webhook from an object: what that labels, `juju destroy-model` deletes
/// (`LabelJujuModelOperatorDisableWebhook` in `internal/provider/kubernetes/constants`, Juju 4.0).
pub const DISABLE_WEBHOOK: &str = "model.juju.is/disable-webhook";

/// The labels that Juju's admission webhook puts on what an application writes.
pub const OF_JUJU: [&str; 3] = [
    "app.juju.is/created-by",
    "model.juju.is/id",
    "model.juju.is/name",
];

/// The longest value that a label may have, in bytes.
///
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>
const LONGEST_VALUE: usize = 63;

/// How many hexadecimal digits of a hash stand for what was cut off.
const HASH_DIGITS: usize = 8;

/// The value of [`INSTANCE`] for an application in a model: both [`joined`].
pub fn instance(application: &str, model: &str) -> String {
    joined(application, model)
}

/// Two names with a hyphen between them, at most 63 bytes long, as labels are.
///
/// What is longer is cut, and ends in 8 digits of a hash of the whole.
pub fn joined(first: &str, second: &str) -> String {
    let whole = format!("{first}-{second}");
    if whole.len() <= LONGEST_VALUE {
        return whole;
    }
    let hash = &sha256(&whole)[..HASH_DIGITS];
    let mut end = LONGEST_VALUE - HASH_DIGITS - 1;
    while !whole.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}-{hash}", &whole[..end])
}

/// Labels an object as kept by this application. Pod templates inside it stay as they are.
///
/// Definitions get no instance: they serve every control plane of the cluster.
pub fn stamp(object: &mut Object, instance: &str) {
    stamp_shared(object);
    if !object.is(&CUSTOM_RESOURCE_DEFINITION) {
        object.set_label(INSTANCE, instance);
    }
}

/// Puts the labels on an object that are the same for every application.
pub fn stamp_shared(object: &mut Object) {
    object.set_label(MANAGED_BY, MANAGED_BY_VALUE);
    object.set_label(PART_OF, PART_OF_VALUE);
    object.set_label(VERSION, ISTIO_VERSION);
    if object.is(&CUSTOM_RESOURCE_DEFINITION) {
        // It belongs to everybody in the cluster, and stays when the model goes.
        object.set_label(DISABLE_WEBHOOK, "true");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_instance_that_fits_stands_whole() {
        assert_eq!(instance("istio-pilot", "kubeflow"), "istio-pilot-kubeflow");
        let model = "m".repeat(63 - "pilot-".len());
        assert_eq!(instance("pilot", &model), format!("pilot-{model}"));
    }

    #[test]
    fn a_longer_one_is_cut_and_distinguished_by_its_hash() {
        let model = "m".repeat(63);
        let instances = [instance("pilot-a", &model), instance("pilot-b", &model)];
        // First digits of what sha256sum prints for the two whole values.
        assert!(instances[0].ends_with(HASHES[0]), "{instances:?}");
        assert!(instances[1].ends_with(HASHES[1]), "{instances:?}");
        assert!(
            instances
                .iter()
                .all(|instance| instance.len() == 63 && instance.starts_with("pilot-"))
        );
    }

    const HASHES: [&str; 2] = ["-c4ffe612", "-122430ea"];

    proptest! {
        #[test]
        fn every_instance_is_a_valid_label_value(
            application in "[a-z]([a-z0-9-]{0,60}[a-z0-9])?",
            model in "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
        ) {
            let instance = instance(&application, &model);
            prop_assert!(instance.len() <= 63);
            prop_assert!(instance.starts_with(|first: char| first.is_ascii_alphanumeric()));
            prop_assert!(instance.ends_with(|last: char| last.is_ascii_alphanumeric()));
        }
    }
}
