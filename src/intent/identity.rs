//! The application that reconciles.

use super::problem::Problem;
use crate::istio::names::Names;
use crate::k8s::labels;

/// A Juju application, and where its control plane lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    application: String,
    namespace: String,
    instance: String,
}

impl Identity {
    /// The application with this name, in the model with this namespace.
    pub fn new(application: impl Into<String>, namespace: impl Into<String>) -> Self {
        let (application, namespace) = (application.into(), namespace.into());
        Self {
            instance: labels::instance(&application, &namespace),
            application,
            namespace,
        }
    }

    /// The Juju application's name.
    pub fn application(&self) -> &str {
        &self.application
    }

    /// The namespace of the Juju model, where the control plane lives.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The value of the label `app.kubernetes.io/instance` on everything that the application
    /// keeps; see [`labels::instance`].
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// What is wrong with the application's name: Juju makes objects of that name, and one of them
    /// is also Istio's.
    ///
    /// Juju makes a Service, an account, a Role and its binding called like the application, and a
    /// ClusterRole and its binding called `<model>-<application>`
    /// (`internal/provider/kubernetes/application` of Juju 3.6 and 4.0). Nothing that Juju makes
    /// beside these has a name of Istio's.
    pub fn problem(&self) -> Option<Problem> {
        let names = Names::new(&self.namespace);
        let in_cluster = format!("{}-{}", self.namespace, self.application);
        let of_istio = if names
            .of_accounts_and_services()
            .contains(&self.application.as_str())
        {
            &self.application
        } else if names.cluster_roles().contains(&in_cluster.as_str()) {
            &in_cluster
        } else {
            return None;
        };
        Some(Problem::of_application(format!(
            "the application cannot be called {}: Juju makes objects called {of_istio} for it, and \
             Istio has objects of that name; deploy it under another name, such as istio-pilot",
            self.application
        )))
    }
}
