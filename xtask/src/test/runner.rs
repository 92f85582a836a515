//! Running `cargo test`, and reading what the test runner prints.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write, stdout};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// What test runners said, added up.
#[derive(Debug, Default)]
pub(super) struct Results {
    passed: u64,
    failed: Vec<String>,
    /// Test to reason, for those that did not run.
    ignored: BTreeMap<String, String>,
}

impl Results {
    /// Runs a `cargo test` command, whose output goes to the terminal line by line.
    ///
    /// # Errors
    /// When a test fails or does not compile.
    pub(super) fn run(&mut self, command: &mut Command) -> Result<()> {
        self.run_into(command, &mut stdout())
    }

    fn run_into(&mut self, command: &mut Command, out: &mut impl Write) -> Result<()> {
        let known = self.failed.len();
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run cargo")?;
        let pipe = child.stdout.take().context("cargo has no output")?;
        for line in BufReader::new(pipe).lines() {
            let line = line?;
            writeln!(out, "{line}")?;
            self.read(&line);
        }
        let status = child.wait()?;
        if !status.success() {
            match &self.failed[known..] {
                [] => bail!("see the test runner's output above ({status})"),
                failed => bail!("{}", failed.join(", ")),
            }
        }
        Ok(())
    }

    fn read(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("test result: ") {
            self.passed += count(rest, " passed");
            return;
        }
        let Some((name, result)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.split_once(" ... "))
        else {
            return;
        };
        if let Some(reason) = result.strip_prefix("ignored") {
            let reason = reason.strip_prefix(", ").unwrap_or("ignored");
            self.ignored.insert(name.to_owned(), reason.to_owned());
        } else if result == "FAILED" {
            self.failed.push(name.to_owned());
        } else {
            // A later run made up for it.
            self.ignored.remove(name);
        }
    }

    /// The tests that did not run, each with the reason it gives.
    pub(super) fn ignored(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.ignored.iter();
        entries.map(|(name, reason)| (name.as_str(), reason.as_str()))
    }

    /// One line that adds up all runs.
    pub(super) fn total(&self) -> String {
        format!(
            "all tests: {} passed; {} failed; {} left out",
            self.passed,
            self.failed.len(),
            self.ignored.len()
        )
    }
}

/// The number before `word` in a line such as `ok. 24 passed; 0 failed; ...`.
fn count(line: &str, word: &str) -> u64 {
    let before = line.split(word).next().unwrap_or_default();
    let digits = before.rsplit(|character: char| !character.is_ascii_digit());
    digits
        .into_iter()
        .next()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "\
running 4 tests
test a::works ... ok
test b::needs_more ... ignored, needs charmcraft
test c::slow ... ignored
test d::breaks ... FAILED
test result: ok. 12 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 5.20s";

    fn read(text: &str) -> Results {
        let mut results = Results::default();
        text.lines().for_each(|line| results.read(line));
        results
    }

    #[test]
    fn runs_add_up() {
        let results = read(&format!("{FIRST}\n{FIRST}"));
        assert_eq!(
            results.total(),
            "all tests: 24 passed; 2 failed; 2 left out"
        );
    }

    #[test]
    fn a_test_that_ran_later_is_not_left_out() {
        let results = read(&format!("{FIRST}\ntest b::needs_more ... ok"));
        let ignored: Vec<_> = results.ignored().collect();
        assert_eq!(ignored, [("c::slow", "ignored")]);
    }

    #[test]
    fn a_run_that_fails_names_the_tests() {
        let mut results = Results::default();
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'test a::breaks ... FAILED'; exit 101"]);
        let mut out = Vec::new();
        let error = results.run_into(&mut command, &mut out).unwrap_err();
        assert_eq!(error.to_string(), "a::breaks");
        assert_eq!(out, b"test a::breaks ... FAILED\n");
    }
}
