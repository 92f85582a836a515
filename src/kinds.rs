//! The kinds of objects that a control plane is made of, and how the API serves them.

/// When in a reconcile the objects of a kind are applied. Deletion goes the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wave {
    /// Definitions, which must be established before their custom resources.
    Definitions,
    /// Accounts, rights, configuration and Services: what workloads need when they start.
    Foundations,
    /// Deployments and DaemonSets with their scaling.
    Workloads,
    /// Webhook configurations, after the istiod that they call.
    Webhooks,
}

/// One kind as the API serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// The version that this charm writes.
    pub version: &'static str,
    /// Kind, as in `Deployment`.
    pub kind: &'static str,
    /// Name in request paths, as in `deployments`.
    pub plural: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// When its objects are applied.
    pub wave: Wave,
}

impl Kind {
    /// The `apiVersion` of its objects.
    pub fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }
}

const fn kind(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
    wave: Wave,
) -> Kind {
    Kind {
        group,
        version,
        kind,
        plural,
        namespaced,
        wave,
    }
}

/// A kind of version `v1` whose objects keep pods.
const fn workload(group: &'static str, name: &'static str, plural: &'static str) -> Kind {
    kind(group, "v1", name, plural, true, Wave::Workloads)
}

/// Deployments.
pub const DEPLOYMENT: Kind = workload("apps", "Deployment", "deployments");
/// DaemonSets.
pub const DAEMON_SET: Kind = workload("apps", "DaemonSet", "daemonsets");

/// Every kind that any version of this charm has written, in the order of applying.
///
/// Pruning looks at all of them, so a kind that is no longer rendered stays in the table.
pub const KINDS: [Kind; 14] = {
    use Wave::{Definitions, Foundations, Webhooks, Workloads};
    const RBAC: &str = "rbac.authorization.k8s.io";
    const ADMISSION: &str = "admissionregistration.k8s.io";
    [
        kind(
            "apiextensions.k8s.io",
            "v1",
            "CustomResourceDefinition",
            "customresourcedefinitions",
            false,
            Definitions,
        ),
        kind(
            "",
            "v1",
            "ServiceAccount",
            "serviceaccounts",
            true,
            Foundations,
        ),
        kind(
            RBAC,
            "v1",
            "ClusterRole",
            "clusterroles",
            false,
            Foundations,
        ),
        kind(RBAC, "v1", "Role", "roles", true, Foundations),
        kind(
            RBAC,
            "v1",
            "ClusterRoleBinding",
            "clusterrolebindings",
            false,
            Foundations,
        ),
        kind(RBAC, "v1", "RoleBinding", "rolebindings", true, Foundations),
        kind("", "v1", "ConfigMap", "configmaps", true, Foundations),
        kind("", "v1", "Service", "services", true, Foundations),
        DEPLOYMENT,
        DAEMON_SET,
        kind(
            "autoscaling",
            "v2",
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
            true,
            Workloads,
        ),
        kind(
            "policy",
            "v1",
            "PodDisruptionBudget",
            "poddisruptionbudgets",
            true,
            Workloads,
        ),
        kind(
            ADMISSION,
            "v1",
            "MutatingWebhookConfiguration",
            "mutatingwebhookconfigurations",
            false,
            Webhooks,
        ),
        kind(
            ADMISSION,
            "v1",
            "ValidatingWebhookConfiguration",
            "validatingwebhookconfigurations",
            false,
            Webhooks,
        ),
    ]
};

/// The kind of that group and name; `None` when this charm never writes it.
pub fn find(group: &str, kind: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|it| it.group == group && it.kind == kind)
}

/// StatefulSets, which this charm restarts at a user's request and never writes otherwise.
pub const STATEFUL_SET: Kind = workload("apps", "StatefulSet", "statefulsets");
/// ReplicaSets, which this charm reads and never writes.
pub const REPLICA_SET: Kind = workload("apps", "ReplicaSet", "replicasets");
/// Jobs, which this charm reads and never writes.
pub const JOB: Kind = workload("batch", "Job", "jobs");
/// CronJobs, which this charm names and never writes.
pub const CRON_JOB: Kind = workload("batch", "CronJob", "cronjobs");
/// Pods, which this charm reads and never writes.
pub const POD: Kind = kind("", "v1", "Pod", "pods", true, Wave::Workloads);
/// Nodes, which this charm reads and never writes.
pub const NODE: Kind = kind("", "v1", "Node", "nodes", false, Wave::Foundations);
/// Events, which this charm reads and never writes.
pub const EVENT: Kind = kind("", "v1", "Event", "events", true, Wave::Foundations);
/// Namespaces, which this charm reads and never writes.
pub const NAMESPACE: Kind = kind(
    "",
    "v1",
    "Namespace",
    "namespaces",
    false,
    Wave::Foundations,
);
