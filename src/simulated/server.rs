//! What the API server and its controllers do with what is written.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::Simulated;
use super::objects::{agent_pod, fields_of};
use crate::k8s::kind::{
    CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, DAEMON_SET, DEPLOYMENT, Kind, MUTATING_WEBHOOK,
};
use crate::k8s::object::{Object, ObjectId};
use crate::observed::agent::Place;
use crate::plan::{Deletion, Upsert};

impl Simulated {
    pub(super) fn apply(&mut self, upsert: &Upsert) {
        let before = self.live.get(upsert.object.id());
        let before = before.and_then(|it| it.resource_version().map(str::to_owned));
        let id = upsert.object.id().clone();
        self.put(upsert.object.value().clone());
        let after = self.live[&id].resource_version();
        self.journal
            .applied(&upsert.object, before.as_deref(), after);
    }

    /// Stores an object as the server would after this charm has applied it.
    pub(crate) fn put(&mut self, mut value: Value) {
        self.versions += 1;
        let mut fields = fields_of(&value);
        for part in ["f:apiVersion", "f:kind", "f:status"] {
            fields.as_object_mut().unwrap().remove(part);
        }
        let id = Object::from_value(value.clone()).unwrap().id().clone();
        let known = self.live.get(&id).and_then(Object::uid).map(str::to_owned);
        let uid = known.unwrap_or_else(|| format!("uid-{}", self.versions));
        value["metadata"]["uid"] = json!(uid);
        value["metadata"]["resourceVersion"] = json!(self.versions.to_string());
        value["metadata"]["managedFields"] = json!([{
            "manager": "istio-pilot", "operation": "Apply", "fieldsV1": fields,
        }]);
        value["status"] = self.status_of(&Object::from_value(value.clone()).unwrap());
        self.put_as_it_is(value);
    }

    /// A webhook of others that holds every new pod, or none.
    pub(super) fn set_slow_webhook(&mut self, timeout: Option<Duration>) {
        let id = ObjectId::new(&MUTATING_WEBHOOK, "", "slow");
        self.live.remove(&id);
        if let Some(timeout) = timeout {
            self.put_as_it_is(json!({
                "apiVersion": MUTATING_WEBHOOK.api_version(), "kind": MUTATING_WEBHOOK.kind,
                "metadata": {"name": "slow"},
                "webhooks": [{"timeoutSeconds": timeout.as_secs(), "rules": [{
                    "operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"],
                    "resources": ["pods"],
                }]}],
            }));
        }
    }

    /// Stores an object of others.
    pub(crate) fn put_as_it_is(&mut self, value: Value) {
        let object = Object::from_value(value).unwrap();
        if object.is(&DAEMON_SET) && object.id().namespace.as_deref() == Some("mesh") {
            self.agent.pods = self.agent.nodes.iter().map(agent_pod).collect();
        }
        self.live.insert(object.id().clone(), object);
    }

    fn status_of(&self, object: &Object) -> Value {
        if object.is(&CUSTOM_RESOURCE_DEFINITION) {
            return json!({"conditions": [{"type": "Established", "status": "True"}]});
        }
        if object.is(&DEPLOYMENT) {
            let available = u32::from(self.istiod_is_ready);
            return json!({
                "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1,
                "availableReplicas": available,
            });
        }
        if object.is(&DAEMON_SET) {
            return json!({
                "observedGeneration": 1, "desiredNumberScheduled": 3,
                "updatedNumberScheduled": 3, "numberReady": 3,
            });
        }
        Value::Null
    }

    pub(super) fn delete(&mut self, deletion: &Deletion) {
        self.live.remove(&deletion.id);
        if deletion.id.is(&DAEMON_SET) {
            // Nobody ends the pods of a node that is away.
            let pods = std::mem::take(&mut self.agent.pods);
            let away = |pod: &Pod| self.agent.place(pod) == Place::Away;
            self.agent.pods = pods.into_iter().filter(away).collect();
        }
    }

    /// Changes the first object of a kind, as anybody may.
    pub(crate) fn change(&mut self, kind: &Kind, change: impl Fn(&mut Value)) {
        let found = self.live.values().find(|it| it.is(kind)).unwrap();
        let name = found.id().name.clone();
        self.change_named(kind, &name, change);
    }

    /// Changes the data of a ConfigMap, as an editor does: the keys pass to it.
    pub(crate) fn edit_data(&mut self, name: &str, key: &str, text: &str) {
        self.change_named(&CONFIG_MAP, name, |it| {
            it["data"][key] = text.into();
            let entries = it["metadata"]["managedFields"].as_array_mut().unwrap();
            entries.retain(|it| it["manager"] == "istio-pilot");
            for entry in &mut *entries {
                let keys = entry["fieldsV1"]["f:data"].as_object_mut();
                keys.map(|keys| keys.remove(&format!("f:{key}")));
            }
            entries.push(json!({
                "manager": "kubectl-edit", "operation": "Update", "time": "2026-01-01T00:00:00Z",
                "fieldsV1": {"f:data": {format!("f:{key}"): {}}},
            }));
        });
    }

    /// Changes every object.
    pub(crate) fn change_all(&mut self, change: impl Fn(&mut Value)) {
        for object in self.live.values_mut() {
            let mut value = object.value().clone();
            change(&mut value);
            *object = Object::from_value(value).unwrap();
        }
    }

    /// Changes the object of a kind with that name.
    pub(crate) fn change_named(&mut self, kind: &Kind, name: &str, change: impl Fn(&mut Value)) {
        let mut objects = self.live.values();
        let found = objects.find(|it| it.is(kind) && it.id().name == name);
        let found = found.unwrap();
        let mut value = found.value().clone();
        change(&mut value);
        self.versions += 1;
        value["metadata"]["resourceVersion"] = json!(self.versions.to_string());
        let object = Object::from_value(value).unwrap();
        self.live.insert(object.id().clone(), object);
    }

    /// Makes the node agent's pod on a node fail, and the DaemonSet count it.
    pub(crate) fn fail_agent(&mut self, node: &str, state: &Value) {
        let last_state = json!({"terminated": {"exitCode": 1}});
        for pod in &mut self.agent.pods {
            if pod.metadata.name.as_deref() == Some(&format!("agent-{node}")) {
                let mut value = serde_json::to_value(&*pod).unwrap();
                value["status"] = json!({
                    "conditions": [
                        {"type": "PodScheduled", "status": "True"},
                        {"type": "Ready", "status": "False"},
                    ],
                    "containerStatuses": [{
                        "name": "install-cni", "image": "cni", "imageID": "", "ready": false,
                        "restartCount": 0, "state": state, "lastState": last_state,
                    }],
                });
                *pod = serde_json::from_value(value).unwrap();
            }
        }
        self.change(&DAEMON_SET, |it| it["status"]["numberReady"] = json!(2));
    }
}
