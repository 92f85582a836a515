//! How long suites and tests took.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// How many of the slowest tests are listed.
const LISTED_TESTS: usize = 10;

/// Suites that took no longer are not listed one by one.
const BRIEF: Duration = Duration::from_secs(1);

/// The times of all suites and tests of some runs.
#[derive(Debug, Default)]
pub(super) struct Times {
    suites: BTreeMap<String, Duration>,
    tests: Vec<Test>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Test {
    /// The suite, and the test's name in it.
    name: String,
    time: Duration,
}

/// The suite that is running.
#[derive(Debug)]
struct Running {
    suite: String,
    /// When it began, as time since the run began.
    since: Duration,
}

impl Times {
    /// A suite begins, so that the one before it has ended; `now` is the time since the run began.
    pub(super) fn begin(&mut self, suite: String, now: Duration) {
        self.end(now);
        self.running = Some(Running { suite, since: now });
    }

    /// The run has ended, and its last suite too.
    pub(super) fn end(&mut self, now: Duration) {
        if let Some(Running { suite, since }) = self.running.take() {
            // A suite that runs a second time adds up.
            *self.suites.entry(suite).or_default() += now.saturating_sub(since);
        }
    }

    /// A test of the running suite has ended.
    pub(super) fn add_test(&mut self, name: &str, time: Duration) {
        let name = match &self.running {
            Some(running) => format!("{}: {name}", running.suite),
            None => name.to_owned(),
        };
        self.tests.push(Test { name, time });
    }

    /// Shows how long each suite took, the brief ones added up, and which tests were the slowest. Tests
    /// in documentation are timed as suites only.
    pub(super) fn summary(&self) -> String {
        let (brief, long): (Vec<_>, Vec<_>) =
            self.suites.iter().partition(|(_, time)| **time <= BRIEF);
        let mut rows: Vec<_> = long
            .into_iter()
            .map(|(name, time)| (name.as_str(), *time))
            .collect();
        slowest_first(&mut rows);
        let others = format!("others, up to {} s each: {}", BRIEF.as_secs(), brief.len());
        if !brief.is_empty() {
            rows.push((&others, brief.into_iter().map(|(_, time)| *time).sum()));
        }
        let mut text = table("Suites:", &rows, 1);

        let mut rows: Vec<_> = self
            .tests
            .iter()
            .map(|test| (test.name.as_str(), test.time))
            .collect();
        slowest_first(&mut rows);
        rows.truncate(LISTED_TESTS);
        text += &table("Slowest tests:", &rows, 3);
        text
    }
}

fn slowest_first(rows: &mut [(&str, Duration)]) {
    rows.sort_by(|(name, time), (other_name, other_time)| {
        other_time.cmp(time).then_with(|| name.cmp(other_name))
    });
}

/// A title and lines of seconds and names, one below the other; nothing without any.
fn table(title: &str, rows: &[(&str, Duration)], decimals: usize) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{title}\n");
    for (name, time) in rows {
        let seconds = time.as_secs_f64();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{seconds:>10.decimals$} s  {name}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn the_slowest_suites_and_tests_come_first() {
        let mut times = Times::default();
        times.begin("b tests/x.rs".to_owned(), seconds(0.5));
        times.add_test("quick", seconds(0.25));
        times.add_test("slow", seconds(1.5));
        times.begin("a unittests src/lib.rs".to_owned(), seconds(2.5));
        times.add_test("middle", seconds(0.5));
        times.begin("a doc tests".to_owned(), seconds(3.0));
        times.begin("c tests/y.rs".to_owned(), seconds(4.0));
        times.end(seconds(127.0));
        assert_eq!(
            times.summary(),
            "
Suites:
     123.0 s  c tests/y.rs
       2.0 s  b tests/x.rs
       1.5 s  others, up to 1 s each: 2

Slowest tests:
     1.500 s  b tests/x.rs: slow
     0.500 s  a unittests src/lib.rs: middle
     0.250 s  b tests/x.rs: quick
"
        );
    }

    #[test]
    fn a_suite_that_runs_twice_adds_up() {
        let mut times = Times::default();
        for _ in 0..2 {
            times.begin("a".to_owned(), seconds(1.0));
            times.end(seconds(4.0));
            // What comes after the end belongs to no suite.
            times.end(seconds(9.0));
        }
        assert_eq!(times.summary(), "\nSuites:\n       6.0 s  a\n");
    }

    #[test]
    fn ten_tests_are_listed() {
        let mut times = Times::default();
        for number in 1..=11 {
            times.add_test(&number.to_string(), Duration::from_secs(number));
        }
        let summary = times.summary();
        let listed: Vec<_> = summary
            .lines()
            .filter_map(|line| line.split_once(" s  "))
            .map(|(_, name)| name)
            .collect();
        assert_eq!(listed, ["11", "10", "9", "8", "7", "6", "5", "4", "3", "2"]);
    }

    #[test]
    fn without_any_suite_nothing_is_shown() {
        assert_eq!(Times::default().summary(), "");
    }
}
