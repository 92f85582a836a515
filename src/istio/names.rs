//! The names of the objects of one control plane.
//!
//! They are the names that `istioctl` 1.31 gives: its installations are adopted, and its tools find
//! what they look for. Cluster-scoped names end in the namespace, so that one cluster has room for
//! several control planes. There are two exceptions: the injecting webhook has no such ending in
//! the namespace `istio-system`, and the node agent's names never have one, as a cluster can have
//! only one node agent.

use serde::Serialize;

/// The namespace in which Istio's own guides install; `istioctl` shortens a name there.
const USUAL_NAMESPACE: &str = "istio-system";

/// Deployment, Service, account, Role, RoleBinding and autoscaler of istiod.
pub const ISTIOD: &str = "istiod";
/// The ConfigMap with the mesh configuration.
pub const MESH_CONFIG: &str = "istio";
/// The ConfigMap with what istiod injects.
pub const INJECTOR_CONFIG: &str = "istio-sidecar-injector";
/// The ConfigMap with the authorities that istiod trusts when it asks for keys of tokens, in the file
/// `extra.pem`.
pub const KEY_AUTHORITIES: &str = "pilot-jwks-extra-cacerts";
/// The ConfigMap that shows the settings of the installation.
pub const VALUES: &str = "values";
/// The account with which istiods of other clusters read this one.
pub const READER_ACCOUNT: &str = "istio-reader-service-account";
/// The DaemonSet of the node agent.
pub const NODE_AGENT: &str = "istio-cni-node";
/// The label, as a selector, of every node agent's DaemonSet and pods, whoever installed them.
pub const NODE_AGENT_LABEL: &str = "k8s-app=istio-cni-node";

/// The ConfigMap with the node agent's environment.
pub const NODE_AGENT_CONFIG: &str = "istio-cni-config";
/// The node agent's account, and the role and binding that give it its rights.
pub const NODE_AGENT_ACCOUNT: &str = "istio-cni";
/// The role that lets the node agent repair pods.
pub const NODE_AGENT_REPAIR_ROLE: &str = "istio-cni-repair-role";
/// The binding of [`NODE_AGENT_REPAIR_ROLE`].
pub const NODE_AGENT_REPAIR_BINDING: &str = "istio-cni-repair-rolebinding";

/// All names of one control plane, those that depend on its namespace and those that do not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Names {
    /// [`ISTIOD`].
    pub istiod: &'static str,
    /// [`MESH_CONFIG`].
    pub mesh_config: &'static str,
    /// [`INJECTOR_CONFIG`].
    pub injector_config: &'static str,
    /// [`KEY_AUTHORITIES`].
    pub key_authorities: &'static str,
    /// [`VALUES`].
    pub values: &'static str,
    /// ClusterRole and binding of istiod.
    pub istiod_cluster_role: String,
    /// ClusterRole and binding that let istiod create what a Gateway needs.
    pub gateway_controller_cluster_role: String,
    /// [`READER_ACCOUNT`].
    pub reader_account: &'static str,
    /// ClusterRole and binding of the reader account.
    pub reader_cluster_role: String,
    /// The webhook configuration that injects.
    pub mutating_webhook: String,
    /// The webhook configuration that validates Istio's resources.
    pub validating_webhook: String,
    /// [`NODE_AGENT`].
    pub node_agent: &'static str,
    /// [`NODE_AGENT_CONFIG`].
    pub node_agent_config: &'static str,
    /// [`NODE_AGENT_ACCOUNT`].
    pub node_agent_account: &'static str,
    /// [`NODE_AGENT_REPAIR_ROLE`].
    pub node_agent_repair_role: &'static str,
    /// [`NODE_AGENT_REPAIR_BINDING`].
    pub node_agent_repair_binding: &'static str,
}

