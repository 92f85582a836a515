//! Models with real hook processes and the real hook tool program.

// Helpers outside test functions unwrap too: a failure there is a failed test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod cluster;
mod command_line;
mod common;
mod comparison;
mod failing_tools;
mod hooks;
mod recording;
mod refusals;
mod story;
mod versions;
