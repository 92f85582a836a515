//! What is read of an object that keeps pods, or keeps what keeps them.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde::Deserialize;

use crate::k8s::kind::Kind;
use crate::k8s::object::ObjectId;

/// A controller that keeps a pod, or keeps another controller.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Controller {
    /// API group; empty for the core group.
    pub group: String,
    /// Kind, as in `ReplicaSet`.
    pub kind: String,
    /// Name.
    pub name: String,
}

impl Controller {
    /// The controller among an object's owners.
    pub fn among<'a>(owners: impl IntoIterator<Item = &'a OwnerReference>) -> Option<Self> {
        let owner = owners.into_iter().find(|it| it.controller == Some(true))?;
        let group = owner
            .api_version
            .split_once('/')
            .map_or("", |(group, _)| group);
        Some(Self {
            group: group.to_owned(),
            kind: owner.kind.clone(),
            name: owner.name.clone(),
        })
    }

    pub(super) fn is(&self, kind: &Kind) -> bool {
        self.group == kind.group && self.kind == kind.kind
    }

    pub(super) fn in_namespace(self, namespace: &str) -> ObjectId {
        ObjectId {
            group: self.group,
            kind: self.kind,
            namespace: Some(namespace.to_owned()),
            name: self.name,
        }
    }
}

impl fmt::Display for Controller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind, self.name)
    }
}

/// A live workload, without the template of its pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeper {
    /// Its identity.
    pub id: ObjectId,
    /// What keeps it itself.
    pub owner: Option<Controller>,
    /// How it is rolled out; of a kind without rollouts nothing.
    pub rollout: Rollout,
}

/// What is read of an object: `metadata` alone is enough for kinds that have no rollouts.
#[derive(Debug, Deserialize)]
pub struct Read {
    metadata: Metadata,
    #[serde(default)]
    spec: Rollout,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(default)]
    namespace: String,
    owner_references: Option<Vec<OwnerReference>>,
}

/// What a specification says about how its pods are replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rollout {
    /// Whether a person has paused it.
    pub paused: bool,
    /// In which order the pods of a StatefulSet are made, such as `Parallel`.
    pub pod_management_policy: Option<String>,
    /// When pods are replaced.
    pub update_strategy: Option<Strategy>,
}

/// When pods are replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Strategy {
    /// Such as `OnDelete`.
    pub r#type: Option<String>,
    /// Which of them.
    pub rolling_update: Option<RollingUpdate>,
}

/// Which pods are replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RollingUpdate {
    /// The first pod that is, of a StatefulSet.
    pub partition: Option<i64>,
}

impl Keeper {
    /// The object of that kind of which this was read.
    pub fn new(kind: &Kind, read: Read) -> Self {
        let Read { metadata, spec } = read;
        Self {
            id: ObjectId::new(kind, &metadata.namespace, &metadata.name),
            owner: Controller::among(metadata.owner_references.iter().flatten()),
            rollout: spec,
        }
    }
}

impl Rollout {
    /// Whether pods are only replaced when somebody deletes them.
    pub fn is_on_delete(&self) -> bool {
        let strategy = self.update_strategy.as_ref();
        strategy.is_some_and(|it| it.r#type.as_deref() == Some("OnDelete"))
    }

    /// Whether some pods are kept back.
    pub fn keeps_pods_back(&self) -> bool {
        let strategy = self.update_strategy.as_ref();
        let rolling = strategy.and_then(|it| it.rolling_update.as_ref());
        rolling.is_some_and(|it| it.partition.is_some_and(|it| it > 0))
    }
}
