//! A model of the switch: nodes, kubelets, istiods, pods and two units of the application take random
//! steps, and some things must hold whatever happens.
//!
//! What a unit does is decided by the real code, from what it would see. One look with the writes
//! that follow from it is one step: a hook may be killed between its steps, and between two writes.

mod events;
mod invariants;
mod nodes;

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::json;

use super::{BOTH_PATHS, KUBERNETES, Simulated, intent, refusal};
use crate::assess::assess;
use crate::cluster::error::FailureKind;
use crate::desired::Desired;
use crate::intent::Intent;
use crate::istio::{Injection, names};
use crate::k8s::kind::{CONFIG_MAP, DAEMON_SET, DEPLOYMENT};
use crate::k8s::object::{Object, ObjectId};
use crate::observed::Effect;
use crate::observed::attempts::Refusal;
use crate::plan::{Deletion, Upsert};
use crate::step::deadlines::Timeouts;
use crate::step::journal::Journal;
use crate::step::{Step, next_step};
use nodes::{ModelNode, ModelPod};

/// How long a leader may rely on an answer of `is-leader`
/// (<https://documentation.ubuntu.com/juju/3.6/reference/hook-command/list-of-hook-commands/is-leader/>).
const GUARANTEE: Duration = Duration::from_secs(30);

/// What can be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Options {
    Off,
    On,
    OtherPaths,
}

impl Options {
    fn injection(self) -> Injection {
        match self {
            Self::Off => Injection::IstioInit,
            Self::On | Self::OtherPaths => Injection::IstioValidation,
        }
    }

    /// What these options want of the cluster.
    fn desired(self) -> &'static Desired<'static> {
        static DESIRED: OnceLock<[Desired<'static>; 3]> = OnceLock::new();
        let other = [
            ("cni-bin-dir", "/other/bin"),
            ("cni-conf-dir", "/other/net.d"),
        ];
        let desired = |options: &[(&str, &str)]| {
            let intent: &'static Intent = Box::leak(Box::new(intent(options)));
            Desired::new(intent, Vec::new(), KUBERNETES)
                .unwrap()
                .without_definitions()
        };
        let all = DESIRED.get_or_init(|| [desired(&[]), desired(&BOTH_PATHS), desired(&other)]);
        &all[self as usize]
    }
}

/// A hook that is at work.
#[derive(Clone, Debug)]
struct Hook {
    options: Options,
    journal: Journal,
    began: Duration,
}

/// One unit of the application.
#[derive(Clone, Debug, Default)]
struct Unit {
    hook: Option<Hook>,
    /// When it was last told that it leads.
    told_at: Option<Duration>,
    /// Since when it has not led.
    lost_at: Option<Duration>,
}

/// One istiod: what it injects, and whether that is what the charm has configured.
#[derive(Clone, Debug)]
struct Istiod {
    answers: bool,
    view: Option<(Injection, bool)>,
}

/// Everything that there is.
struct Model {
    cluster: Simulated,
    time: Duration,
    options: Options,
    nodes: Vec<ModelNode>,
    pods: Vec<ModelPod>,
    istiods: Vec<Istiod>,
    is_scaled_to_zero: bool,
    /// Whether the injection configuration is as the charm has written it.
    is_configured_by_charm: bool,
    /// How long a webhook of others may hold pods, if there is one.
    holds: Option<Duration>,
    units: [Unit; 2],
    leader: usize,
    /// After how many more writes the hook is killed.
    killed_after: Option<usize>,
    names: u32,
    /// What has happened, for whoever reads a violation.
    story: Vec<String>,
    violation: Option<String>,
    writes: usize,
}

impl Model {
    fn new() -> Self {
        let mut cluster = Simulated::new(&[]);
        cluster.agent.nodes.clear();
        let istiod = Istiod {
            answers: true,
            view: None,
        };
        Self {
            cluster,
            time: Duration::ZERO,
            options: Options::Off,
            nodes: (1..=3)
                .map(|it| ModelNode::new(&format!("n{it}"), Duration::ZERO))
                .collect(),
            pods: Vec::new(),
            istiods: vec![istiod.clone(), istiod],
            is_scaled_to_zero: false,
            is_configured_by_charm: true,
            holds: None,
            units: Default::default(),
            leader: 0,
            killed_after: None,
            names: 3,
            story: Vec::new(),
            violation: None,
            writes: 0,
        }
    }

