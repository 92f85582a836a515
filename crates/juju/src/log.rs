//! Logging through `juju-log`, so that lines appear in `juju debug-log` with the right level.
//!
//! A process per line would cost more than most hooks do, so lines are kept and written together:
//! lines of one level that follow each other share one call. They are written before a status is
//! set, when the [`LogGuard`] ends, when many have gathered, and immediately after an error, so
//! that the reason is there even if the process is killed.

use std::collections::VecDeque;
use std::io::{self, Write};

use crate::tools::{HookTools, MAX_ARGUMENT_LENGTH, ToolCommand, cut};

mod layer;

pub use layer::{JujuLogLayer, LogGuard, juju_log_layer};

/// The levels of `juju-log`; later ones are more urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For following the program step by step.
    Trace,
    /// For finding faults. Models show `INFO` and up unless configured otherwise.
    Debug,
    /// What was done.
    Info,
    /// What may need attention.
    Warning,
    /// What failed.
    Error,
}

impl Level {
    /// The word that Juju uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        }
    }
}

/// Lines that are not written yet.
#[derive(Default)]
pub(crate) struct LogBuffer {
    messages: VecDeque<Message>,
    length: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Message {
    level: Level,
    text: String,
}

impl LogBuffer {
    /// Adds a line; true when enough have gathered to be written.
    fn push(&mut self, level: Level, line: &str) -> bool {
        self.length += line.len() + 1;
        match self.messages.back_mut() {
            Some(last)
                if last.level == level
                    && last.text.len() + 1 + line.len() <= MAX_ARGUMENT_LENGTH =>
            {
                last.text.push('\n');
                last.text.push_str(line);
            }
            _ => self.messages.push_back(Message {
                level,
                text: line.to_owned(),
            }),
        }
        level == Level::Error || self.length > MAX_ARGUMENT_LENGTH
    }

    fn take(&mut self) -> VecDeque<Message> {
        self.length = 0;
        std::mem::take(&mut self.messages)
    }
}

impl HookTools {
    /// Keeps a line for `juju-log`; see [`HookTools::flush_log`].
    pub fn log(&self, level: Level, line: &str) {
        let is_due = self.log_buffer().push(level, &self.printable(line));
        if is_due {
            self.flush_log();
        }
    }

    /// Writes all kept lines (`juju-log`).
    ///
    /// Does not fail: what `juju-log` does not accept goes to standard error, which Juju logs as
    /// warnings.
    pub fn flush_log(&self) {
        let messages = self.log_buffer().take();
        for Message { level, text } in messages {
            for part in parts(&text, MAX_ARGUMENT_LENGTH) {
                let command = ToolCommand::new("juju-log")
                    .arg("--log-level")
                    .arg(level.name())
                    .text(part);
                if self.run(&command).is_err() {
                    // There is nowhere left to report this failure.
                    let _ = writeln!(io::stderr(), "{} {part}", level.name());
                }
            }
        }
    }

    /// Text that can be an argument: without secrets, and without the byte that would end it.
    fn printable(&self, text: &str) -> String {
        self.without_secrets(text).replace('\0', "\u{fffd}")
    }

    pub(crate) fn one_argument(&self, text: &str) -> String {
        cut(&self.printable(text), MAX_ARGUMENT_LENGTH).to_owned()
    }
}

/// Splits a text into parts of at most `limit` bytes, after a line break where there is one.
fn parts(text: &str, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > limit {
        let head = cut(rest, limit);
        if let Some(position) = head.rfind('\n').filter(|&position| position > 0) {
            parts.push(&rest[..position]);
            rest = &rest[position + 1..];
        } else {
            parts.push(head);
            rest = &rest[head.len()..];
        }
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_level_that_follow_each_other_are_one_message() {
        let mut buffer = LogBuffer::default();
        let lines = [
            (Level::Debug, "a"),
            (Level::Debug, "b"),
            (Level::Info, "c"),
            (Level::Debug, "d"),
        ];
        for (level, line) in lines {
            assert!(!buffer.push(level, line));
        }
        let message = |level, text: &str| Message {
            level,
            text: text.to_owned(),
        };
        let expected = [
            message(Level::Debug, "a\nb"),
            message(Level::Info, "c"),
            message(Level::Debug, "d"),
        ];
        assert_eq!(buffer.take(), expected);
        assert_eq!(buffer.take(), []);
    }

    #[test]
    fn errors_and_many_lines_are_due() {
        let mut buffer = LogBuffer::default();
        assert!(!buffer.push(Level::Warning, "w"));
        assert!(buffer.push(Level::Error, "e"));
        let mut buffer = LogBuffer::default();
        let line = "x".repeat(MAX_ARGUMENT_LENGTH / 2 + 1);
        assert!(!buffer.push(Level::Info, &line));
        assert!(buffer.push(Level::Info, &line));
        // Two messages: the two lines do not fit one argument.
        assert_eq!(buffer.take().len(), 2);
        // Counting starts again.
        assert!(!buffer.push(Level::Info, "y"));
    }

    #[test]
    fn long_texts_are_split_at_lines_and_never_inside_a_character() {
        assert_eq!(parts("abc", 3), ["abc"]);
        assert_eq!(parts("ab\ncd", 3), ["ab", "cd"]);
        assert_eq!(parts("abcd", 3), ["abc", "d"]);
        assert_eq!(parts("ééé", 3), ["é", "é", "é"]);
        assert_eq!(parts("\nabcd", 3), ["\nab", "cd"]);
        assert_eq!(parts("", 3), [""]);
    }
}
