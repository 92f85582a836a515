//! How long a hook waits.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::error::ClusterError;
use crate::cni::Phase;
use crate::decide::Awaited;

/// How often a failed request is tried again.
pub(super) const RETRIES: u32 = 5;
/// How long the rest of a burst of changes may take to arrive.
pub(super) const BURST: Duration = Duration::from_millis(50);
/// How long a look stays true at most, whatever the watches say.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// After how long it is worth asking why.
const LONG: Duration = Duration::from_secs(15);

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
                if failures > RETRIES || !patience.allows(pause) {
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
    seen: Vec<Awaited>,
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
        }
    }

    /// Whether a pause of that length is still within the time.
    pub(super) fn allows(&self, pause: Duration) -> bool {
        Instant::now() + pause <= self.ordinary_until
    }

    /// Whether the time for what is awaited is over. What is awaited tells whether it moves.
    pub(super) fn is_over(&mut self, awaited: &[Awaited], phase: Phase) -> bool {
        let now = Instant::now();
        if self.seen != awaited {
            self.seen = awaited.to_vec();
            self.moved = now;
        }
        if !phase.is_transition() {
            return now >= self.ordinary_until;
        }
        let moving = now < self.moved + self.bounds.ordinary;
        now >= self.switching_until || (now >= self.ordinary_until && !moving)
    }

    /// Whether it has taken longer than things that go well.
    pub(super) fn is_long(&self) -> bool {
        self.started.elapsed() >= LONG.min(self.bounds.ordinary)
    }

    /// How long to wait for a change before looking again anyway.
    pub(super) fn until_next_look(&self, poll: Option<Duration>) -> Duration {
        let left = self
            .switching_until
            .saturating_duration_since(Instant::now());
        poll.unwrap_or(LONGEST_PAUSE)
            .min(LONGEST_PAUSE)
            .min(left.max(BURST))
    }
}
