//! What is to be reached on a large cluster.

use std::fmt;
use std::time::Duration;

use super::Round;
use super::meter::Cost;

/// In bytes, as all of these.
const MEGABYTE: u64 = 1_000_000;
/// What `update-status` may take at most when there is nothing to do.
const LONGEST: Duration = Duration::from_secs(1);
const MOST_REQUESTS: usize = 60;
const MOST_MEMORY: u64 = 64 * MEGABYTE;
/// The peak memory of `list-stale-workloads`.
const MOST_MEMORY_OF_LIST: u64 = 96 * MEGABYTE;
/// By how much the median of memory may differ between two rounds that do the same.
const NOISE: u64 = 4 * MEGABYTE;

/// Something to be reached.
pub(super) struct Aim {
    text: String,
    is_reached: bool,
}

impl Aim {
    /// All aims, and whether they were reached with all of the pods, compared with half of them.
    pub(super) fn all(half: &Round, whole: &Round) -> Vec<Self> {
        let update_status = whole.update_status;
        let memory = |of: fn(&Round) -> Cost| (of(half).peak, of(whole).peak);
        let grows = |(half, whole)| whole > half + NOISE;
        let memories = [
            memory(|it| it.update_status),
            memory(|it| it.switching_on),
            memory(|it| it.switching_off),
            memory(|it| it.list),
        ];
        let same_requests = half.update_status.requests == update_status.requests;
        vec![
            Self::new(
                "update-status with nothing to do takes less than 1 s",
                update_status.time < LONGEST,
            ),
            Self::new("... less than 64 MB", update_status.peak < MOST_MEMORY),
            Self::new(
                "... at most 60 requests",
                update_status.requests <= MOST_REQUESTS,
            ),
            Self::new(
                "... and as many requests with half of the pods",
                same_requests,
            ),
            Self::new(
                "list-stale-workloads takes less than 96 MB",
                whole.list.peak < MOST_MEMORY_OF_LIST,
            ),
            Self::new(
                "the memory of nothing grows with the number of pods",
                !memories.into_iter().any(grows),
            ),
        ]
    }

    fn new(text: &str, is_reached: bool) -> Self {
        Self {
            text: text.to_owned(),
            is_reached,
        }
    }

    pub(super) fn is_reached(&self) -> bool {
        self.is_reached
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reached = if self.is_reached { "reached" } else { "MISSED" };
        write!(formatter, "{reached:8} {}", self.text)
    }
}
