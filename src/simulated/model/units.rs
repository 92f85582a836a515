//! The two units: what they see, and what they write.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::{Fault, Model, Options};
use crate::assess::assess;
use crate::cluster::error::Retry;
use crate::cni::Phase;
use crate::istio::{Injection, names};
use crate::k8s::kind::{CONFIG_MAP, DAEMON_SET, DEPLOYMENT};
use crate::k8s::object::{Object, ObjectId};
use crate::plan::{Deletion, Upsert};
use crate::simulated::{counted, refusal};
use crate::step::journal::Journal;
use crate::step::{Step, next_step};

/// How long a leader may rely on an answer of `is-leader`
/// (<https://documentation.ubuntu.com/juju/3.6/reference/hook-command/list-of-hook-commands/is-leader/>).
const GUARANTEE: Duration = Duration::from_secs(30);
/// The shortest time that the last look of a hook has.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// One unit of the application.
#[derive(Clone, Debug, Default)]
pub(super) struct Unit {
    pub(super) hook: Option<Hook>,
    /// When it was last told that it leads.
    pub(super) told_at: Option<Duration>,
    /// Whether its last hook has ended, and the unit with it.
    pub(super) is_gone: bool,
}

/// A hook that is at work.
#[derive(Clone, Debug)]
pub(super) struct Hook {
    pub(super) options: Options,
    journal: Journal,
    pub(super) began: Duration,
    /// What the last look has led to and is still to be written.
    writes: VecDeque<Write>,
    pub(super) looked: Looked,
    /// How long it waits if nothing happens.
    pub(super) pause: Duration,
}

/// One write, and the version of the object that was seen.
#[derive(Clone, Debug)]
enum Write {
    Apply(Upsert, Option<String>),
    Delete(Deletion),
}

/// How things were when a unit looked. What changes afterwards it cannot know.
#[derive(Clone, Debug, Default)]
pub(super) struct Looked {
    /// What had happened by then.
    pub(super) count: u64,
    /// The time since its hook began.
    pub(super) at: Duration,
    /// When the round that began with it is given up.
    pub(super) until: Duration,
    /// Pods that needed the node agent, whether they had appeared or not.
    pub(super) in_need: BTreeSet<String>,
    /// Nodes with the node agent.
    pub(super) with_agent: BTreeSet<String>,
    /// Those of them that were away.
    pub(super) away: BTreeSet<String>,
    /// Whether another control plane relied on the node agent.
    pub(super) is_relied_on: bool,
}

/// What comes of an attempt to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Done,
    /// The object is not what it was when it was seen.
    Outdated,
    /// Another unit may have led since this one looked.
    LookAgain,
    /// The unit no longer leads, or was killed.
    Ended,
}

impl Model {
    /// What is-leader says.
    fn is_leader(&mut self, unit: usize) -> bool {
        let leads = self.leader == unit;
        if leads {
            self.units[unit].told_at = Some(self.time);
        }
        leads
    }

    /// Juju makes another unit the leader, once nobody may rely on the old answer any more.
    pub(super) fn lead(&mut self, unit: usize) {
        if unit == self.leader || self.units[unit].is_gone {
            return;
        }
        let relies = self.units[self.leader].told_at.map(|it| it + GUARANTEE);
        self.time = self.time.max(relies.unwrap_or_default());
        self.leader = unit;
        self.tell(&format!("unit {unit} leads"));
    }

    /// A unit looks, or makes so many of the writes that follow from its last look. A hook begins if
    /// there is none.
    pub(super) fn run_unit(&mut self, unit: usize, writes: usize) {
        let hook = self.units[unit].hook.take();
        let Some(mut hook) = hook.or_else(|| self.begin_hook(unit)) else {
            return;
        };
        self.cluster.intent = hook.options.desired().intent().clone();
        self.cluster.now = self.time.saturating_sub(hook.began);
        std::mem::swap(&mut self.cluster.journal, &mut hook.journal);
        let goes_on = if hook.writes.is_empty() {
            self.look(unit, &mut hook)
        } else {
            self.write(unit, &mut hook, writes)
        };
        std::mem::swap(&mut self.cluster.journal, &mut hook.journal);
        if goes_on {
            self.units[unit].hook = Some(hook);
        }
    }

