//! Test programs, each of which is a suite: its name, and how cargo runs it so that it can be timed.
//!
//! Only the test program itself can say how long each of its tests took, and it does so only when
//! `RUSTC_BOOTSTRAP` is set. Cargo must not see that variable, for crates whose build scripts watch it
//! would be built again. So cargo has a `runner` (Cargo Book, "Configuration", `target.<cfg>.runner`),
//! which is this program and becomes the test program.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{Write, stdout};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Error, Result};
use serde_json::Value;

use crate::workspace::{TEST_TIMES_VARIABLE, cargo};

/// The task that the runner is.
const TASK: &str = "test-suite";

/// What the line that announces a suite begins with.
const BEGINS: &str = "@suite ";

/// How cargo announces the tests in the documentation of a crate.
const DOCUMENTATION_BEGINS: &str = "Doc-tests ";

/// What makes Rust's test harness print how long each test took.
const REPORT_TIME: [&str; 2] = ["-Zunstable-options", "--report-time"];

/// Cargo's setting that has this program run each test program.
#[derive(Debug)]
pub(super) struct Runner(String);

impl Runner {
    /// The runner that is the running program.
    ///
    /// Must be called before anything is built: cargo may build the program's file again, and from
    /// then on the running program is a deleted file.
    ///
    /// # Errors
    /// When the file of the running program is not known, or its path is not Unicode.
    pub(super) fn find() -> Result<Self> {
        Self::new(&env::current_exe().context("cannot find the running program")?)
    }

    fn new(program: &Path) -> Result<Self> {
        let program = program
            .to_str()
            .with_context(|| format!("{} is not Unicode: move the checkout", program.display()))?;
        // What is quoted in JSON is quoted in TOML.
        let command = serde_json::to_string(&[program, TASK])?;
        Ok(Self(format!("target.'cfg(all())'.runner={command}")))
    }

    /// A `cargo test` command whose suites are announced and timed. It is of the whole workspace, so
    /// that cargo builds the same for each such command.
    pub(super) fn cargo_test(&self) -> Command {
        let mut command = cargo();
        command
            .args(["test", "--locked", "--workspace", "--config"])
            .arg(&self.0);
        command
    }
}

/// Announces a suite, and becomes its program: whoever waits for this process sees the suite end as it
/// ends, be it by a signal.
///
/// # Errors
/// When the program cannot be run.
pub(crate) fn run(program: &Path, arguments: &[OsString]) -> Result<()> {
    // Cargo sets it for what it runs.
    let package = env::var("CARGO_PKG_NAME").unwrap_or_default();
    let mut out = stdout();
    writeln!(out, "{}", announcement(&package, program))?;
    out.flush()?;
    let error = timed(program, arguments)?.exec();
    Err(Error::new(error).context(format!("cannot run {}", program.display())))
}

fn announcement(package: &str, program: &Path) -> String {
    format!("{BEGINS}{package} {}", program.display())
}

/// The command of a test program, with each test's time in what it prints. A target with
/// `harness = false` is run as it is, for it would not know what to do with the arguments.
fn timed(program: &Path, arguments: &[OsString]) -> Result<Command> {
    let mut command = Command::new(program);
    if has_harness(program)? {
        command.args(REPORT_TIME).env(TEST_TIMES_VARIABLE, "1");
    }
    command.args(arguments);
    Ok(command)
}

/// Whether a program has Rust's test harness in it. Cargo does not say; the name of an option does.
fn has_harness(program: &Path) -> Result<bool> {
    let content =
        fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
    Ok(content
        .utf8_chunks()
        .any(|chunk| chunk.valid().contains("report-time")))
}

/// What suites are called, by the file of their program.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// Reads the names from what cargo prints with `--message-format=json`: one message a line (Cargo
    /// Book, "External tools", "Artifact messages").
    pub(super) fn read(messages: &str) -> Self {
        let messages = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Self(
            messages
                .filter_map(|message| name_of_artifact(&message))
                .collect(),
        )
    }

    /// The name of the suite that a line announces.
    pub(super) fn announced(&self, line: &str) -> Option<Announced> {
        if let Some(crate_name) = line.trim_start().strip_prefix(DOCUMENTATION_BEGINS) {
            return Some(Announced::ByCargo(format!("{crate_name} doc tests")));
        }
        let (package, program) = line.strip_prefix(BEGINS)?.split_once(' ')?;
        let name = self.0.get(program).map_or_else(
            || program.rsplit('/').next().unwrap_or(program),
            String::as_str,
        );
        Some(Announced::ByRunner(format!("{package} {name}")))
    }
}