impl Names {
    /// The names of the control plane in a namespace.
    pub fn new(namespace: &str) -> Self {
        Self {
            istiod: ISTIOD,
            mesh_config: MESH_CONFIG,
            injector_config: INJECTOR_CONFIG,
            key_authorities: KEY_AUTHORITIES,
            values: VALUES,
            istiod_cluster_role: format!("istiod-clusterrole-{namespace}"),
            gateway_controller_cluster_role: format!("istiod-gateway-controller-{namespace}"),
            reader_account: READER_ACCOUNT,
            reader_cluster_role: format!("istio-reader-clusterrole-{namespace}"),
            mutating_webhook: mutating_webhook(namespace),
            validating_webhook: format!("istio-validator-{namespace}"),
            node_agent: NODE_AGENT,
            node_agent_config: NODE_AGENT_CONFIG,
            node_agent_account: NODE_AGENT_ACCOUNT,
            node_agent_repair_role: NODE_AGENT_REPAIR_ROLE,
            node_agent_repair_binding: NODE_AGENT_REPAIR_BINDING,
        }
    }

    /// Whether the control plane has an object of that name that belongs to the whole cluster.
    pub fn has_cluster_scoped(&self, name: &str) -> bool {
        self.cluster_roles().contains(&name)
            || [&self.mutating_webhook, &self.validating_webhook].contains(&&name.to_owned())
    }

    /// Whether the control plane has an object of that name in its own namespace.
    pub fn has_namespaced(&self, name: &str) -> bool {
        self.of_accounts_and_services().contains(&name)
            || self.config_maps().contains(&name)
            || name == self.node_agent
    }

    /// The names of `ConfigMap`s.
    pub fn config_maps(&self) -> [&str; 4] {
        [
            self.mesh_config,
            self.injector_config,
            self.values,
            self.node_agent_config,
        ]
    }

    /// The names of Services, accounts, Roles and their bindings.
    pub fn of_accounts_and_services(&self) -> [&str; 3] {
        [self.istiod, self.reader_account, self.node_agent_account]
    }

    /// The names of cluster roles and their bindings.
    pub fn cluster_roles(&self) -> [&str; 6] {
        [
            &self.istiod_cluster_role,
            &self.gateway_controller_cluster_role,
            &self.reader_cluster_role,
            self.node_agent_account,
            self.node_agent_repair_role,
            self.node_agent_repair_binding,
        ]
    }
}

/// The name of the webhook configuration that injects, of the control plane in a namespace.
pub fn mutating_webhook(namespace: &str) -> String {
    if namespace == USUAL_NAMESPACE {
        return "istio-sidecar-injector".to_owned();
    }
    format!("istio-sidecar-injector-{namespace}")
}

/// The EnvoyFilter of an application that has every request checked.
pub fn authorization_filter(application: &str) -> String {
    format!("{application}-authn-filter")
}

/// The service account of a gateway's pods. The charm istio-gateway derives it from the name that its
/// Deployment and its Service have.
pub fn gateway_account(service: &str) -> String {
    format!("{service}-service-account")
}

/// The `RequestAuthentication` of an application that asks another one, `at`, to have tokens checked.
pub fn request_authentication(application: &str, at: &str) -> String {
    format!("request-auth-{application}-{at}")
}

/// How the mesh calls what collects spans, among its extension providers.
pub const TRACING_PROVIDER: &str = "workload-tracing";

/// The `Telemetry` that has an application's mesh send spans, and the `ServiceEntry` of what collects
/// them.
pub fn tracing(application: &str) -> String {
    format!("{application}-workload-tracing")
}

/// How the mesh calls what collects spans where that has an address only.
pub fn span_collector(application: &str, namespace: &str) -> String {
    format!("spans.{application}.{namespace}.internal")
}

/// How the mesh calls a Service.
pub fn service_host(service: &str, namespace: &str) -> String {
    format!("{service}.{namespace}.svc.cluster.local")
}

/// The Secret with the certificate of a Gateway.
pub fn gateway_secret(gateway: &str) -> String {
    format!("{gateway}-gateway-secret")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_injecting_webhook_is_shorter_in_istio_system() {
        let names = Names::new("istio-system");
        assert_eq!(names.mutating_webhook, "istio-sidecar-injector");
        assert_eq!(names.validating_webhook, "istio-validator-istio-system");
        assert_eq!(names.istiod_cluster_role, "istiod-clusterrole-istio-system");
        let names = Names::new("kubeflow");
        assert_eq!(names.mutating_webhook, "istio-sidecar-injector-kubeflow");
        assert_eq!(names.validating_webhook, "istio-validator-kubeflow");
    }
}
