//! A cluster made of values, for the tests of the pure middle: it answers every question, and takes
//! every step.

mod model;
mod objects;
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use serde_json::json;

use crate::assess::question::Question::{self, AgentPods};
use crate::assess::question::open_question;
use crate::assess::{Assessment, assess};
use crate::cluster::error::FailureKind;
use crate::cni::stragglers::SlowestWebhook;
use crate::decide::{Facts, Secrets, decide};
use crate::desired::Desired;
use crate::intent::Intent;
use crate::intent::identity::Identity;
use crate::istio::Injection;
use crate::k8s::kind::SERVICE;
use crate::k8s::object::{LiveObjects, Object, ObjectId};
use crate::k8s::version::KubernetesVersion;
use crate::observed::agent::AgentState;
use crate::observed::attempts::Refusal;
use crate::observed::new_pods::NewPods;
use crate::observed::others::OtherControlPlane;
use crate::observed::{DefinitionUse, Effect, Observed};
use crate::plan::Upsert;
use crate::report::{Outcome, Report, View, report};
use crate::step::condition::Condition;
use crate::step::deadlines::Timeouts;
use crate::step::journal::Journal;
use crate::step::{Step, next_step};
use objects::ready_istiod;
pub(crate) use objects::{node, waiting_pod};

/// Both options, as most people set them.
pub(crate) const BOTH_PATHS: [(&str, &str); 2] = [
    ("cni-bin-dir", "/opt/cni/bin"),
    ("cni-conf-dir", "/etc/cni/net.d"),
];

pub(crate) const KUBERNETES: KubernetesVersion = KubernetesVersion {
    major: 1,
    minor: 34,
};

/// The cluster, and the hook that runs on it.
#[derive(Clone)]
pub(crate) struct Simulated {
    pub(crate) intent: Intent,
    pub(crate) live: LiveObjects,
    /// Whether istiod's pods are ready.
    pub(crate) istiod_is_ready: bool,
    /// The version of an older istiod that is still ready.
    pub(crate) older_istiod: Option<String>,
    /// What the istiods inject; `None` for what the injection configuration says.
    pub(crate) injects: Option<Vec<(String, Option<Injection>)>>,
    /// Nodes, pods and events of the node agent.
    pub(crate) agent: AgentState,
    /// Pods that have not started yet.
    pub(crate) pending: Vec<Pod>,
    /// What the server would do if the node agent's DaemonSet were applied.
    pub(crate) effect_of_applying: Effect,
    /// Nodes whose agents wait for a configuration.
    pub(crate) without_configuration: BTreeSet<String>,
    /// Names of objects that the cluster does not take.
    pub(crate) refuses: BTreeSet<String>,
    /// A kind of which there are custom resources.
    pub(crate) custom_resources: Option<String>,
    pub(crate) journal: Journal,
    pub(crate) now: Duration,
    versions: u64,
}

impl Simulated {
    /// An empty cluster of three nodes, on which an application is asked for something.
    pub(crate) fn new(options: &[(&str, &str)]) -> Self {
        Self {
            intent: intent(options),
            live: LiveObjects::new(),
            istiod_is_ready: true,
            older_istiod: None,
            injects: None,
            agent: AgentState {
                nodes: ["n1", "n2", "n3"].map(|name| node(name, "True")).into(),
                ..AgentState::default()
            },
            pending: Vec::new(),
            effect_of_applying: Effect::ReplacesPods,
            without_configuration: BTreeSet::new(),
            refuses: BTreeSet::new(),
            custom_resources: None,
            journal: Journal::start(Timeouts::default()),
            now: Duration::ZERO,
            versions: 0,
        }
    }

    /// A cluster on which everything that is asked for is there.
    ///
    /// Most tests begin with one of two such clusters, and making one takes longer than the rest.
    pub(crate) fn settled(options: &[(&str, &str)]) -> Self {
        static WITHOUT_CNI: OnceLock<Simulated> = OnceLock::new();
        static WITH_CNI: OnceLock<Simulated> = OnceLock::new();
        let made = if options.is_empty() {
            &WITHOUT_CNI
        } else if options == BOTH_PATHS {
            &WITH_CNI
        } else {
            return Self::settle(options);
        };
        made.get_or_init(|| Self::settle(options)).clone()
    }

    fn settle(options: &[(&str, &str)]) -> Self {
        let mut cluster = Self::new(options);
        let story = cluster.run();
        assert!(story.contains("active"), "{story}");
        cluster.begin_hook(Timeouts::default());
        cluster
    }

