//! The kinds of objects that this charm works with, and how the API serves them.
//!
//! A row of [`KINDS`] is all that a kind needs to be applied, read, compared and pruned.

use crate::istio::names;

/// When in a reconcile the objects of a kind are applied. They are deleted in reverse order.
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
    /// What every request through the gateway has to pass, before the gateway is opened.
    Filters,
    /// The rest of Istio's own objects, after the webhook that checks them.
    Resources,
}

impl Wave {
    /// Whether its objects are made for relations, and not for the control plane.
    pub fn is_of_relations(self) -> bool {
        self >= Self::Filters
    }
}

/// Which objects of a kind a reconcile reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// The objects labelled as this application's.
    OfApplication,
    /// The objects that this charm manages, whichever application they belong to.
    OfCharm,
    /// The objects of the whole cluster that this label selector matches, whoever owns them.
    Everywhere(&'static str),
}

/// One kind as the API serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// The version that this charm reads and writes.
    pub version: &'static str,
    /// Kind, as in `Deployment`.
    pub kind: &'static str,
    /// Name in request paths, as in `deployments`.
    pub plural: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// When its objects are applied, and which are read; `None` for a kind that is never applied.
    pub managed: Option<Managed>,
}

/// How a reconcile deals with the objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Managed {
    /// When they are applied.
    pub wave: Wave,
    /// Which of them are read.
    pub read: Read,
}

impl Kind {
    /// The `apiVersion` of its objects.
    pub fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// A kind whose objects live in namespaces.
    const fn namespaced(
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        plural: &'static str,
    ) -> Self {
        Self {
            group,
            version,
            kind,
            plural,
            namespaced: true,
            managed: None,
        }
    }

    /// A kind whose objects belong to the whole cluster.
    const fn cluster_scoped(
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        plural: &'static str,
    ) -> Self {
        Self {
            namespaced: false,
            ..Self::namespaced(group, version, kind, plural)
        }
    }

    /// The same kind, applied in `wave`; the application's own objects are read.
    const fn applied_in(self, wave: Wave) -> Self {
        Self {
            managed: Some(Managed {
                wave,
                read: Read::OfApplication,
            }),
            ..self
        }
    }

