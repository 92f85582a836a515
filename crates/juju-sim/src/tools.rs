//! The hook tools: what they accept, print and refuse, as Juju 4.0.15 does.
//!
//! `leader-get` and `leader-set` are not among them: 4.0 dropped them.

use std::io;

use crate::hook_context::HookContext;
use crate::protocol::{Reply, Request};
use crate::record::{Progress, ToolCall};

mod action;
mod application;
mod arguments;
mod format;
pub(crate) mod injected;
mod log;
mod network;
mod relation;
mod relation_write;
mod secret_read;
mod secret_write;
mod state;
mod status;
mod workload;

/// Every tool that a hook finds on its PATH.
pub(crate) const NAMES: &[&str] = &[
    "action-fail",
    "action-get",
    "action-log",
    "action-set",
    "application-version-set",
    "close-port",
    "config-get",
    "credential-get",
    "goal-state",
    "is-leader",
    "juju-log",
    "juju-reboot",
    "network-get",
    "open-port",
    "opened-ports",
    "relation-get",
    "relation-ids",
    "relation-list",
    "relation-model-get",
    "relation-set",
    "resource-get",
    "secret-add",
    "secret-get",
    "secret-grant",
    "secret-ids",
    "secret-info-get",
    "secret-remove",
    "secret-revoke",
    "secret-set",
    "state-delete",
    "state-get",
    "state-set",
    "status-get",
    "status-set",
    "storage-add",
    "storage-get",
    "storage-list",
    "unit-get",
];

/// Why a tool did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Wrong flags or arguments: exit code 2.
    Usage(String),
    /// Refused or impossible now: exit code 1.
    Failed(String),
    /// A test wants this exit code and message.
    Injected(u8, String),
}

impl Failure {
    fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }
}

/// Errors that only the state can cause are run-time failures.
impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::Failed(text)
    }
}

/// What a tool prints, complete with the final newline.
type Answer = Result<String, Failure>;

/// The arguments of one call, and what goes with them.
pub(crate) struct Call<'a> {
    arguments: &'a [String],
    /// Relative file names refer to it.
    directory: &'a str,
    stdin: &'a mut dyn FnMut() -> io::Result<Vec<u8>>,
}

impl Call<'_> {
    /// A file's content; `-` is standard input.
    fn read_file(&mut self, name: &str) -> Result<String, Failure> {
        let content = if name == "-" {
            (self.stdin)()
        } else {
            std::fs::read(std::path::Path::new(self.directory).join(name))
        };
        let content = content.map_err(|error| Failure::failed(format!("open {name}: {error}")))?;
        Ok(String::from_utf8_lossy(&content).into_owned())
    }
}

/// Answers a call and records it.
pub(crate) fn answer(
    context: &mut HookContext<'_>,
    request: &Request,
    stdin: &mut dyn FnMut() -> io::Result<Vec<u8>>,
) -> Reply {
    let argv: Vec<String> = std::iter::once(&request.tool)
        .chain(&request.arguments)
        .cloned()
        .collect();
    let unit = context.unit_name.clone();
    context.notify(Progress::Tool {
        unit: &unit,
        argv: &argv,
    });
    let mut call = Call {
        arguments: &request.arguments,
        directory: &request.directory,
        stdin,
    };
    let answer = if request.context != context.id {
        Err(Failure::Failed(format!(
            "expected context id \"{}\", got \"{}\"",
            context.id, request.context
        )))
    } else if let Some(injected) = context.tool_failures.count(&request.tool) {
        Err(injected)
    } else {
        run(context, &request.tool, &mut call)
    };
    let error = |text| (String::new(), format!("ERROR {text}\n"));
    let (code, (stdout, stderr)) = match answer {
        Ok(stdout) => (0, (stdout, String::new())),
        Err(Failure::Failed(text)) => (1, error(text)),
        Err(Failure::Usage(text)) => (2, error(text)),
        Err(Failure::Injected(code, text)) => (code, error(text)),
    };
    let reply = Reply {
        code,
        stdout: stdout.clone().into(),
        stderr: stderr.clone().into(),
    };
    context.calls.push(ToolCall {
        argv,
        exit_code: code,
        stdout,
        stderr,
    });
    reply
}

fn run(context: &mut HookContext<'_>, tool: &str, call: &mut Call<'_>) -> Answer {
    match tool {
        "action-fail" => action::fail(context, call),
        "action-get" => action::get(context, call),
        "action-log" => action::log(context, call),
        "action-set" => action::set(context, call),
        "application-version-set" => application::version_set(context, call),
        "close-port" => workload::close_port(context, call),
        "config-get" => application::config_get(context, call),
        "credential-get" => application::credential_get(context, call),
        "goal-state" => application::goal_state(context, call),
        "is-leader" => application::is_leader(context, call),
        "juju-log" => log::juju_log(context, call),
        "juju-reboot" => Err(Failure::failed(
            "juju-reboot is not supported on Kubernetes",
        )),
        "network-get" => network::network_get(context, call),
        "open-port" => workload::open_port(context, call),
        "opened-ports" => workload::opened_ports(context, call),
        "relation-get" => relation::get(context, call),
        "relation-ids" => relation::ids(context, call),
        "relation-list" => relation::list(context, call),
        "relation-model-get" => relation::model_get(context, call),
        "relation-set" => relation_write::set(context, call),
        "resource-get" => workload::resource_get(context, call),
        "secret-add" => secret_write::add(context, call),
        "secret-get" => secret_read::get(context, call),
        "secret-grant" => secret_write::grant(context, call),
        "secret-ids" => secret_read::ids(context, call),
        "secret-info-get" => secret_read::info_get(context, call),
        "secret-remove" => secret_write::remove(context, call),
        "secret-revoke" => secret_write::revoke(context, call),
        "secret-set" => secret_write::set(context, call),
        "state-delete" => state::delete(context, call),
        "state-get" => state::get(context, call),
        "state-set" => state::set(context, call),
        "status-get" => status::get(context, call),
        "status-set" => status::set(context, call),
        "storage-list" => workload::storage_list(call),
        "storage-add" | "storage-get" => Err(Failure::failed("no storage is declared")),
        "unit-get" => network::unit_get(call),
        _ => Err(Failure::usage(format!("unknown hook tool \"{tool}\""))),
    }
}
