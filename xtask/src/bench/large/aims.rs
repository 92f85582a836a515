//! What is to be reached on a large cluster.

use std::time::Duration;

use super::super::aim::Aim;
use super::super::meter::Cost;
use super::Round;

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

/// All aims, and whether they were reached with all of the pods, compared with half of them.
pub(super) fn aims(half: &Round, whole: &Round) -> Vec<Aim> {
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
        Aim::new(
            "update-status with nothing to do takes less than 1 s",
            update_status.time < LONGEST,
        ),
        Aim::new("... less than 64 MB", update_status.peak < MOST_MEMORY),
        Aim::new(
            "... at most 60 requests",
            update_status.requests <= MOST_REQUESTS,
        ),
        Aim::new(
            "... and as many requests with half of the pods",
            same_requests,
        ),
        Aim::new(
            "list-stale-workloads takes less than 96 MB",
            whole.list.peak < MOST_MEMORY_OF_LIST,
        ),
        Aim::new(
            "the memory of nothing grows with the number of pods",
            !memories.into_iter().any(grows),
        ),
    ]
}
