//! The program `juju-sim`: one file that is the command line, every hook tool and the launcher of
//! hooks, by the name it is called with.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use nix::sys::prctl;
use nix::sys::signal::Signal;

use crate::protocol::{Reply, Request, call};
use crate::{Error, cli};

/// The name under which the program starts a hook's `dispatch`.
pub(crate) const LAUNCHER: &str = "juju-sim-launch";

/// Runs as whatever `argv[0]` says. This is the whole of the program's `main`.
pub fn main() -> ExitCode {
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_default();
    let name = Path::new(&name)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    match name.as_ref() {
        LAUNCHER => launch(arguments),
        tool if crate::tools::NAMES.contains(&tool) => hook_tool(tool, arguments),
        _ => cli::main(),
    }
}

/// A hook tool does nothing but carry its arguments to the model and the answer back: a hook
/// pays for every call of it.
fn hook_tool(tool: &str, arguments: env::ArgsOs) -> ExitCode {
    let reply = (|| -> io::Result<Reply> {
        let variable =
            |name: &str| env::var(name).map_err(|_| io::Error::other(format!("{name} not set")));
        let request = Request {
            context: variable("JUJU_CONTEXT_ID")?,
            directory: env::current_dir()?.to_string_lossy().into_owned(),
            tool: tool.to_owned(),
            arguments: arguments
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect(),
        };
        let mut stream = UnixStream::connect(variable("JUJU_AGENT_SOCKET_ADDRESS")?)?;
        call(&mut stream, &request, &mut io::stdin().lock())
    })();
    match reply {
        Ok(reply) => {
            let printed = io::stdout().write_all(&reply.stdout);
            let printed = printed.and(io::stderr().write_all(&reply.stderr));
            if printed.is_ok() {
                ExitCode::from(reply.code)
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(text: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "ERROR {text}");
    ExitCode::FAILURE
}

/// Becomes the hook's `dispatch`, tied to the life of the simulating process: if that is killed,
/// the kernel ends the hook too, instead of leaving it to change a cluster unwatched.
fn launch(mut arguments: env::ArgsOs) -> ExitCode {
    let (Some(parent), Some(program)) = (arguments.next(), arguments.next()) else {
        return fail("usage: juju-sim-launch PARENT-PID PROGRAM");
    };
    if let Err(error) = prctl::set_pdeathsig(Signal::SIGKILL) {
        return fail(&format!("cannot tie the hook to its parent: {error}"));
    }
    // The parent may have died before the line above took effect.
    if parent != OsString::from(nix::unistd::getppid().to_string()) {
        return fail("the model is gone");
    }
    let error = Command::new(&program).args(arguments).exec();
    fail(&format!("fork/exec {}: {error}", program.to_string_lossy()))
}

/// Finds the program: `JUJU_SIM_PROGRAM`, the running program itself, or next to it (a test's own
/// program is in a folder below).
pub(crate) fn find() -> Result<PathBuf, Error> {
    if let Some(path) = env::var_os("JUJU_SIM_PROGRAM") {
        return Ok(PathBuf::from(path));
    }
    let current = env::current_exe().map_err(Error::io("find the running program"))?;
    let folders = current.ancestors().skip(1).take(2);
    let candidates: Vec<PathBuf> = folders.map(|folder| folder.join("juju-sim")).collect();
    candidates
        .iter()
        .find(|path| path.is_file())
        .cloned()
        .ok_or_else(|| Error::ToolProgram {
            looked: candidates
                .iter()
                .map(|p| p.display().to_string())
                .collect::<Vec<_>>()
                .join(", "),
        })
}
