//! Asking an istiod which init container it injects into pods now.
//!
//! Each replica reads the injection configuration on its own, 10 to 150 ms after it has changed. A
//! trial pod would reach only one of them, so each replica is sent its own `AdmissionReview`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use k8s_openapi::ByteString;
use serde_json::{Value, json};

use crate::istio::{ISTIO_INIT, ISTIO_VALIDATION, Injection};

/// How soon istiods are asked again: no watch reports what they have taken up.
pub const POLL: Duration = Duration::from_millis(200);

/// The port of istiod's webhooks.
pub const WEBHOOK_PORT: u16 = 15017;
/// The request path of istiod's injection webhook.
pub const WEBHOOK_PATH: &str = "inject";

/// The question: an admission review of a pod that asks for injection.
///
/// Asking creates nothing.
pub fn question(namespace: &str) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "istio-pilot-charm",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "namespace": namespace,
            "operation": "CREATE",
            "dryRun": true,
            "userInfo": {},
            "object": {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": "istio-pilot-charm-question",
                    "namespace": namespace,
                    "labels": {"sidecar.istio.io/inject": "true"},
                },
                "spec": {"containers": [{"name": "app", "image": "app"}]},
            },
        },
    })
}

/// The answer: what the istiod injects; `None` when the answer shows neither init container.
pub fn answer(review: &Value) -> Option<Injection> {
    let patch: ByteString =
        serde_json::from_value(review.pointer("/response/patch")?.clone()).ok()?;
    let patch: Value = serde_json::from_slice(&patch.0).ok()?;
    let operations = patch.as_array()?;
    let adds = |name: &str| {
        operations
            .iter()
            .any(|operation| names(&operation["value"], name))
    };
    if adds(ISTIO_VALIDATION) {
        Some(Injection::IstioValidation)
    } else if adds(ISTIO_INIT) {
        Some(Injection::IstioInit)
    } else {
        None
    }
}

/// Whether a patch's value is, or lists, a container of that name.
fn names(value: &Value, name: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| names(item, name)),
        Value::Object(fields) => fields.get("name").is_some_and(|it| it == name),
        _ => false,
    }
}

/// How long an istiod may give no answer before the switch continues without it. The API server
/// does not wait longer for a webhook, and with the policy `Fail` it then refuses the pod: an
/// istiod that never answers injects nothing.
pub const SILENCE: Duration = Duration::from_secs(10);

/// An istiod that holds up the switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    /// This one still injects what it injected before the change.
    NotTakenUp(String),
    /// This one gives no answer.
    Silent(String),
    /// No istiod is ready.
    NoneReady,
}

impl fmt::Display for Holding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTakenUp(name) => write!(formatter, "{name} has not taken up the change yet"),
            Self::Silent(name) => write!(formatter, "{name} does not say what it injects"),
            Self::NoneReady => formatter.write_str("no istiod is ready"),
        }
    }
}

/// What the istiods have said so far, each on its own.
#[derive(Clone, Debug, Default)]
pub struct Acknowledgements {
    /// Since when each istiod gives no answer; `None` stands for all of them while none is ready.
    silent_since: BTreeMap<Option<String>, Duration>,
}

