//! A folder of executables that stand in for the hook tools.
//!
//! Each writes down its arguments and standard input, then gives the answer that the test has set
//! for exactly these arguments. Anything else ends with exit code 64.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use juju::{HookContext, HookTools};
use tempfile::TempDir;

/// Separates the arguments of one call, then the input, then calls.
const ARGUMENT: char = '\u{1f}';
const INPUT: char = '\u{1d}';
const CALL: char = '\u{1e}';

/// Hook tools under construction.
pub(crate) struct FakeTools {
    cases: String,
    tools: Vec<String>,
    variables: Vec<(String, String)>,
    read_input: &'static str,
}

/// Hook tools in their folder, which is deleted at the end.
pub(crate) struct InstalledTools {
    pub(crate) tools: HookTools,
    folder: TempDir,
}

/// One call that a tool wrote down.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) command: String,
    pub(crate) input: String,
}

impl FakeTools {
    pub(crate) fn new() -> Self {
        Self {
            cases: String::new(),
            tools: Vec::new(),
            variables: Vec::new(),
            read_input: "cat",
        }
    }

    /// Answers these arguments with a line on standard output; none when empty.
    pub(crate) fn prints(self, arguments: &str, output: &str) -> Self {
        let print = if output.is_empty() { "" } else { "\n" };
        self.case(
            arguments,
            &format!(
                "printf '%s' {}; exit 0",
                quoted(&format!("{output}{print}"))
            ),
        )
    }

    /// Answers these arguments with an exit code and a line on standard error.
    pub(crate) fn fails(self, arguments: &str, exit_code: i32, error: &str) -> Self {
        self.case(
            arguments,
            &format!("echo {} >&2; exit {exit_code}", quoted(error)),
        )
    }

    /// Runs a piece of shell for these arguments. A `*` in them stands for anything.
    pub(crate) fn runs(self, arguments: &str, shell: &str) -> Self {
        self.case(arguments, shell)
    }

    fn case(mut self, arguments: &str, shell: &str) -> Self {
        let pattern: Vec<String> = arguments.split('*').map(quoted).collect();
        writeln!(self.cases, "{}) {shell} ;;", pattern.join("*")).unwrap();
        let tool = arguments.split(' ').next().unwrap().to_owned();
        if !self.tools.contains(&tool) {
            self.tools.push(tool);
        }
        self
    }

    /// Sets a variable of the hook; otherwise it is config-changed of the leader or any unit.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves standard input unread.
    pub(crate) fn without_reading_input(mut self) -> Self {
        self.read_input = "exec < /dev/null";
        self
    }

    pub(crate) fn install(self) -> InstalledTools {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "#!/bin/sh\n\
             PATH=/usr/bin:/bin\n\
             folder=$(dirname \"$0\")\n\
             tool=$(basename \"$0\")\n\
             {{\n\
             printf '%s' \"$tool\"\n\
             for argument in \"$@\"; do printf '{ARGUMENT}%s' \"$argument\"; done\n\
             printf '{INPUT}'\n\
             {read_input}\n\
             printf '{CALL}'\n\
             }} >> \"$folder/calls\"\n\
             case \"$tool $*\" in\n\
             {}\n\
             *) echo \"unexpected: $tool $*\" >&2; exit 64 ;;\n\
             esac\n",
            self.cases,
            read_input = self.read_input,
        );
        for tool in &self.tools {
            write_executable(&folder.path().join(tool), &script);
        }
        let path = folder.path().display().to_string();
        let variables = [
            ("JUJU_DISPATCH_PATH", "hooks/config-changed"),
            ("JUJU_UNIT_NAME", "rec/0"),
            ("JUJU_MODEL_NAME", "mesh"),
            ("JUJU_MODEL_UUID", "499560ed-7ec9-4943-87f6-bce9af13ee04"),
            ("JUJU_CHARM_DIR", "/var/lib/juju/agents/unit-rec-0/charm"),
            ("PATH", path.as_str()),
            ("TMPDIR", path.as_str()),
        ];
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let variables = variables.into_iter().map(own).chain(self.variables);
        let context = HookContext::from_variables(variables, "dispatch").unwrap();
        InstalledTools {
            tools: HookTools::new(&context),
            folder,
        }
    }
}

impl InstalledTools {
    /// What was called so far, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let text = fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
        let call = |text: &str| {
            let (command, input) = text.split_once(INPUT).unwrap();
            Call {
                command: command.replace(ARGUMENT, " "),
                input: input.to_owned(),
            }
        };
        text.split_terminator(CALL).map(call).collect()
    }

    /// The command lines that were called so far.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.command).collect()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Secret values that were not cleaned up.
    pub(crate) fn left_files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|file| file.unwrap().path());
        files
            .filter(|file| {
                file.file_name()
                    .unwrap()
                    .to_string_lossy()
                    .starts_with("juju-value-")
            })
            .collect()
    }
}

/// Writes through another process: were the file open for writing here, a test that forks at that
/// moment would inherit it, and running the script would fail with "text file busy".
fn write_executable(path: &Path, script: &str) {
    let mut writer = Command::new("/bin/sh")
        .args(["-c", "cat > \"$1\" && chmod 755 \"$1\"", "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    writer
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    assert!(writer.wait().unwrap().success());
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
