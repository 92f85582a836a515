//! What checks found, and how it is told.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::Result;

/// What came of one check.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It ran and found nothing wrong.
    Passed,
    /// It could not run here, and why.
    LeftOut(String),
    /// Only root may run it, and this is another user.
    NeedsRoot(String),
    /// It ran and found something wrong, or could not run where it must.
    Failed(String),
}

/// All checks of one run, in the order in which they ended.
#[derive(Debug)]
pub(crate) struct Report {
    /// Tells what goes on while checks run.
    announce: fn(&str),
    checks: Vec<(String, Outcome, Duration)>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(announce: fn(&str)) -> Self {
        Self {
            announce,
            checks: Vec::new(),
        }
    }

    /// Runs a check: an error means that it failed.
    pub(crate) fn run(&mut self, name: &str, check: impl FnOnce() -> Result<()>) {
        self.run_if_possible(name, || check().map(|()| Outcome::Passed));
    }

    /// Runs a check that can find out that it cannot run here.
    pub(crate) fn run_if_possible(&mut self, name: &str, check: impl FnOnce() -> Result<Outcome>) {
        (self.announce)(&format!("== {name}"));
        let started = Instant::now();
        let outcome = check().unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        if let Outcome::Failed(why) = &outcome {
            (self.announce)(&format!("FAILED: {why}"));
        }
        self.checks
            .push((name.to_owned(), outcome, started.elapsed()));
    }

    /// Adds something that was not run as a check of its own.
    pub(crate) fn add(&mut self, name: &str, outcome: Outcome) {
        self.checks.push((name.to_owned(), outcome, Duration::ZERO));
    }

    /// Whether the run as a whole is a success; with `complete`, nothing may be left out that this
    /// user may run.
    pub(crate) fn is_success(&self, complete: bool) -> bool {
        self.checks.iter().all(|(_, outcome, _)| match outcome {
            Outcome::Passed | Outcome::NeedsRoot(_) => true,
            Outcome::LeftOut(_) => !complete,
            Outcome::Failed(_) => false,
        })
    }

    /// The closing lines: each check, then loudly what was left out and what failed.
    pub(crate) fn summary(&self) -> String {
        let mut text = String::from("\n");
        let mut left_out = String::new();
        let mut failed = String::new();
        // Writing to a String cannot fail.
        for (name, outcome, time) in &self.checks {
            let word = match outcome {
                Outcome::Passed => "passed",
                Outcome::LeftOut(why) | Outcome::NeedsRoot(why) => {
                    let _ = writeln!(left_out, "  {name}: {why}");
                    "LEFT OUT"
                }
                Outcome::Failed(why) => {
                    let _ = writeln!(failed, "  {name}: {why}");
                    "FAILED"
                }
            };
            let _ = writeln!(text, "{word:>8}  {name} ({} s)", time.as_secs());
        }
        for (title, list) in [
            ("LEFT OUT, NOT CHECKED HERE:", left_out),
            ("FAILED:", failed),
        ] {
            if !list.is_empty() {
                let _ = write!(text, "\n{title}\n{list}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn a_failed_check_fails_the_run_and_is_named() {
        let mut report = Report::new(|_| ());
        report.run("good", || Ok(()));
        assert!(report.is_success(true));
        report.run("bad", || bail!("the reason"));
        assert!(!report.is_success(false));
        let summary = report.summary();
        assert!(
            summary.contains("FAILED:\n  bad: the reason\n"),
            "{summary}"
        );
        assert!(summary.contains("passed  good"), "{summary}");
    }

    #[test]
    fn what_is_left_out_is_told_and_fails_only_a_complete_run() {
        let mut report = Report::new(|_| ());
        report.run_if_possible("far", || Ok(Outcome::LeftOut("no network".to_owned())));
        report.add("a test", Outcome::LeftOut("ignored".to_owned()));
        assert!(report.is_success(false));
        assert!(!report.is_success(true));
        let summary = report.summary();
        assert!(
            summary
                .ends_with("LEFT OUT, NOT CHECKED HERE:\n  far: no network\n  a test: ignored\n"),
            "{summary}"
        );
    }

    #[test]
    fn what_needs_root_is_told_and_fails_no_run_of_others() {
        let mut report = Report::new(|_| ());
        report.add("node", Outcome::NeedsRoot("needs root".to_owned()));
        assert!(report.is_success(true));
        let summary = report.summary();
        assert!(
            summary.ends_with("LEFT OUT, NOT CHECKED HERE:\n  node: needs root\n"),
            "{summary}"
        );
    }
}
