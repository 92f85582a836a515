//! How long a hook waits for what.

use std::time::Duration;

use crate::cni::Phase;

/// How often a failed request is tried again, where the time would allow more.
const RETRIES: u32 = 5;
/// The longest pause before a failed request is tried again.
const LONGEST_RETRY: Duration = Duration::from_secs(1);

/// For how long a unit that was the leader is so for certain: half of what Juju guarantees, as
/// what follows takes time too
/// (<https://documentation.ubuntu.com/juju/3.6/reference/hook-command/list-of-hook-commands/is-leader/>).
pub const LEADERSHIP_TRUST: Duration = Duration::from_secs(15);

/// How long one hook may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For an ordinary wait.
    pub ordinary: Duration,
    /// For a CNI switch that is half done and moving.
    pub switching: Duration,
    /// For how long, from the beginning, pods that need the node agent may hold its removal;
    /// `None` for as long as the hook lasts.
    pub drain: Option<Duration>,
    /// For how long, from the beginning, pods of the node agent may hold the removal of its rights;
    /// `None` for as long as the hook lasts.
    pub agent_pods: Option<Duration>,
    /// Whether what is refused is tried again until the time is over.
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

    /// The timeouts of a removal: a minute at most, as a longer one would only hold up
    /// `juju remove-application`.
    #[must_use]
    pub fn of_removal(self) -> Self {
        let longest = Duration::from_secs(60).min(self.ordinary);
        Self {
            ordinary: longest,
            switching: longest,
            drain: Some(Duration::from_secs(20)),
            // With its rights it takes the plugin out of the nodes.
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

    /// The pause before a request is sent again that has failed so many times in a row; `None` when
    /// it is not worth it.
    pub fn retry(&self, failures: u32, is_transient: bool) -> Option<Duration> {
        let is_worth_it = self.persistent || (is_transient && failures <= RETRIES);
        is_worth_it.then(|| pause_after(failures))
    }
}

/// The pause after so many failures, doubling from 100 ms.
fn pause_after(failures: u32) -> Duration {
    let doublings = failures.min(8).saturating_sub(1);
    let pause = Duration::from_millis(100) * 2_u32.pow(doublings);
    // The last of the ordinary tries comes after 1.6 s; only a removal tries on.
    if failures > RETRIES {
        LONGEST_RETRY
    } else {
        pause
    }
}
