//! What happened: dispatches, their tool calls, log lines.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One run of a charm's `dispatch`.
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// `app/0`.
    pub unit: String,
    /// The hook's or action's name, for example `ingress-relation-changed`.
    pub hook: String,
    /// All variables that the charm saw.
    pub environment: BTreeMap<String, String>,
    /// `None` if the process was ended by a signal or could not be started.
    pub exit_code: Option<i32>,
    /// What the charm printed.
    pub stdout: String,
    /// What the charm printed on standard error, or why it could not be started.
    pub stderr: String,
    /// From starting the process to its end.
    pub duration: Duration,
    /// Every hook tool call, in order.
    pub tool_calls: Vec<ToolCall>,
}

impl Dispatch {
    /// Whether the hook succeeded, so that its buffered writes were applied.
    pub fn succeeded(&self) -> bool {
        self.exit_code == Some(0)
    }

    /// The calls of one tool.
    pub fn calls_of(&self, tool: &str) -> impl Iterator<Item = &ToolCall> {
        self.tool_calls
            .iter()
            .filter(move |call| call.tool() == tool)
    }
}

/// One call of a hook tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The tool's name and its arguments.
    pub argv: Vec<String>,
    /// 0, 1 (failed) or 2 (wrong arguments), or the one of
    /// [`Model::fail_tool`](crate::Model::fail_tool).
    pub exit_code: u8,
    /// The answer.
    pub stdout: String,
    /// The error line, if any.
    pub stderr: String,
}

impl ToolCall {
    /// The tool's name.
    pub fn tool(&self) -> &str {
        self.argv.first().map_or("", String::as_str)
    }
}

/// A line of `juju debug-log`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// In seconds since 1970 (UTC).
    pub time: i64,
    /// `app/0`.
    pub unit: String,
    /// TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL.
    pub level: String,
    /// The logger, for example `unit.app/0.juju-log`.
    pub module: String,
    /// One line of text, or several if the charm logged them in one call.
    pub message: String,
}

impl std::fmt::Display for LogLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tag = crate::hook::environment::unit_tag(&self.unit);
        let time = crate::clock::log(self.time);
        write!(
            f,
            "{tag}: {time} {} {} {}",
            self.level, self.module, self.message
        )
    }
}

/// What a caller sees while hooks run.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// A hook or action begins.
    Started {
        /// `app/0`.
        unit: &'a str,
        /// The hook's or action's name.
        hook: &'a str,
    },
    /// The charm set a status.
    Status {
        /// `app/0`, or the application's name if its status was set.
        of: &'a str,
        /// For example `maintenance`.
        status: &'a str,
        /// The text next to it.
        message: &'a str,
    },
    /// A hook tool is called; the answer is not out yet.
    Tool {
        /// `app/0`.
        unit: &'a str,
        /// The tool's name and arguments.
        argv: &'a [String],
    },
    /// The charm or the agent logged.
    Log(&'a LogLine),
    /// An action reported (`action-log`).
    Action {
        /// `app/0`.
        unit: &'a str,
        /// The text.
        message: &'a str,
    },
    /// A hook or action ended.
    Finished(&'a Dispatch),
}

/// What happens to the running hook next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing special.
    Continue,
    /// Kill it, as the death of the pod would: for tests of what a half-done hook leaves behind.
    Kill,
    /// Make another unit of the application its leader, as when a lease runs out; nothing happens
    /// if there is no other. The hook continues.
    Depose,
}

/// A caller's function for [`Progress`].
pub type Observer = Box<dyn FnMut(Progress<'_>) -> Reaction + Send>;