    fn begin_hook(&mut self, unit: usize) -> Option<Hook> {
        // The hook of a removal asks nobody. A follower's hook ends at once.
        let is_removal = self.options == Options::Removal;
        if self.units[unit].is_gone || !(is_removal || self.is_leader(unit)) {
            return None;
        }
        // A hook that began before the removal makes again what another unit removes, until it ends and
        // its own unit removes that. That is not played: neither can know of the other.
        let is_before = |it: &Unit| {
            it.hook
                .as_ref()
                .is_some_and(|it| it.options != Options::Removal)
        };
        if is_removal && self.units.iter().any(is_before) {
            return None;
        }
        Some(Hook {
            options: self.options,
            journal: Journal::start(self.options.timeouts()),
            began: self.time,
            writes: VecDeque::new(),
            looked: Looked::default(),
            pause: Duration::ZERO,
        })
    }

    /// Looks at everything and decides what follows; whether the hook goes on.
    fn look(&mut self, unit: usize, hook: &mut Hook) -> bool {
        self.show_nodes();
        let now = self.cluster.now;
        let longest = self.cluster.journal.longest_round(now).unwrap_or_default();
        hook.looked = Looked {
            count: self.count,
            at: now,
            until: now + longest.max(LAST_LOOK),
            ..self.what_is_needed()
        };
        self.cluster.injects = (self.fault != Some(Fault::BelievesIstiods)).then(|| self.answers());
        let desired = hook.options.desired();
        let observed = self.cluster.observe(desired);
        let assessment = assess(desired, &observed).unwrap();
        self.cluster.journal.assessed(&assessment, now);
        let phase = assessment.phase;
        if phase == Phase::Draining {
            self.istiods_were_asked();
        }
        hook.pause = Duration::ZERO;
        match next_step(&assessment, &self.cluster.journal, now) {
            Step::Apply(upserts) => {
                let all = counted(upserts.iter().map(|it| it.object.id()));
                self.tell(&format!("unit {unit}, {phase:?}: will apply {all}"));
                match self.permission(unit, hook) {
                    Written::Done => hook.writes = self.checked(&upserts),
                    Written::LookAgain => {}
                    _ => return false,
                }
            }
            Step::Delete(deletions) => {
                let all = counted(deletions.iter().map(|it| &it.id));
                self.tell(&format!("unit {unit}, {phase:?}: will delete {all}"));
                let deletions = deletions.into_iter().cloned();
                match self.permission(unit, hook) {
                    Written::Done => hook.writes = deletions.map(Write::Delete).collect(),
                    Written::LookAgain => {}
                    _ => return false,
                }
            }
            Step::Wait(wait) => {
                self.cluster.journal.waited();
                let shown = wait.shown.unwrap_or_default();
                self.tell(&format!("unit {unit}, {phase:?}: waits: {shown}"));
                hook.pause = wait.pause;
            }
            Step::Finish(conditions) => {
                let report = self.cluster.report(conditions, observed, assessment);
                self.tell(&format!("unit {unit}, {phase:?}: {}", report.status));
                self.check_status(hook.options, &report.status);
                return self.hook_ends(unit, hook);
            }
        }
        true
    }

    fn hook_ends(&mut self, unit: usize, hook: &Hook) -> bool {
        self.units[unit].is_gone = hook.options == Options::Removal;
        false
    }

    /// The writes, if the cluster takes all of them.
    fn checked(&mut self, upserts: &[&Upsert]) -> VecDeque<Write> {
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
        if !refused.is_empty() {
            return VecDeque::new();
        }
        let writes = upserts.iter().map(|upsert| {
            let seen = self.cluster.live.get(upsert.object.id());
            let version = seen.and_then(Object::resource_version).map(str::to_owned);
            Write::Apply((*upsert).clone(), version)
        });
        writes.collect()
    }