    fn tell(&mut self, line: &str) {
        let seconds = self.time.as_secs_f32();
        self.story.push(format!("{seconds:7.1} s  {line}"));
    }

    fn violated(&mut self, what: &str) {
        self.tell(&format!("VIOLATED: {what}"));
        self.violation.get_or_insert_with(|| what.to_owned());
    }

    fn live(&self, kind: &crate::k8s::kind::Kind, name: &str) -> Option<&Object> {
        self.cluster.live.get(&ObjectId::new(kind, "mesh", name))
    }

    /// What the injection configuration says.
    fn configured(&self) -> Option<Injection> {
        let config = self.live(&CONFIG_MAP, names::INJECTOR_CONFIG)?;
        Some(crate::observed::new_pods::NewPods::of(config)?.injection)
    }

    /// What is-leader says.
    fn is_leader(&mut self, unit: usize) -> bool {
        let leads = self.leader == unit;
        if leads {
            self.units[unit].told_at = Some(self.time);
        }
        leads
    }

    /// One step of a unit's hook; a hook begins if there is none.
    fn take_step(&mut self, unit: usize) {
        let mut hook = match self.units[unit].hook.take() {
            Some(hook) => hook,
            // A follower's hook ends at once.
            None if !self.is_leader(unit) => return,
            None => Hook {
                options: self.options,
                journal: Journal::start(Timeouts::default()),
                began: self.time,
            },
        };
        let goes_on = self.step(unit, &mut hook);
        self.units[unit].hook = goes_on.then_some(hook);
    }

    /// Looks and does what follows; whether the hook goes on.
    fn step(&mut self, unit: usize, hook: &mut Hook) -> bool {
        self.show_nodes();
        let desired = hook.options.desired();
        self.cluster.intent = desired.intent().clone();
        self.cluster.now = self.time.saturating_sub(hook.began);
        self.cluster.injects = Some(self.answers());
        std::mem::swap(&mut self.cluster.journal, &mut hook.journal);
        let observed = self.cluster.observe(desired);
        let assessment = assess(desired, &observed).unwrap();
        let now = self.cluster.now;
        self.cluster.journal.assessed(&assessment, now);
        let phase = assessment.phase;
        let goes_on = match next_step(&assessment, &self.cluster.journal, now) {
            Step::Apply(upserts) => {
                self.tell(&format!(
                    "unit {unit}, {phase:?}: applies {}",
                    upserts.len()
                ));
                self.apply_all(unit, &upserts)
            }
            Step::Delete(deletions) => {
                let names = super::counted(deletions.iter().map(|it| &it.id));
                self.tell(&format!("unit {unit}, {phase:?}: deletes {names}"));
                deletions.iter().all(|it| self.delete(unit, it))
            }
            Step::Wait(wait) => {
                self.cluster.journal.waited();
                let shown = wait.shown.unwrap_or_default();
                self.tell(&format!("unit {unit}, {phase:?}: waits: {shown}"));
                true
            }
            Step::Finish(conditions) => {
                let report = self.cluster.report(conditions, observed, assessment);
                self.tell(&format!("unit {unit}, {phase:?}: {}", report.status));
                self.check_status(hook.options, &report.status);
                false
            }
        };
        std::mem::swap(&mut self.cluster.journal, &mut hook.journal);
        goes_on
    }

    /// What each istiod answers.
    fn answers(&self) -> Vec<(String, Option<Injection>)> {
        if self.is_scaled_to_zero || self.live(&DEPLOYMENT, names::ISTIOD).is_none() {
            return Vec::new();
        }
        let answer = |istiod: &Istiod| istiod.view.filter(|_| istiod.answers).map(|it| it.0);
        let named = self.istiods.iter().enumerate();
        named
            .map(|(number, it)| (format!("istiod-{number}"), answer(it)))
            .collect()
    }

