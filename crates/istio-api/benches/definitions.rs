//! How long making all definitions takes: `cargo bench -p istio-api`.
//!
//! With the allocator that the charm has.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints"
)]

use std::hint::black_box;
use std::time::Instant;

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const REPETITIONS: usize = 101;

fn main() {
    let mut times: Vec<_> = (0..REPETITIONS)
        .map(|_| {
            let begin = Instant::now();
            let definitions = istio_api::custom_resource_definitions().unwrap();
            let time = begin.elapsed();
            black_box(definitions);
            time
        })
        .collect();
    let first = times[0];
    times.sort();
    println!(
        "all definitions as objects: {:.1?} at first, {:.1?} in the middle of {REPETITIONS}, {:.1?} at best",
        first,
        times[REPETITIONS / 2],
        times[0],
    );
}