impl Acknowledgements {
    /// Notes what every ready istiod answered; `at` is the time since the first round. Returns the
    /// istiods that hold up the switch: none, when it may continue.
    ///
    /// A replica that has been silent for [`SILENCE`] no longer counts, and neither does an istiod
    /// of which no replica has been ready for that long.
    pub fn answered(
        &mut self,
        at: Duration,
        answers: &[(String, Option<Injection>)],
        wanted: Injection,
    ) -> Vec<Holding> {
        let mut silent: Vec<Option<String>> = answers
            .iter()
            .filter(|(_, answer)| answer.is_none())
            .map(|(name, _)| Some(name.clone()))
            .collect();
        if answers.is_empty() {
            silent.push(None);
        }
        self.silent_since.retain(|name, _| silent.contains(name));
        for name in silent {
            self.silent_since.entry(name).or_insert(at);
        }
        let not_taken_up = answers
            .iter()
            .filter(|(_, answer)| answer.is_some_and(|it| it != wanted))
            .map(|(name, _)| Holding::NotTakenUp(name.clone()));
        let holds = |since: Duration| at.saturating_sub(since) < SILENCE;
        let silent = self
            .silent_since
            .iter()
            .filter(|(_, since)| holds(**since))
            .map(|(name, _)| name.clone().map_or(Holding::NoneReady, Holding::Silent));
        not_taken_up.chain(silent).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(patch: &Value) -> Value {
        let bytes = ByteString(patch.to_string().into_bytes());
        json!({"response": {"allowed": true, "patch": bytes}})
    }

    #[test]
    fn the_init_container_is_found_added_alone_or_in_a_list() {
        let alone = json!([{"op": "add", "path": "/spec/initContainers/-", "value": {"name": "istio-init"}}]);
        assert_eq!(answer(&review(&alone)), Some(Injection::IstioInit));
        let list = json!([
            {"op": "add", "path": "/spec/containers/1", "value": {"name": "istio-proxy"}},
            {"op": "add", "path": "/spec/initContainers", "value": [{"name": "istio-validation"}]},
        ]);
        assert_eq!(answer(&review(&list)), Some(Injection::IstioValidation));
    }

    #[test]
    fn anything_else_is_not_an_answer() {
        assert_eq!(answer(&json!({"response": {"allowed": true}})), None);
        assert_eq!(
            answer(&json!({"response": {"patch": "no base64 at all"}})),
            None
        );
        assert_eq!(answer(&review(&json!({"not": "a patch"}))), None);
        assert_eq!(answer(&json!("junk")), None);
    }

    #[test]
    fn the_question_is_a_pod_that_asks_for_injection_and_is_not_created() {
        let question = question("mesh");
        assert_eq!(question["kind"], "AdmissionReview");
        let request = &question["request"];
        assert_eq!(request["namespace"], "mesh");
        assert_eq!(request["dryRun"], true);
        let labels = &request["object"]["metadata"]["labels"];
        assert_eq!(labels["sidecar.istio.io/inject"], "true");
    }

    const ON: Option<Injection> = Some(Injection::IstioValidation);
    const OFF: Option<Injection> = Some(Injection::IstioInit);

    /// Notes a round of answers of `a`, `b` and so on, at that second, while the CNI is switched
    /// off: what holds up the switch.
    fn round(
        acknowledgements: &mut Acknowledgements,
        second: u64,
        answers: &[Option<Injection>],
    ) -> String {
        let names = ["a", "b", "c"].map(str::to_owned);
        let answers: Vec<_> = names.into_iter().zip(answers.iter().copied()).collect();
        let at = Duration::from_secs(second);
        let holding = acknowledgements.answered(at, &answers, Injection::IstioInit);
        let texts: Vec<_> = holding.iter().map(ToString::to_string).collect();
        texts.join("; ")
    }

    #[test]
    fn every_istiod_must_have_taken_the_change_up() {
        let mut all = Acknowledgements::default();
        let both = "a has not taken up the change yet; c has not taken up the change yet";
        assert_eq!(round(&mut all, 0, &[ON, OFF, ON]), both);
        let one = "c has not taken up the change yet";
        assert_eq!(
            round(&mut all, 600, &[OFF, OFF, ON]),
            one,
            "however long it takes"
        );
        assert_eq!(round(&mut all, 601, &[OFF, OFF, OFF]), "");
    }

    #[test]
    fn an_istiod_that_hangs_stops_counting_and_holds_up_no_other() {
        let mut all = Acknowledgements::default();
        let hangs = "b does not say what it injects";
        assert_eq!(round(&mut all, 1, &[OFF, None]), hangs);
        assert_eq!(round(&mut all, 10, &[OFF, None]), hangs);
        assert_eq!(round(&mut all, 11, &[OFF, None]), "");
        // It answers again, and so counts again.
        assert_eq!(
            round(&mut all, 12, &[OFF, ON]),
            "b has not taken up the change yet"
        );
        assert_eq!(round(&mut all, 13, &[OFF, None]), hangs);
        // Another takes its place.
        assert_eq!(round(&mut all, 14, &[OFF, OFF]), "");
    }

    #[test]
    fn without_any_answer_the_switch_continues() {
        let mut none = Acknowledgements::default();
        assert_eq!(round(&mut none, 0, &[]), "no istiod is ready");
        assert_eq!(round(&mut none, 9, &[]), "no istiod is ready");
        assert_eq!(round(&mut none, 10, &[]), "");
        // One that becomes ready has its own time.
        assert_eq!(
            round(&mut none, 11, &[None]),
            "a does not say what it injects"
        );
        assert_eq!(round(&mut none, 21, &[None]), "");
    }
}