    /// The same managed kind; the objects that `read` names are read.
    const fn reading(self, read: Read) -> Self {
        match self.managed {
            Some(Managed { wave, .. }) => Self {
                managed: Some(Managed { wave, read }),
                ..self
            },
            None => self,
        }
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// Definitions of custom resources.
pub const CUSTOM_RESOURCE_DEFINITION: Kind = Kind::cluster_scoped(
    "apiextensions.k8s.io",
    "v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
)
.applied_in(Wave::Definitions)
.reading(Read::OfCharm);
/// Accounts of pods.
pub const SERVICE_ACCOUNT: Kind =
    Kind::namespaced("", "v1", "ServiceAccount", "serviceaccounts").applied_in(Wave::Foundations);
/// Rights in the whole cluster.
pub const CLUSTER_ROLE: Kind =
    Kind::cluster_scoped(RBAC, "v1", "ClusterRole", "clusterroles").applied_in(Wave::Foundations);
/// Rights in a namespace.
pub const ROLE: Kind = Kind::namespaced(RBAC, "v1", "Role", "roles").applied_in(Wave::Foundations);
/// Who has the rights of a ClusterRole.
pub const CLUSTER_ROLE_BINDING: Kind =
    Kind::cluster_scoped(RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings")
        .applied_in(Wave::Foundations);
/// Who has the rights of a Role.
pub const ROLE_BINDING: Kind =
    Kind::namespaced(RBAC, "v1", "RoleBinding", "rolebindings").applied_in(Wave::Foundations);
/// Configuration.
pub const CONFIG_MAP: Kind =
    Kind::namespaced("", "v1", "ConfigMap", "configmaps").applied_in(Wave::Foundations);
/// Secrets. Their values are never shown.
pub const SECRET: Kind =
    Kind::namespaced("", "v1", "Secret", "secrets").applied_in(Wave::Foundations);
/// Services.
pub const SERVICE: Kind =
    Kind::namespaced("", "v1", "Service", "services").applied_in(Wave::Foundations);
/// Deployments. The Deployment of every istiod is read, to see other control planes.
pub const DEPLOYMENT: Kind = Kind::namespaced("apps", "v1", "Deployment", "deployments")
    .applied_in(Wave::Workloads)
    .reading(Read::Everywhere("app=istiod"));
/// DaemonSets. The DaemonSet of every CNI node agent is read, to see other installations.
pub const DAEMON_SET: Kind = Kind::namespaced("apps", "v1", "DaemonSet", "daemonsets")
    .applied_in(Wave::Workloads)
    .reading(Read::Everywhere(names::NODE_AGENT_LABEL));
/// What scales a workload.
pub const HORIZONTAL_POD_AUTOSCALER: Kind = Kind::namespaced(
    "autoscaling",
    "v2",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
)
.applied_in(Wave::Workloads);
/// How many pods of a workload may be evicted.
pub const POD_DISRUPTION_BUDGET: Kind = Kind::namespaced(
    "policy",
    "v1",
    "PodDisruptionBudget",
    "poddisruptionbudgets",
)
.applied_in(Wave::Workloads);
/// Webhooks that change objects. Every sidecar injector is read, to see other control planes.
pub const MUTATING_WEBHOOK: Kind = Kind::cluster_scoped(
    ADMISSION,
    "v1",
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
)
.applied_in(Wave::Webhooks)
.reading(Read::Everywhere("app=sidecar-injector"));
/// Webhooks that check objects. Every validator of an istiod is read, to see other control planes.
pub const VALIDATING_WEBHOOK: Kind = Kind::cluster_scoped(
    ADMISSION,
    "v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
)
.applied_in(Wave::Webhooks)
.reading(Read::Everywhere("app=istiod"));
/// Istio's Gateways.
pub const GATEWAY: Kind = Kind::namespaced("networking.istio.io", "v1", "Gateway", "gateways")
    .applied_in(Wave::Resources);

/// Istio's `VirtualService`s.
pub const VIRTUAL_SERVICE: Kind = Kind::namespaced(
    "networking.istio.io",
    "v1",
    "VirtualService",
    "virtualservices",
)
.applied_in(Wave::Resources);
/// Istio's `ServiceEntry`s: services that Kubernetes does not know.
pub const SERVICE_ENTRY: Kind = Kind::namespaced(
    "networking.istio.io",
    "v1",
    "ServiceEntry",
    "serviceentries",
)
.applied_in(Wave::Resources);

/// Istio's `Telemetry`s.
pub const TELEMETRY: Kind =
    Kind::namespaced("telemetry.istio.io", "v1", "Telemetry", "telemetries")
        .applied_in(Wave::Resources);

/// Istio's `EnvoyFilter`s, which have no later version.
pub const ENVOY_FILTER: Kind = Kind::namespaced(
    "networking.istio.io",
    "v1alpha3",
    "EnvoyFilter",
    "envoyfilters",
)
.applied_in(Wave::Filters);

/// Istio's `RequestAuthentication`s: a route to an application comes after what checks its tokens.
pub const REQUEST_AUTHENTICATION: Kind = Kind::namespaced(
    "security.istio.io",
    "v1",
    "RequestAuthentication",
    "requestauthentications",
)
.applied_in(Wave::Filters);

/// Every kind that any version of this charm has applied, in the order of application.
///
/// Pruning goes through all of them, so a kind that is no longer rendered stays in the table.
pub const KINDS: [Kind; 21] = [
    CUSTOM_RESOURCE_DEFINITION,
    SERVICE_ACCOUNT,
    CLUSTER_ROLE,
    ROLE,
    CLUSTER_ROLE_BINDING,
    ROLE_BINDING,
    CONFIG_MAP,
    SECRET,
    SERVICE,
    DEPLOYMENT,
    DAEMON_SET,
    HORIZONTAL_POD_AUTOSCALER,
    POD_DISRUPTION_BUDGET,
    MUTATING_WEBHOOK,
    VALIDATING_WEBHOOK,
    ENVOY_FILTER,
    REQUEST_AUTHENTICATION,
    GATEWAY,
    VIRTUAL_SERVICE,
    SERVICE_ENTRY,
    TELEMETRY,
];

/// The kind with this group and name; `None` when this charm never applies it.
pub fn find(group: &str, kind: &str) -> Option<&'static Kind> {
    KINDS
        .iter()
        .find(|known| known.group == group && known.kind == kind)
}

/// StatefulSets, which this charm restarts at a user's request and never applies.
pub const STATEFUL_SET: Kind = Kind::namespaced("apps", "v1", "StatefulSet", "statefulsets");
/// ReplicaSets.
pub const REPLICA_SET: Kind = Kind::namespaced("apps", "v1", "ReplicaSet", "replicasets");
/// Jobs.
pub const JOB: Kind = Kind::namespaced("batch", "v1", "Job", "jobs");
/// CronJobs, which this charm names but never reads.
pub const CRON_JOB: Kind = Kind::namespaced("batch", "v1", "CronJob", "cronjobs");
/// Pods.
pub const POD: Kind = Kind::namespaced("", "v1", "Pod", "pods");
/// Nodes.
pub const NODE: Kind = Kind::cluster_scoped("", "v1", "Node", "nodes");
/// Events.
pub const EVENT: Kind = Kind::namespaced("", "v1", "Event", "events");
/// Namespaces.
pub const NAMESPACE: Kind = Kind::cluster_scoped("", "v1", "Namespace", "namespaces");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_each_kind_once_in_the_order_of_applying() {
        let waves: Vec<_> = KINDS
            .iter()
            .filter_map(|kind| Some(kind.managed?.wave))
            .collect();
        assert_eq!(
            waves.len(),
            KINDS.len(),
            "every kind of the table is applied"
        );
        assert!(waves.is_sorted());
        for kind in &KINDS {
            assert_eq!(find(kind.group, kind.kind), Some(kind));
        }
    }
}
