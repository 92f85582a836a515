//! How long a hook waits for what.

use std::time::Duration;

use crate::cluster::error::Retry;
use crate::cni::Phase;

/// The longest pause before a failed request is tried again.
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// How long credentials that are not accepted are tried again: an API server that has just started
/// knows none for a moment.
const UNAUTHENTICATED: Duration = Duration::from_secs(15);

/// How long a unit certainly stays the leader after it was asked: half of what Juju guarantees, as
/// the writes that follow take time too
/// (<https://documentation.ubuntu.com/juju/3.6/reference/hook-command/list-of-hook-commands/is-leader/>).
pub const LEADERSHIP_TRUST: Duration = Duration::from_secs(15);

/// How long Juju guarantees that no other unit leads after a unit was told that it does (as above).
pub const LEADERSHIP_GUARANTEE: Duration = Duration::from_secs(30);

/// How long one hook may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// The longest ordinary wait; 120 s by default.
    pub ordinary: Duration,
    /// The longest wait for a CNI switch that is half done and moving; 600 s by default.
    pub switching: Duration,
    /// How long, from the beginning, pods that need the node agent may hold up its removal;
    /// `None` for as long as the hook lasts.
    pub drain: Option<Duration>,
    /// How long, from the beginning, pods of the node agent may hold up the removal of its rights;
    /// `None` for as long as the hook lasts.
    pub agent_pods: Option<Duration>,
    /// Whether refused requests are tried again until the time is over.
    pub persistent: bool,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            ordinary: Duration::from_secs(120),
            switching: Duration::from_secs(600),
            drain: None,
            agent_pods: None,
            persistent: false,
        }
    }
}

impl Timeouts {
    /// The same time for every wait.
    pub fn all(time: Duration) -> Self {
        Self {
            ordinary: time,
            switching: time,
            ..Self::default()
        }
    }

    /// The timeouts of a removal: a minute at most, because a longer removal would only hold up
    /// `juju remove-application`.
    #[must_use]
    pub fn of_removal(self) -> Self {
        let longest = Duration::from_secs(60).min(self.ordinary);
        Self {
            ordinary: longest,
            switching: longest,
            drain: Some(Duration::from_secs(20)),
            // The node agent needs its rights to remove the plugin from the nodes.
            agent_pods: Some(Duration::from_secs(40)),
            persistent: true,
        }
    }

    /// How long a phase may take.
    pub fn of(&self, phase: Phase) -> Duration {
        if phase.is_transition() {
            self.switching
        } else {
            self.ordinary
        }
    }

    /// The pause before a request is sent again after it has failed `failures` times in a row, at
    /// `now`; `None` when it should not be sent again.
    pub fn retry(&self, failures: u32, failure: Retry, now: Duration) -> Option<Duration> {
        let is_worth_it = match failure {
            Retry::InTime => true,
            Retry::AtFirst => self.persistent || now < UNAUTHENTICATED,
            Retry::Never => self.persistent,
        };
        is_worth_it.then(|| pause_after(failures))
    }
}

/// The pause after that many failures, doubling from 100 ms.
fn pause_after(failures: u32) -> Duration {
    let doublings = failures.min(8).saturating_sub(1);
    LONGEST_RETRY.min(Duration::from_millis(100) * 2_u32.pow(doublings))
}
