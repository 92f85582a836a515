//! The application that reconciles.

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
}
