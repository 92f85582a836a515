//! Running a program to its end, with errors that say what happened.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

/// The words of a command line, split as a shell would: `words("get pods -l 'a in (b, c)'")` gives
/// four. A `#` at the beginning of a word begins a comment.
///
/// # Errors
/// When a quotation does not end; the error holds the line.
pub fn words(line: &str) -> Result<Vec<String>> {
    shlex::split(line).with_context(|| format!("a quotation does not end in: {line}"))
}

/// Runs a command and returns what it printed on standard output.
///
/// # Errors
/// When it cannot be started, does not succeed, or prints something that is not UTF-8. The error
/// names the command line and holds its standard error.
pub fn output_of(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", line(command)))?;
    text(command, output)
}

/// The same as [`output_of`], with `input` on the command's standard input.
pub fn output_with_input(command: &mut Command, input: &str) -> Result<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", line(command)))?;
    let stdin = child.stdin.take();
    let output = thread::scope(|scope| {
        // A thread, because a program may print more than a pipe holds before it has read it all.
        scope.spawn(move || {
            if let Some(mut stdin) = stdin {
                // A program that does not want its input says so with its exit code.
                let _ = stdin.write_all(input.as_bytes());
            }
        });
        child.wait_with_output()
    })?;
    text(command, output)
}

fn text(command: &Command, output: Output) -> Result<String> {
    if !output.status.success() {
        bail!(
            "{} failed ({}): {}",
            line(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{} printed something that is not UTF-8", line(command)))
}

/// The command line for people: the program's file name and its arguments.
fn line(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut words = vec![
        program
            .file_name()
            .unwrap_or(command.get_program())
            .to_string_lossy()
            .into_owned(),
    ];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_is_standard_output_alone() {
        let text = output_of(&mut shell("echo out; echo err >&2")).unwrap();
        assert_eq!(text, "out\n");
    }

    #[test]
    fn a_failure_names_the_command_and_what_it_said() {
        let error = output_of(&mut shell("echo the reason >&2; exit 3"))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("sh -c"), "{error}");
        assert!(error.contains("exit status: 3"), "{error}");
        assert!(error.ends_with("the reason"), "{error}");
    }

    #[test]
    fn a_line_is_split_as_a_shell_does() {
        let line = r#"patch pod a  -p '{"a": "b c"}' --type=merge"#;
        let expected = ["patch", "pod", "a", "-p", r#"{"a": "b c"}"#, "--type=merge"];
        assert_eq!(words(line).unwrap(), expected);
        let error = words("get 'pods").unwrap_err().to_string();
        assert!(error.ends_with("in: get 'pods"), "{error}");
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let error = output_of(&mut Command::new("/nonexistent/program")).unwrap_err();
        assert!(error.to_string().contains("cannot run program"), "{error}");
    }

    #[test]
    fn input_larger_than_a_pipe_comes_back() {
        let input = "0123456789abcdef\n".repeat(64 * 1024);
        let text = output_with_input(&mut Command::new("cat"), &input).unwrap();
        assert_eq!(text.len(), input.len());
    }
}
