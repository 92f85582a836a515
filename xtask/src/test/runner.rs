//! Running `cargo test`, and reading what the test runner prints.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write, pipe, stdout};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::suite::{Announced, Names};
use super::timing::Times;

/// What test runners said, added up.
#[derive(Debug, Default)]
pub(super) struct Results {
    passed: u64,
    failed: Vec<String>,
    /// Test to reason, for those that did not run.
    ignored: BTreeMap<String, String>,
    names: Names,
    times: Times,
}

impl Results {
    /// Runs a `cargo test --no-run` command, to learn what the suites are called.
    ///
    /// # Errors
    /// When a test does not compile.
    pub(super) fn compile(&mut self, command: &mut Command) -> Result<()> {
        let output = command
            .arg("--message-format=json-render-diagnostics")
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            bail!("see its output above ({})", output.status);
        }
        self.names = Names::read(&String::from_utf8(output.stdout)?);
        Ok(())
    }

    /// Runs a `cargo test` command, whose output goes to the terminal line by line.
    ///
    /// # Errors
    /// When a test fails or does not compile.
    pub(super) fn run(&mut self, command: &mut Command) -> Result<()> {
        self.run_into(command, &mut stdout())
    }

    /// Runs a `cargo test --doc` command, as [`Self::run`] does. Only on standard error does cargo say
    /// whose documentation it tests, so both outputs become one.
    ///
    /// # Errors
    /// When a test fails or does not compile.
    pub(super) fn run_documentation(&mut self, command: &mut Command) -> Result<()> {
        self.run_documentation_into(command, &mut stdout())
    }

    fn run_documentation_into(
        &mut self,
        command: &mut Command,
        out: &mut impl Write,
    ) -> Result<()> {
        let (output, input) = pipe()?;
        command.stdout(input.try_clone()?).stderr(input);
        let child = command.spawn();
        // The output ends when nothing is left that could write to it, which the command could.
        command.stdout(Stdio::inherit()).stderr(Stdio::inherit());
        self.follow(child.context("cannot run cargo")?, output, out)
    }

    fn run_into(&mut self, command: &mut Command, out: &mut impl Write) -> Result<()> {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run cargo")?;
        let output = child.stdout.take().context("cargo has no output")?;
        self.follow(child, output, out)
    }

    fn follow(&mut self, mut child: Child, output: impl Read, out: &mut impl Write) -> Result<()> {
        let known = self.failed.len();
        let began = Instant::now();
        for line in BufReader::new(output).lines() {
            let line = line?;
            if self.read(&line, began.elapsed()) == Audience::People {
                writeln!(out, "{line}")?;
            }
        }
        let status = child.wait()?;
        self.times.end(began.elapsed());
        if !status.success() {
            match &self.failed[known..] {
                [] => bail!("see the test runner's output above ({status})"),
                failed => bail!("{}", failed.join(", ")),
            }
        }
        Ok(())
    }

    /// Reads a line; `now` is the time since the run began.
    fn read(&mut self, line: &str, now: Duration) -> Audience {
        match self.names.announced(line) {
            Some(Announced::ByRunner(suite)) => {
                self.times.begin(suite, now);
                return Audience::Program;
            }
            Some(Announced::ByCargo(suite)) => self.times.begin(suite, now),
            None => self.read_result(line),
        }
        Audience::People
    }

    fn read_result(&mut self, line: &str) {
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
        let (result, time) = split_time(result);
        if let Some(time) = time {
            self.times.add_test(name, time);
        }
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

    /// How long suites and tests took.
    pub(super) fn times(&self) -> String {
        self.times.summary()
    }
}

/// Whom a line is for.
#[derive(Debug, PartialEq, Eq)]
enum Audience {
    People,
    Program,
}

/// Splits a result such as `ok <1.234s>` where the time begins. A reason to ignore a test is free text
/// and stays as it is.
fn split_time(result: &str) -> (&str, Option<Duration>) {
    let parts = result.split_once(" <");
    let timed = parts.and_then(|(word, time)| {
        let seconds = time.strip_suffix("s>")?.parse().ok()?;
        Some((word, Duration::try_from_secs_f64(seconds).ok()?))
    });
    match timed {
        Some((word @ ("ok" | "FAILED"), time)) => (word, Some(time)),
        _ => (result, None),
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
        for line in text.lines() {
            results.read(line, Duration::ZERO);
        }
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

    const TIMED: &str = "\
@suite juju /target/it-1f
running 5 tests
test b::quick ... ok <0.004s>
test c::later ... ignored, waits for <5s>
test d::breaks ... FAILED <2.500s>
test e::panics - should panic ... ok <1.000s>
test a::slow ... ok <12.345s>
test result: FAILED. 3 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 12.35s
   Doc-tests juju
test src/lib.rs - f (line 7) ... ok
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";

    #[test]
    fn results_with_times_count_as_those_without() {
        let results = read(TIMED);
        assert_eq!(results.total(), "all tests: 4 passed; 1 failed; 1 left out");
        assert_eq!(results.failed, ["d::breaks"]);
        let ignored: Vec<_> = results.ignored().collect();
        assert_eq!(ignored, [("c::later", "waits for <5s>")]);
        let results = read(&format!("{TIMED}\ntest c::later ... ok <0.100s>"));
        assert_eq!(results.ignored().count(), 0);
    }

    #[test]
    fn times_are_shown_with_the_suite() {
        let mut results = Results::default();
        for (second, line) in (0..).zip(TIMED.lines()) {
            results.read(line, Duration::from_secs(second));
        }
        results.times.end(Duration::from_secs(10));
        assert_eq!(
            results.times(),
            "
Suites:
       8.0 s  juju it-1f
       2.0 s  juju doc tests

Slowest tests:
    12.345 s  juju it-1f: a::slow
     2.500 s  juju it-1f: d::breaks
     1.000 s  juju it-1f: e::panics - should panic
     0.004 s  juju it-1f: b::quick
"
        );
    }

    #[test]
    fn only_lines_for_people_are_shown() {
        let mut results = Results::default();
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "echo '@suite juju /it'; echo 'test a ... ok <0.100s>'",
        ]);
        let mut out = Vec::new();
        results.run_into(&mut command, &mut out).unwrap();
        assert_eq!(out, b"test a ... ok <0.100s>\n");
    }

    #[test]
    fn both_outputs_of_tests_in_documentation_are_read() {
        let mut results = Results::default();
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "echo '   Doc-tests a' >&2; echo 'test b ... ignored'; echo '   Doc-tests c' >&2",
        ]);
        let mut out = Vec::new();
        results
            .run_documentation_into(&mut command, &mut out)
            .unwrap();
        assert_eq!(out, b"   Doc-tests a\ntest b ... ignored\n   Doc-tests c\n");
        assert_eq!(results.ignored().count(), 1);
        let times = results.times();
        assert!(times.starts_with("\nSuites:\n"), "{times}");
    }
}
