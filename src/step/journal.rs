//! What one hook has done and seen: a value.
//!
//! All times are durations since the hook began, so that nothing here needs a clock.

use std::time::Duration;

use super::deadlines::{LEADERSHIP_GUARANTEE, LEADERSHIP_TRUST, Timeouts};
use crate::assess::Assessment;
use crate::assess::awaited::Awaited;
use crate::cluster::error::Retry;
use crate::cni::Phase;
use crate::cni::acknowledgement::{Acknowledgements, Holding};
use crate::cni::rollout::AgentFault;
use crate::istio::Injection;
use crate::k8s::object::{Object, ObjectId};
use crate::observed::attempts::{Attempts, Refusal};
use crate::observed::{Effect, Overdue};

/// How long the rest of a burst of changes may take to arrive.
pub const BURST: Duration = Duration::from_millis(50);
/// How long an observation is trusted at most, whatever the watches report.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// After how many failures in a row, which take about 3 s, they are told.
const FAILURES_TOLD: u32 = 6;
/// After how long it is worth finding out the reason.
const LONG: Duration = Duration::from_secs(15);
/// How long a fault must stay the same before it is reported, so that all nodes with it are named.
const SAME_FAULT: Duration = Duration::from_secs(2);
/// After how long a fault that keeps changing is reported as it is.
const ANY_FAULT: Duration = Duration::from_secs(10);

/// What one hook has done and seen.
#[derive(Clone, Debug)]
pub struct Journal {
    timeouts: Timeouts,
    /// When the unit was known to be the leader; `None` before it was asked, and after a wait.
    led_at: Option<Duration>,
    /// When the unit was last told that it leads. A hook that reconciles begins with that.
    told_at: Duration,
    /// Since when no other unit can have led.
    led_since: Duration,
    /// How many turns in a row have failed.
    failures: u32,
    /// The phase of the last assessment.
    phase: Phase,
    /// What was awaited when it last moved, and when that was.
    progress: (Vec<String>, Duration),
    fault: Option<FaultSeen>,
    attempts: Attempts,
    acknowledgement: Acknowledgement,
    /// What applying the DaemonSet does, with the version for which that was found out.
    effect_of_applying: Option<(String, Effect)>,
    /// Whether this hook has seen the removal of the node agent.
    agent_went: bool,
    /// What was still to be deleted at the last assessment.
    remaining: Vec<ObjectId>,
    /// Harmless oddities, for the log.
    warnings: Vec<String>,
}

/// The latest fault of the node agent.
#[derive(Clone, Debug)]
struct FaultSeen {
    fault: AgentFault,
    /// Since when it has been the same.
    same_since: Duration,
    /// Since when there has been any.
    since: Duration,
}

/// What the istiods have answered since the injection configuration went back.
#[derive(Clone, Debug, Default)]
struct Acknowledgement {
    /// When they were first asked.
    asking_since: Option<Duration>,
    answers: Acknowledgements,
    /// When all of them had acknowledged the change.
    at: Option<Duration>,
}

