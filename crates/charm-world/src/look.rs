//! What there is of the charm in the cluster.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use test_cluster::AuditRequest;

use crate::World;

/// What the charm makes, without definitions and Istio's own objects.
const KINDS: &str = "configmaps,serviceaccounts,services,deployments,daemonsets,roles,\
                     rolebindings,clusterroles,clusterrolebindings,horizontalpodautoscalers,\
                     poddisruptionbudgets,mutatingwebhookconfigurations,\
                     validatingwebhookconfigurations";

impl World {
    /// The value of the label `app.kubernetes.io/instance`, which all objects of the application
    /// have.
    pub fn instance(&self) -> String {
        format!("{}-{}", self.application(), self.model.name())
    }

    /// Every object with the application's label, as `Kind name`, with its resource version.
    ///
    /// # Errors
    /// When the API server does not list them.
    pub fn objects(&self) -> Result<BTreeMap<String, String>> {
        let selector = format!("app.kubernetes.io/instance={}", self.instance());
        let list = self.get(&format!("{KINDS} --selector={selector}"))?;
        let items = list["items"].as_array().context("a list has no items")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entry = |item: &Value| {
            let metadata = &item["metadata"];
            let name = format!("{} {}", text(&item["kind"]), text(&metadata["name"]));
            (name, text(&metadata["resourceVersion"]))
        };
        Ok(items.iter().map(entry).collect())
    }

    /// The names among [`World::objects`] that belong to the node agent.
    ///
    /// # Errors
    /// As [`World::objects`].
    pub fn agent_objects(&self) -> Result<Vec<String>> {
        let mut names: Vec<String> = self.objects()?.into_keys().collect();
        names.retain(|name| name.contains("istio-cni"));
        Ok(names)
    }

    /// Whether the injection configuration in the cluster leaves redirection to the node agent.
    ///
    /// # Errors
    /// When there is none, or its parts do not say the same.
    pub fn injects_validation(&self) -> Result<bool> {
        let config = self.get("configmap istio-sidecar-injector")?;
        let text = |key: &str| {
            let text = config["data"][key].as_str();
            text.with_context(|| format!("the injection configuration has no {key}"))
        };
        let values: Value = serde_json::from_str(text("values")?)?;
        let templates = text("config")?;
        let validation = templates.contains("name: istio-validation");
        let enabled = &values["pilot"]["cni"]["enabled"];
        ensure!(
            *enabled == json!(validation) && templates.contains("name: istio-init") != validation,
            "the values say {enabled} of the CNI, and the templates something else:\n{templates}"
        );
        Ok(validation)
    }

    /// All requests of the charm's service account, in the order of the answers. Needs
    /// [`test_cluster::Options::audit`].
    ///
    /// # Errors
    /// When the cluster records no requests.
    pub fn requests(&self) -> Result<Vec<AuditRequest>> {
        let user = format!(
            "system:serviceaccount:{}:{}",
            self.model.name(),
            self.application()
        );
        let mut requests = self.cluster.audit_requests()?;
        requests.retain(|request| request.user == user);
        Ok(requests)
    }

    /// How many writes the charm's service account has sent, dry runs included.
    ///
    /// # Errors
    /// As [`World::requests`].
    pub fn writes(&self) -> Result<usize> {
        let requests = self.requests()?;
        Ok(requests.iter().filter(|it| it.is_write()).count())
    }
}