    /// Another hook begins.
    pub(crate) fn begin_hook(&mut self, timeouts: Timeouts) {
        self.journal = Journal::start(timeouts);
        self.now = Duration::ZERO;
    }

    /// `juju config`, and the hook that follows.
    pub(crate) fn configure(&mut self, options: &[(&str, &str)]) {
        self.intent = intent(options);
        self.begin_hook(Timeouts::default());
    }

    /// `juju remove-application`.
    pub(crate) fn remove(&mut self) {
        self.intent = Intent::nothing(self.intent.identity.clone());
        self.begin_hook(Timeouts::default().of_removal());
    }

    /// What is seen of the cluster before anything is asked.
    fn first_look(&self) -> Observed {
        Observed {
            namespace: self.intent.identity.namespace().to_owned(),
            live: self.live.clone(),
            istiods: self
                .older_istiod
                .iter()
                .map(|it| ready_istiod(it))
                .collect(),
            overdue: self.journal.overdue(self.now),
            attempts: self.journal.attempts().clone(),
            ..Observed::default()
        }
    }

    /// What is seen of the cluster now, with every question answered.
    pub(crate) fn observe(&mut self, desired: &Desired<'_>) -> Observed {
        let mut observed = self.first_look();
        for _ in 0..20 {
            observed.drain.acknowledged_for = self.journal.acknowledged_for(self.now);
            let takes_long = self.journal.takes_long(self.now);
            match open_question(desired, &observed, takes_long) {
                None => return observed,
                Some(Question::AgentState | AgentPods) => observed.agent = Some(self.agent.clone()),
                Some(Question::EffectOfApplying { .. }) => {
                    observed.effect_of_applying = Some(self.effect_of_applying.clone());
                }
                Some(Question::WhatIstiodsInject) => {
                    let configured = vec![("istiod-1".to_owned(), observed.injection())];
                    let answers = self.injects.clone().unwrap_or(configured);
                    let holding = self.journal.istiods_answered(&answers, self.now);
                    observed.drain.holding = Some(holding);
                }
                Some(Question::WhoReliesOnAgent(others)) => {
                    let relies = |it: &OtherControlPlane| {
                        let config = self.live.get(&it.injector_config);
                        let injection = config.and_then(NewPods::of).map(|it| it.injection);
                        injection == Some(Injection::IstioValidation)
                    };
                    let relying = others.into_iter().filter(relies).map(|it| it.istiod);
                    observed.drain.relying = Some(relying.collect());
                }
                Some(Question::SlowestWebhook) => {
                    let live = observed.live.values();
                    let configurations = live.filter(|it| it.id().group.starts_with("admission"));
                    let ours = ["istio-sidecar-injector-mesh"];
                    let slowest = SlowestWebhook::of(configurations, &ours);
                    observed.drain.slowest_webhook = Some(slowest);
                }
                Some(Question::PendingPods) => {
                    self.journal.acknowledged(self.now);
                    observed.drain.pending = Some(self.pending.clone());
                }
                Some(Question::AgentLogs(_)) => {
                    observed.without_configuration = Some(self.without_configuration.clone());
                }
                Some(Question::LastWords(crashes)) => {
                    let words = |crash| (crash, "Error: permission denied".to_owned());
                    observed.explain_crashes(&crashes.into_iter().map(words).collect());
                }
                Some(Question::GatewayService(name)) => {
                    observed.gateway_service = Some(self.service(name));
                }
                Some(Question::CustomResources(_)) => {
                    let used = self.custom_resources.clone();
                    observed.definitions =
                        Some(used.map_or(DefinitionUse::Unused, DefinitionUse::Used));
                }
            }
        }
        panic!("there is always another question")
    }

    fn service(&self, name: &str) -> Option<Object> {
        let id = ObjectId::new(&SERVICE, "mesh", name);
        self.live.get(&id).cloned()
    }

    /// Observes and assesses.
    pub(crate) fn assess(&mut self) -> (Observed, Assessment) {
        let desired = desired(&self.intent);
        let observed = self.observe(desired);
        let assessment = assess(desired, &observed).unwrap();
        self.journal.assessed(&assessment, self.now);
        (observed, assessment)
    }

    /// Takes steps until the hook ends or would wait longer than a moment: the steps, a line each.
    pub(crate) fn run(&mut self) -> String {
        let mut story = String::new();
        let mut last = String::new();
        for _ in 0..50 {
            let (line, ends) = self.take_step();
            // A poll that finds nothing new is no part of the story.
            if line != last {
                writeln!(story, "{line}").unwrap();
            }
            last.clone_from(&line);
            if ends {
                break;
            }
        }
        story
    }