/// The name of a suite that begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Announced {
    /// In a line that is for people.
    ByCargo(String),
    /// In a line that is for this program alone.
    ByRunner(String),
}

/// A test program's file, and what cargo calls it when it runs it, such as `unittests src/lib.rs`.
fn name_of_artifact(message: &Value) -> Option<(String, String)> {
    if message["profile"]["test"] != true {
        return None;
    }
    let program = message["executable"].as_str()?;
    let package = Path::new(message["manifest_path"].as_str()?).parent()?;
    let source = Path::new(message["target"]["src_path"].as_str()?);
    let source = source.strip_prefix(package).unwrap_or(source).display();
    let kinds = message["target"]["kind"].as_array()?;
    let name = if kinds.iter().any(|kind| kind == "test") {
        source.to_string()
    } else {
        format!("unittests {source}")
    };
    Some((program.to_owned(), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: &str = r#"
{"reason":"compiler-artifact","manifest_path":"/a/juju/Cargo.toml","target":{"kind":["lib"],"src_path":"/a/juju/src/lib.rs"},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","manifest_path":"/a/juju/Cargo.toml","target":{"kind":["lib"],"src_path":"/a/juju/src/lib.rs"},"profile":{"test":true},"executable":"/a/t/juju-1f"}
{"reason":"compiler-artifact","manifest_path":"/a/juju/Cargo.toml","target":{"kind":["bin"],"src_path":"/a/juju/src/main.rs"},"profile":{"test":false},"executable":"/a/t/juju"}
{"reason":"compiler-artifact","manifest_path":"/a/juju/Cargo.toml","target":{"kind":["bin"],"src_path":"/a/juju/src/main.rs"},"profile":{"test":true},"executable":"/a/t/juju-2f"}
{"reason":"compiler-artifact","manifest_path":"/a/juju/Cargo.toml","target":{"kind":["test"],"src_path":"/a/juju/tests/it/main.rs"},"profile":{"test":true},"executable":"/a/t/it-3f"}
not a message
{"reason":"build-finished","success":true}"#;

    fn announced(program: &str) -> Announced {
        let line = announcement("juju", Path::new(program));
        Names::read(MESSAGES).announced(&line).unwrap()
    }

    #[test]
    fn suites_are_called_what_cargo_calls_them() {
        for (program, name) in [
            ("/a/t/juju-1f", "juju unittests src/lib.rs"),
            ("/a/t/juju-2f", "juju unittests src/main.rs"),
            ("/a/t/it-3f", "juju tests/it/main.rs"),
            ("/a/t/unknown-4f", "juju unknown-4f"),
            // Of a program that is no test, nothing is known either.
            ("/a/t/juju", "juju juju"),
        ] {
            assert_eq!(announced(program), Announced::ByRunner(name.to_owned()));
        }
    }

    #[test]
    fn cargo_announces_tests_in_documentation() {
        let names = Names::default();
        assert_eq!(
            names.announced("   Doc-tests juju_sim"),
            Some(Announced::ByCargo("juju_sim doc tests".to_owned()))
        );
        for line in ["running 2 tests", "test a ... ok", "test @suite a b ... ok"] {
            assert_eq!(names.announced(line), None, "{line}");
        }
    }

    #[test]
    fn the_runner_may_be_in_any_folder() {
        assert_eq!(
            Runner::new(Path::new("/my \"own\" code/xtask")).unwrap().0,
            r#"target.'cfg(all())'.runner=["/my \"own\" code/xtask","test-suite"]"#
        );
    }

    #[test]
    fn cargo_does_not_see_the_variable() {
        let command = Runner::find().unwrap().cargo_test();
        let mut changed = command.get_envs();
        assert!(changed.any(|change| change == (TEST_TIMES_VARIABLE.as_ref(), None)));
    }

    #[test]
    fn a_program_with_the_harness_says_how_long_tests_took() {
        let name = "test::suite::tests::cargo_announces_tests_in_documentation";
        let program = env::current_exe().unwrap();
        let arguments = ["--exact", name].map(OsString::from);
        let output = timed(&program, &arguments).unwrap().output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(&format!("test {name} ... ok <")), "{text}");
    }

    #[test]
    fn a_program_without_the_harness_is_run_as_it_is() {
        let shell = Path::new("/bin/sh");
        let arguments = ["-c", "exit 3"].map(OsString::from);
        let mut command = timed(shell, &arguments).unwrap();
        assert_eq!(command.get_envs().count(), 0);
        assert_eq!(command.status().unwrap().code(), Some(3));
    }
}
