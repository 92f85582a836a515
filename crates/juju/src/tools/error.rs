//! What can go wrong with a hook tool.

use std::io;

/// A hook tool did not do what was asked.
///
/// No variant holds a secret: command lines never have one, known secret values are masked in what
/// the tool printed, and standard input is not kept.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// There is no such tool in the hook's `PATH`: not a hook, or another version of Juju.
    #[error("hook tool {tool} is not in the PATH that Juju gave to this hook")]
    Missing {
        /// The tool.
        tool: &'static str,
    },
    /// The process could not be started or talked to.
    #[error("hook tool `{command}` cannot be run")]
    Start {
        /// The command line, long arguments cut.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// The tool ended with an exit code other than 0.
    #[error("hook tool `{command}` failed{}: {message}", exit(*exit_code))]
    Failed {
        /// The command line, long arguments cut.
        command: String,
        /// The tool.
        tool: &'static str,
        /// 1 for an error at run time, 2 for bad arguments (an unknown relation id is one);
        /// `None` when a signal ended it.
        exit_code: Option<i32>,
        /// What it printed on standard error, without the leading `ERROR`.
        message: String,
    },
    /// The tool printed something that cannot be read.
    #[error("hook tool `{command}` gave an answer of an unexpected form")]
    Answer {
        /// The command line, long arguments cut.
        command: String,
        /// What is wrong with the answer.
        source: serde_json::Error,
    },
    /// The charm asked for what Juju would refuse; no process was started.
    #[error("{tool} cannot take this: {problem}")]
    Input {
        /// The tool.
        tool: &'static str,
        /// What is wrong, and how it should be.
        problem: String,
    },
}

fn exit(code: Option<i32>) -> String {
    match code {
        Some(code) => format!(" with exit code {code}"),
        None => " by a signal".to_owned(),
    }
}

impl ToolError {
    /// Whether the tool does not exist here.
    pub fn is_missing_tool(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    /// Whether what was asked for does not exist: a relation, secret, resource or binding.
    pub fn is_not_found(&self) -> bool {
        self.says(&["not found", "no network config found"])
    }

    /// Whether Juju does not let this unit do it, for a reason other than leadership.
    pub fn is_permission_denied(&self) -> bool {
        self.says(&["permission denied", "unauthorized", "is not allowed to"])
    }

    /// Whether only the leader may do it.
    pub fn is_not_leader(&self) -> bool {
        self.says(&["not the leader", "cannot write relation settings"])
    }

    /// Whether the relation that was asked about is gone.
    ///
    /// Juju 4.0 says so; 3.6 says `permission denied` when a relation is removed by force, or from
    /// the other model. A unit is never denied reading a relation that exists, with one exception:
    /// in 3.6, a unit that is not the leader and reads the data of its own application.
    pub fn is_relation_gone(&self) -> bool {
        let Self::Failed { tool, .. } = self else {
            return false;
        };
        let about_one_relation = tool.starts_with("relation-") || *tool == "network-get";
        about_one_relation && (self.is_not_found() || self.is_permission_denied())
    }

    /// Whether it was a relation, and not something else, that was not found.
    pub(crate) fn says_relation_not_found(&self) -> bool {
        self.says(&["relation not found"])
    }

    /// Whether an action tool was used outside of an action.
    pub fn is_not_an_action(&self) -> bool {
        self.says(&["not running an action"])
    }

    /// The wording differs between versions of Juju, so only its core is compared.
    fn says(&self, wordings: &[&str]) -> bool {
        let Self::Failed { message, .. } = self else {
            return false;
        };
        let message = message.to_lowercase();
        wordings.iter().any(|wording| message.contains(wording))
    }

    pub(super) fn map_text(self, change: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Failed {
                command,
                tool,
                exit_code,
                message,
            } => Self::Failed {
                command: change(&command),
                tool,
                exit_code,
                message: change(&message),
            },
            Self::Start { command, source } => Self::Start {
                command: change(&command),
                source,
            },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(tool: &'static str, exit_code: i32, message: &str) -> ToolError {
        let message = message.to_owned();
        ToolError::Failed {
            command: tool.to_owned(),
            tool,
            exit_code: Some(exit_code),
            message,
        }
    }

    /// What an error means, by the names of its predicates that hold.
    fn meanings(error: &ToolError) -> Vec<&'static str> {
        type Predicate = fn(&ToolError) -> bool;
        let predicates: [(&str, Predicate); 6] = [
            ("not found", ToolError::is_not_found),
            ("permission denied", ToolError::is_permission_denied),
            ("relation gone", ToolError::is_relation_gone),
            ("not leader", ToolError::is_not_leader),
            ("not an action", ToolError::is_not_an_action),
            ("missing tool", ToolError::is_missing_tool),
        ];
        predicates
            .iter()
            .filter(|(_, holds)| holds(error))
            .map(|(name, _)| *name)
            .collect()
    }

    /// The wordings are those of Juju 4.0.15, and of 3.6 where marked.
    #[test]
    fn refusals_are_distinguished_by_their_wording() {
        let cases: [(&str, i32, &str, &[&str]); 9] = [
            (
                "relation-get",
                2,
                "invalid value \"999\" for option -r: relation not found",
                &["not found", "relation gone"],
            ),
            // 3.6
            (
                "relation-get",
                1,
                "permission denied (unauthorized access)",
                &["permission denied", "relation gone"],
            ),
            (
                "network-get",
                1,
                "no network config found for binding \"nosuch\"",
                &["not found", "relation gone"],
            ),
            (
                "relation-set",
                1,
                "cannot write relation settings",
                &["not leader"],
            ),
            (
                "status-set",
                1,
                "this unit is not the leader",
                &["not leader"],
            ),
            (
                "status-get",
                1,
                "finding application status: this unit is not the leader",
                &["not leader"],
            ),
            (
                "secret-get",
                1,
                "\"rec/0\" is not allowed to read this secret",
                &["permission denied"],
            ),
            (
                "secret-info-get",
                1,
                "secret \"k5fo8pve76pgaih5eua0\" not found",
                &["not found"],
            ),
            ("action-get", 1, "not running an action", &["not an action"]),
        ];
        for (tool, exit_code, message, expected) in cases {
            let error = failed(tool, exit_code, message);
            assert_eq!(meanings(&error), expected, "{error}");
        }
    }

    #[test]
    fn a_tool_that_does_not_exist_is_not_a_refusal() {
        let error = ToolError::Missing { tool: "leader-get" };
        assert_eq!(meanings(&error), ["missing tool"]);
    }

    #[test]
    fn a_failure_names_the_command_and_what_the_tool_said() {
        let error = failed("status-set", 2, "invalid status \"x\"");
        assert_eq!(
            error.to_string(),
            "hook tool `status-set` failed with exit code 2: invalid status \"x\""
        );
    }
}