    fn apply_all(&mut self, unit: usize, upserts: &[&Upsert]) -> bool {
        let not_taken = &self.cluster.refuses;
        let refused: Vec<_> = upserts
            .iter()
            .filter(|it| not_taken.contains(&it.object.id().name))
            .collect();
        for upsert in &refused {
            self.cluster
                .journal
                .refused(&upsert.object, refusal(upsert));
        }
        !refused.is_empty() || upserts.iter().all(|it| self.apply(unit, it))
    }

    /// Whether a unit may write, as the real one finds out; whether its hook still lives.
    fn may_write(&mut self, unit: usize) -> bool {
        if let Some(left) = &mut self.killed_after {
            if *left == 0 {
                self.killed_after = None;
                self.tell(&format!("unit {unit}: killed"));
                return false;
            }
            *left -= 1;
        }
        let now = self.cluster.now;
        if !self.cluster.journal.leads(now) {
            let leads = self.is_leader(unit);
            self.cluster.journal.asked_for_leadership(leads, now);
            if !leads {
                return false;
            }
        }
        self.check_leadership(unit);
        self.writes += 1;
        true
    }

    fn apply(&mut self, unit: usize, upsert: &Upsert) -> bool {
        if !self.may_write(unit) {
            return false;
        }
        let id = upsert.object.id();
        let before = self.cluster.live.get(id).cloned();
        self.cluster.apply(upsert);
        if id.is(&DAEMON_SET) {
            self.daemon_set_applied(before.as_ref());
        }
        if id.name == names::INJECTOR_CONFIG {
            self.is_configured_by_charm = true;
        }
        if id.is(&DEPLOYMENT) {
            self.is_scaled_to_zero = false;
        }
        true
    }

    fn delete(&mut self, unit: usize, deletion: &Deletion) -> bool {
        if !self.may_write(unit) {
            return false;
        }
        self.check_deletion(&deletion.id);
        self.cluster.live.remove(&deletion.id);
        if deletion.id.is(&DAEMON_SET) {
            self.nodes.iter_mut().for_each(ModelNode::end_agent);
        }
        true
    }

    /// Whether the cluster takes another DaemonSet.
    fn refuse_daemon_set(&mut self, refuses: bool) {
        self.cluster.refuses.clear();
        self.cluster.effect_of_applying = Effect::ReplacesPods;
        if refuses {
            self.cluster.refuses.insert(names::NODE_AGENT.to_owned());
            self.cluster.effect_of_applying = Effect::Refused(Refusal {
                kind: FailureKind::Denied("no".to_owned()),
                text: "applying DaemonSet mesh/istio-cni-node: no".to_owned(),
            });
        }
    }

    /// Somebody says what pods get.
    fn edit_injection(&mut self, injection: Injection) {
        if self.live(&CONFIG_MAP, names::INJECTOR_CONFIG).is_none() {
            return;
        }
        let enabled = injection == Injection::IstioValidation;
        let values = json!({"pilot": {"cni": {"enabled": enabled}}}).to_string();
        self.cluster
            .edit_data(names::INJECTOR_CONFIG, "values", &values);
        self.is_configured_by_charm = false;
    }

    fn scale_istiod(&mut self, replicas: u32) {
        if self.live(&DEPLOYMENT, names::ISTIOD).is_none() {
            return;
        }
        self.is_scaled_to_zero = replicas == 0;
        self.cluster.change_named(&DEPLOYMENT, names::ISTIOD, |it| {
            it["spec"]["replicas"] = replicas.into();
            it["status"] = json!({
                "observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas,
                "availableReplicas": replicas,
            });
        });
        if replicas > 0 {
            // It reads the configuration before it answers.
            (0..self.istiods.len()).for_each(|it| self.take_up(it));
        }
    }

    /// An istiod reads the injection configuration.
    fn take_up(&mut self, istiod: usize) {
        let by_charm = self.is_configured_by_charm;
        self.istiods[istiod].view = self.configured().map(|it| (it, by_charm));
    }
}

#[cfg(test)]
mod tests;
