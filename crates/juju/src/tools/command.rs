//! One run of one hook tool.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use super::ToolError;

/// The longest argument that Linux hands to a process, in bytes: `MAX_ARG_STRLEN` of 131072
/// (32 pages) with its closing zero byte.
pub(crate) const MAX_ARGUMENT_LENGTH: usize = 131_071;

/// A tool with its arguments and what it reads from standard input.
///
/// Secret values are never arguments, which show in process lists and in errors.
#[derive(Clone, Debug)]
pub(crate) struct ToolCommand {
    tool: &'static str,
    arguments: Vec<String>,
    input: Option<String>,
}

impl ToolCommand {
    pub(crate) fn new(tool: &'static str) -> Self {
        Self {
            tool,
            arguments: Vec::new(),
            input: None,
        }
    }

    /// Adds one argument.
    pub(crate) fn arg(mut self, argument: &(impl ToString + ?Sized)) -> Self {
        self.arguments.push(argument.to_string());
        self
    }

    /// Adds several arguments.
    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item = String>) -> Self {
        self.arguments.extend(arguments);
        self
    }

    /// Asks for JSON. The default form prints `True` for true and nothing for null.
    pub(crate) fn json(self) -> Self {
        self.arg("--format=json")
    }

    /// Adds free text, which may start with a hyphen.
    pub(crate) fn text(self, text: &str) -> Self {
        self.arg("--").arg(text)
    }

    /// Gives this text to the tool's standard input.
    pub(crate) fn input(mut self, input: String) -> Self {
        self.input = Some(input);
        self
    }

    pub(crate) fn tool(&self) -> &'static str {
        self.tool
    }

    pub(super) fn run(
        &self,
        program: &Path,
        environment: &BTreeMap<String, String>,
    ) -> Result<String, ToolError> {
        let output = self
            .output(program, environment)
            .map_err(|source| ToolError::Start {
                command: self.to_string(),
                source,
            })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let printed = String::from_utf8_lossy(&output.stderr);
        Err(ToolError::Failed {
            command: self.to_string(),
            tool: self.tool,
            exit_code: output.status.code(),
            message: printed.trim().trim_start_matches("ERROR ").to_owned(),
        })
    }

    fn output(&self, program: &Path, environment: &BTreeMap<String, String>) -> io::Result<Output> {
        let stdin = if self.input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        let mut child = Command::new(program)
            .args(&self.arguments)
            .env_clear()
            .envs(environment)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let pipe = child.stdin.take();
        // On a separate thread, so that a tool that answers before it has read everything cannot
        // block us.
        thread::scope(|scope| {
            let writer = match (pipe, &self.input) {
                (Some(mut pipe), Some(input)) => {
                    Some(scope.spawn(move || pipe.write_all(input.as_bytes())))
                }
                _ => None,
            };
            let output = child.wait_with_output()?;
            if let Some(Ok(Err(error))) = writer.map(thread::ScopedJoinHandle::join) {
                // A tool that fails early does not read its input; its own error says more.
                if error.kind() != io::ErrorKind::BrokenPipe {
                    return Err(error);
                }
            }
            Ok(output)
        })
    }
}

impl fmt::Display for ToolCommand {
    /// The command line, for errors; long arguments are cut.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 120;
        formatter.write_str(self.tool)?;
        for argument in &self.arguments {
            let shown = cut(argument, SHOWN);
            let dots = if shown.len() < argument.len() {
                "..."
            } else {
                ""
            };
            write!(formatter, " {shown}{dots}")?;
        }
        Ok(())
    }
}

/// The start of a text, at most `limit` bytes, never half a character.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Looks a tool up as a shell would.
pub(super) fn find_program(directories: &[PathBuf], tool: &str) -> Option<PathBuf> {
    let is_executable = |path: &PathBuf| {
        path.metadata()
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    directories
        .iter()
        .map(|directory| directory.join(tool))
        .find(is_executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_prints_as_its_command_line() {
        let command = ToolCommand::new("status-set").arg("blocked").text("-x y");
        assert_eq!(command.to_string(), "status-set blocked -- -x y");
    }

    #[test]
    fn input_and_the_rest_of_long_arguments_are_not_printed() {
        let command = ToolCommand::new("relation-set")
            .arg(&"é".repeat(200))
            .input("hunter2".to_owned());
        assert_eq!(
            command.to_string(),
            format!("relation-set {}...", "é".repeat(60))
        );
    }
}