    /// Takes steps until one contains that text.
    pub(crate) fn step_until(&mut self, text: &str) {
        for _ in 0..50 {
            if self.take_step().0.contains(text) {
                return;
            }
        }
        panic!("no step has come to {text}");
    }

    /// Takes one step: what it was, and whether the hook ends or waits for something outside.
    pub(crate) fn take_step(&mut self) -> (String, bool) {
        let (observed, assessment) = self.assess();
        let phase = assessment.phase;
        match next_step(&assessment, &self.journal, self.now) {
            Step::Apply(upserts) => {
                let line = format!(
                    "{phase:?}: apply {}",
                    counted(upserts.iter().map(|it| it.object.id()))
                );
                let refused: Vec<_> = upserts
                    .iter()
                    .filter(|it| self.refuses.contains(&it.object.id().name))
                    .collect();
                for upsert in &refused {
                    self.journal.refused(&upsert.object, refusal(upsert));
                }
                if refused.is_empty() {
                    for upsert in &upserts {
                        self.apply(upsert);
                    }
                    return (line, false);
                }
                (format!("{line}: refused"), false)
            }
            Step::Delete(deletions) => {
                let line = format!(
                    "{phase:?}: delete {}",
                    counted(deletions.iter().map(|it| &it.id))
                );
                for deletion in &deletions {
                    self.delete(deletion);
                }
                (line, false)
            }
            Step::Wait(wait) => {
                self.journal.waited();
                let shown = wait.shown.unwrap_or_default();
                // What needs no change from outside goes on by itself.
                self.now += wait.pause;
                let goes_on = assessment.next_look.is_some();
                (format!("{phase:?}: wait: {shown}"), !goes_on)
            }
            Step::Finish(conditions) => {
                let report = self.report(conditions, observed, assessment);
                (format!("{phase:?}: {}", report.status), true)
            }
        }
    }

    pub(crate) fn report(
        &self,
        conditions: Vec<Condition>,
        observed: Observed,
        assessment: Assessment,
    ) -> Report {
        let outcome = Outcome {
            conditions,
            view: Some(View {
                kubernetes: KUBERNETES,
                observed,
                assessment,
            }),
            journal: Some(self.journal.clone()),
        };
        let facts = Facts::of_removal(self.intent.identity.clone());
        report(&facts, &self.intent, &outcome)
    }
}

fn refusal(upsert: &Upsert) -> Refusal {
    let why = "the cluster refuses it: a policy says no";
    Refusal {
        kind: FailureKind::Denied("a policy says no".to_owned()),
        text: format!("applying {}: {why}", upsert.object.id()),
    }
}

/// What is desired by an intent. Rendering takes most of a test's time, so it is done once for
/// each intent, and kept until the tests end.
pub(crate) fn desired(intent: &Intent) -> &'static Desired<'static> {
    static RENDERED: Mutex<Vec<&'static Desired<'static>>> = Mutex::new(Vec::new());
    let mut rendered = RENDERED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = rendered.iter().find(|it| it.intent() == intent) {
        return known;
    }
    let intent: &'static Intent = Box::leak(Box::new(intent.clone()));
    let desired = Desired::new(intent, Vec::new(), KUBERNETES).unwrap();
    let desired = desired.with_small_definitions();
    rendered.push(Box::leak(Box::new(desired)));
    rendered[rendered.len() - 1]
}

fn intent(options: &[(&str, &str)]) -> Intent {
    let options = options.iter();
    decide(&Facts {
        forces_upgrade: false,
        identity: Identity::new("pilot", "mesh"),
        leader: true,
        options: options
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect(),
        relations: BTreeMap::new(),
        unit: None,
        secrets: Secrets::default(),
        now: Timestamp::default(),
    })
}

/// How many objects of which kind; one alone by its name.
pub(crate) fn counted<'a>(ids: impl Iterator<Item = &'a ObjectId>) -> String {
    let mut counts: Vec<(&str, Vec<&str>)> = Vec::new();
    for id in ids {
        match counts.iter_mut().find(|(kind, _)| *kind == id.kind) {
            Some((_, names)) => names.push(&id.name),
            None => counts.push((&id.kind, vec![&id.name])),
        }
    }
    let counts = counts.iter().map(|(kind, names)| match names.as_slice() {
        [name] => format!("{kind} {name}"),
        names => format!("{} {kind}", names.len()),
    });
    counts.collect::<Vec<_>>().join(", ")
}