impl Journal {
    /// The journal of a hook that begins. It asks for leadership before its first write: what the
    /// unit was told before may be old.
    pub fn start(timeouts: Timeouts) -> Self {
        Self {
            timeouts,
            led_at: None,
            told_at: Duration::ZERO,
            led_since: Duration::ZERO,
            failures: 0,
            phase: Phase::Off,
            progress: (Vec::new(), Duration::ZERO),
            fault: None,
            attempts: Attempts::default(),
            acknowledgement: Acknowledgement::default(),
            effect_of_applying: None,
            agent_went: false,
            remaining: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Notes what an assessment has shown.
    pub fn assessed(&mut self, assessment: &Assessment, now: Duration) {
        self.phase = assessment.phase;
        self.agent_went |= assessment.phase == Phase::Removing;
        let deletions = assessment.plan.deletions.iter().map(|it| &it.id);
        self.remaining = deletions.chain(&assessment.frozen).cloned().collect();
        self.note_fault(assessment.fault.as_ref(), now);
        self.note_progress(assessment, now);
        let continues = match assessment.phase {
            Phase::Removing => true,
            Phase::Draining => !assessment.awaited.contains(&Awaited::InjectionChange),
            Phase::Off | Phase::RollingOut | Phase::On => false,
        };
        if !continues {
            self.acknowledgement = Acknowledgement::default();
        }
    }

    fn note_fault(&mut self, fault: Option<&AgentFault>, now: Duration) {
        self.fault = fault.map(|fault| {
            let seen = self.fault.take();
            let since = seen.as_ref().map_or(now, |it| it.since);
            let same = seen.filter(|it| it.fault == *fault);
            FaultSeen {
                fault: fault.clone(),
                same_since: same.map_or(now, |it| it.same_since),
                since,
            }
        });
    }

    /// Notes whether what is awaited moves. Its progress shows that; its reasons do not, because
    /// those of a pod that keeps failing change for ever.
    fn note_progress(&mut self, assessment: &Assessment, now: Duration) {
        let progress: Vec<String> = match assessment.fault {
            Some(_) => assessment
                .gate
                .awaited
                .iter()
                .map(Awaited::progress)
                .collect(),
            None => assessment.all_awaited().map(Awaited::progress).collect(),
        };
        if progress != self.progress.0 {
            self.progress = (progress, now);
        }
    }

    /// Whether the time for what is awaited is over.
    pub fn is_over(&self, now: Duration) -> bool {
        let Timeouts {
            ordinary,
            switching,
            ..
        } = self.timeouts;
        if !self.phase.is_transition() {
            return now >= ordinary;
        }
        let is_moving = now < self.progress.1 + ordinary;
        now >= switching || (now >= ordinary && !is_moving)
    }

    /// Whether a fault has lasted long enough to be reported. It appears on one node after the
    /// other.
    pub fn has_settled_fault(&self, now: Duration) -> bool {
        let longest = self.timeouts.ordinary;
        self.fault.as_ref().is_some_and(|seen| {
            now >= seen.same_since + SAME_FAULT.min(longest)
                || now >= seen.since + ANY_FAULT.min(longest)
        })
    }

    /// Whether the hook has run longer than it does when all goes well.
    pub fn takes_long(&self, now: Duration) -> bool {
        now >= LONG.min(self.timeouts.ordinary)
    }

    /// How long to wait for a change before observing again anyway.
    pub fn until_next_look(&self, next_look: Option<Duration>, now: Duration) -> Duration {
        let settling = self.fault.as_ref().map(|_| SAME_FAULT);
        let pause = next_look.or(settling);
        let remaining = self.timeouts.switching.saturating_sub(now);
        pause.unwrap_or(LONGEST_PAUSE).min(remaining.max(BURST))
    }

    /// Notes a round in which no request failed.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Notes a request that failed. Returns the pause before trying again; `None` when the hook has
    /// to end.
    pub fn failed(&mut self, failure: Retry, now: Duration) -> Option<Duration> {
        self.failures += 1;
        let pause = self.timeouts.retry(self.failures, failure, now)?;
        (now + pause <= self.timeouts.of(self.phase)).then_some(pause)
    }

    /// Whether requests have failed for so long that it is worth telling.
    pub fn keeps_failing(&self) -> bool {
        self.failures == FAILURES_TOLD
    }

    /// How long a round may take that begins now; `None` for the only round of a hook that looks
    /// once.
    pub fn longest_round(&self, now: Duration) -> Option<Duration> {
        let longest = self.timeouts.of(self.phase);
        (!longest.is_zero()).then(|| longest.saturating_sub(now))
    }

    /// What has held up a removal for as long as it may.
    pub fn overdue(&self, now: Duration) -> Overdue {
        let is_over = |time: Option<Duration>| time.is_some_and(|time| now >= time);
        Overdue {
            drain: is_over(self.timeouts.drain),
            agent_pods: is_over(self.timeouts.agent_pods),
        }
    }

    /// Whether the unit is certainly the leader, without asking again.
    pub fn leads(&self, now: Duration) -> bool {
        self.led_at
            .is_some_and(|led_at| now.saturating_sub(led_at) < LEADERSHIP_TRUST)
    }

    /// Notes that the unit was found to be the leader, or not.
    pub fn asked_for_leadership(&mut self, leads: bool, now: Duration) {
        self.led_at = leads.then_some(now);
        if leads {
            if now.saturating_sub(self.told_at) >= LEADERSHIP_GUARANTEE {
                self.led_since = now;
            }
            self.told_at = now;
        }
    }

    /// Whether it is so long ago that the unit was told that it leads that it should be asked before a
    /// look, which may take long.
    pub fn should_ask_for_leadership(&self, now: Duration) -> bool {
        now.saturating_sub(self.told_at) >= LEADERSHIP_TRUST
    }

    /// Whether what was seen then is what this unit may act on: no other unit can have led, and so
    /// changed it, in between.
    pub fn may_act_on_view_of(&self, looked_at: Duration) -> bool {
        looked_at >= self.led_since
    }

    /// Notes a wait, after which the unit may no longer be the leader.
    pub fn waited(&mut self) {
        self.led_at = None;
    }

    /// What this hook has tried to write so far.
    pub fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    /// Notes that an object was applied: its version before and after.
    pub fn applied(&mut self, wanted: &Object, before: Option<&str>, after: Option<&str>) {
        self.attempts.applied(wanted, before, after);
    }

    /// Notes that the cluster does not take an object.
    pub fn refused(&mut self, wanted: &Object, refusal: Refusal) {
        self.attempts.refused(wanted, refusal);
    }

    /// Whether this hook has applied anything.
    pub fn has_applied(&self) -> bool {
        self.attempts.has_applied()
    }

    /// Whether this hook has seen the removal of the node agent.
    pub fn has_seen_agent_go(&self) -> bool {
        self.agent_went
    }

    /// Notes that the server has deleted an object, or will as soon as nothing keeps it.
    pub fn deleted(&mut self, id: &ObjectId) {
        self.remaining.retain(|it| it != id);
    }

    /// What was still to be deleted at the last assessment, without what has been deleted since.
    pub fn remaining(&self) -> &[ObjectId] {
        &self.remaining
    }

    /// Notes a harmless oddity.
    pub fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// Harmless oddities, for the log.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What applying to the DaemonSet of that version does, if that was found out.
    pub fn effect_of_applying(&self, version: &str) -> Option<Effect> {
        let (known, effect) = self.effect_of_applying.as_ref()?;
        (known == version).then(|| effect.clone())
    }

    /// Notes what applying to the DaemonSet of that version does.
    pub fn tried_daemon_set(&mut self, version: &str, effect: Effect) {
        self.effect_of_applying = Some((version.to_owned(), effect));
    }

    /// Notes what every ready istiod injects. Returns the istiods that hold up the switch; when
    /// there are none, all have acknowledged it.
    pub fn istiods_answered(
        &mut self,
        answers: &[(String, Option<Injection>)],
        now: Duration,
    ) -> Vec<Holding> {
        let acknowledgement = &mut self.acknowledgement;
        let since = *acknowledgement.asking_since.get_or_insert(now);
        let at = now.saturating_sub(since);
        let holding = acknowledgement
            .answers
            .answered(at, answers, Injection::IstioInit);
        if holding.is_empty() {
            self.acknowledged(now);
        }
        holding
    }

    /// Notes that no istiod injects `istio-validation` any more.
    pub fn acknowledged(&mut self, now: Duration) {
        self.acknowledgement.at.get_or_insert(now);
    }

    /// For how long no istiod has injected `istio-validation`; `None` while one may.
    pub fn acknowledged_for(&self, now: Duration) -> Option<Duration> {
        self.acknowledgement.at.map(|at| now.saturating_sub(at))
    }
}

#[cfg(test)]
mod tests;