    /// Makes so many writes; whether the hook goes on.
    fn write(&mut self, unit: usize, hook: &mut Hook, count: usize) -> bool {
        let now = self.cluster.now;
        for _ in 0..count {
            let Some(write) = hook.writes.pop_front() else {
                break;
            };
            let written = if now > hook.looked.until {
                Written::Outdated
            } else {
                self.write_one(unit, hook, &write)
            };
            match written {
                Written::Done => {}
                Written::Outdated => {
                    self.tell(&format!("unit {unit}: that is out of date"));
                    hook.writes.clear();
                    let again = self.cluster.journal.failed(Retry::InTime, now);
                    return again.is_some() || self.hook_ends(unit, hook);
                }
                Written::LookAgain => hook.writes.clear(),
                // One that was killed runs again.
                Written::Ended => return false,
            }
        }
        if hook.writes.is_empty() {
            self.cluster.journal.succeeded();
        }
        true
    }

    fn write_one(&mut self, unit: usize, hook: &Hook, write: &Write) -> Written {
        if self.is_killed(unit) {
            return Written::Ended;
        }
        let permission = self.permission(unit, hook);
        if permission != Written::Done {
            return permission;
        }
        self.writes += 1;
        if hook.options != Options::Removal {
            self.check_leadership(unit);
        }
        match write {
            Write::Apply(upsert, seen) => self.apply(hook, upsert, seen.as_deref()),
            Write::Delete(deletion) => {
                self.delete(hook, deletion);
                Written::Done
            }
        }
    }

    fn is_killed(&mut self, unit: usize) -> bool {
        match &mut self.killed_after {
            Some(0) => {
                self.killed_after = None;
                self.tell(&format!("unit {unit}: killed"));
                true
            }
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }

    /// Whether a unit may write, as the real one finds out. One that goes away asks nobody.
    fn permission(&mut self, unit: usize, hook: &Hook) -> Written {
        let now = self.cluster.now;
        let trusts = self.fault == Some(Fault::TrustsItsLeadership) && now > Duration::ZERO;
        if hook.options == Options::Removal || trusts {
            return Written::Done;
        }
        if !self.cluster.journal.leads(now) {
            let leads = self.is_leader(unit);
            self.cluster.journal.asked_for_leadership(leads, now);
            if !leads {
                return Written::Ended;
            }
        }
        let trusts = self.fault == Some(Fault::TrustsItsView);
        if trusts || self.cluster.journal.may_act_on_view_of(hook.looked.at) {
            Written::Done
        } else {
            Written::LookAgain
        }
    }

    fn apply(&mut self, hook: &Hook, upsert: &Upsert, seen: Option<&str>) -> Written {
        let id = upsert.object.id();
        let before = self.cluster.live.get(id).cloned();
        let version = before.as_ref().and_then(Object::resource_version);
        let is_seen = upsert.only_at.is_none() || upsert.only_at.as_deref() == version;
        if !is_seen && self.fault != Some(Fault::WritesOverAnything) {
            return Written::Outdated;
        }
        self.check_write(id, seen, version);
        let switches_on = self.configured() != Some(Injection::IstioValidation);
        self.cluster.put(upsert.object.value().clone());
        let after = self.cluster.live[id].resource_version().map(str::to_owned);
        let journal = &mut self.cluster.journal;
        journal.applied(&upsert.object, seen, after.as_deref());
        self.applied(id, before.as_ref());
        if switches_on && self.configured() == Some(Injection::IstioValidation) {
            self.switched_on_by = hook.looked.count;
        }
        Written::Done
    }

    /// What follows when an object was applied.
    fn applied(&mut self, id: &ObjectId, before: Option<&Object>) {
        if id.is(&DAEMON_SET) {
            self.daemon_set_applied(before);
        }
        if id.is(&CONFIG_MAP) && id.name == names::INJECTOR_CONFIG {
            self.is_configured_by_charm = true;
        }
        if id.is(&DEPLOYMENT) {
            if before.is_none() {
                self.istiods_start();
            } else if self.is_scaled_to_zero {
                // That field is somebody else's.
                self.scale_istiod(0);
            }
        }
    }

    fn delete(&mut self, hook: &Hook, deletion: &Deletion) {
        let id = &deletion.id;
        let live = self.cluster.live.get(id);
        if live.and_then(Object::uid) != Some(deletion.uid.as_str()) {
            return;
        }
        self.check_deletion(hook, id);
        if id.is(&DAEMON_SET) {
            self.delete_daemon_set();
        } else {
            self.cluster.live.remove(id);
        }
        if id.is(&DEPLOYMENT) {
            self.istiods_end();
        }
    }
}
