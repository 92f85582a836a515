//! Which cases passed, as a person likes to read it.

use std::io::{Write, stdout};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

/// The cases so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    passed: u32,
    failed: Vec<String>,
}

impl Report {
    /// Runs a case, whose answer is what there is to tell about it.
    pub(super) fn case(&mut self, name: &str, case: impl FnOnce() -> Result<String>) {
        let started = Instant::now();
        let result = case();
        let seconds = started.elapsed().as_secs_f32();
        match result {
            Ok(detail) => {
                self.passed += 1;
                print(&format!("  passed  {name} ({seconds:.1} s)"));
                for line in detail.lines() {
                    print(&format!("          {line}"));
                }
            }
            Err(error) => {
                print(&format!("  FAILED  {name} ({seconds:.1} s)"));
                for line in format!("{error:#}").lines() {
                    print(&format!("          {line}"));
                }
                self.failed.push(name.to_owned());
            }
        }
    }

    /// Prints the last line.
    pub(super) fn conclude(&self) -> ExitCode {
        for name in &self.failed {
            print(&format!("failed: {name}"));
        }
        print(&format!(
            "{} passed, {} failed",
            self.passed,
            self.failed.len()
        ));
        if self.failed.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// Prints a line of the result.
pub(super) fn print(line: &str) {
    // There is nothing to be done about a closed standard output.
    let _ = writeln!(stdout(), "{line}");
}
