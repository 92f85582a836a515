//! How long a hook waits.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::error::ClusterError;
use crate::cni::Phase;
use crate::cni::rollout::Fault;
use crate::decide::Awaited;

/// How often a failed request is tried again.
pub(super) const RETRIES: u32 = 5;
/// How long the rest of a burst of changes may take to arrive.
pub(super) const BURST: Duration = Duration::from_millis(50);
/// How long a look stays true at most, whatever the watches say.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// After how long it is worth asking why.
const LONG: Duration = Duration::from_secs(15);

/// How long a fault must stay the same, so that all nodes that have it are named.
const SAME_FAULT: Duration = Duration::from_secs(2);
/// After how long a fault that keeps changing is told all the same.
const ANY_FAULT: Duration = Duration::from_secs(10);

/// How long one hook may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// For an ordinary wait.
    pub ordinary: Duration,
    /// For a CNI switch that is half done and moving.
    pub switching: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            ordinary: Duration::from_secs(120),
            switching: Duration::from_secs(600),
        }
    }
}

impl Bounds {
    /// Both bounds the same.
    pub fn both(bound: Duration) -> Self {
        Self {
            ordinary: bound,
            switching: bound,
        }
    }
}

/// The pause before trying again, doubling from 100 ms.
pub(super) fn pause_after_failure(failures: u32) -> Duration {
    Duration::from_millis(100) * 2_u32.saturating_pow(failures.min(8).saturating_sub(1))
}

/// Sends a request, and again after failures that may pass.
///
/// # Errors
/// The last failure, or the first that does not pass.
pub async fn retried<T, F>(bounds: Bounds, request: impl Fn() -> F) -> Result<T, ClusterError>
where
    F: Future<Output = Result<T, ClusterError>>,
{
    let patience = Patience::new(bounds);
    let mut failures = 0;
    loop {
        match request().await {
            Err(error) if error.is_transient() => {
                failures += 1;
                let pause = pause_after_failure(failures);
                if failures > RETRIES || !patience.allows(pause, Phase::Off) {
                    return Err(error);
                }
                tokio::time::sleep(pause).await;
            }
            other => return other,
        }
    }
}

/// What is left of the time.
#[derive(Debug)]
pub(super) struct Patience {
    bounds: Bounds,
    ordinary_until: Instant,
    switching_until: Instant,
    started: Instant,
    moved: Instant,
    seen: Vec<String>,
    /// The latest fault, since when it is the same, and since when there is one.
    fault: Option<(Fault, Instant, Instant)>,
}

impl Patience {
    pub(super) fn new(bounds: Bounds) -> Self {
        let now = Instant::now();
        Self {
            bounds,
            ordinary_until: now + bounds.ordinary,
            switching_until: now + bounds.switching,
            started: now,
            moved: now,
            seen: Vec::new(),
            fault: None,
        }
    }

    /// Whether a pause of that length is still within the time that a phase has.
    pub(super) fn allows(&self, pause: Duration, phase: Phase) -> bool {
        let until = if phase.is_transition() {
            self.switching_until
        } else {
            self.ordinary_until
        };
        Instant::now() + pause <= until
    }

    /// Whether the time for what is awaited is over. How far that is tells whether it moves; the
    /// reasons do not, as those of a pod that keeps failing change for ever.
    pub(super) fn is_over(&mut self, awaited: &[Awaited], phase: Phase) -> bool {
        let now = Instant::now();
        let far = || awaited.iter().map(|it| &it.progress);
        if !far().eq(&self.seen) {
            self.seen = far().cloned().collect();
            self.moved = now;
        }
        if !phase.is_transition() {
            return now >= self.ordinary_until;
        }
        let moving = now < self.moved + self.bounds.ordinary;
        now >= self.switching_until || (now >= self.ordinary_until && !moving)
    }

    /// Whether a fault has been there long enough to be told, if there is one. Nodes come upon it
    /// one by one.
    pub(super) fn has_settled(&mut self, fault: Option<&Fault>) -> bool {
        let now = Instant::now();
        let Some(fault) = fault else {
            self.fault = None;
            return true;
        };
        let (same_since, since) = match self.fault.take() {
            Some((seen, same_since, since)) if seen == *fault => (same_since, since),
            Some((_, _, since)) => (now, since),
            None => (now, now),
        };
        self.fault = Some((fault.clone(), same_since, since));
        let longest = self.bounds.ordinary;
        now >= same_since + SAME_FAULT.min(longest) || now >= since + ANY_FAULT.min(longest)
    }

    /// Whether it has taken longer than things that go well.
    pub(super) fn is_long(&self) -> bool {
        self.started.elapsed() >= LONG.min(self.bounds.ordinary)
    }

    /// How long to wait for a change before looking again anyway.
    pub(super) fn until_next_look(&self, poll: Option<Duration>) -> Duration {
        let poll = poll.or(self.fault.as_ref().map(|_| SAME_FAULT));
        let left = self
            .switching_until
            .saturating_duration_since(Instant::now());
        poll.unwrap_or(LONGEST_PAUSE)
            .min(LONGEST_PAUSE)
            .min(left.max(BURST))
    }
}
