//! Running a charm's `dispatch` and answering its hook tools meanwhile.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::hook::environment::UnitPaths;
use crate::hook_context::HookContext;
use crate::program::LAUNCHER;
use crate::protocol::{Reply, Request, ask_for_stdin};
use crate::state::State;
use crate::{Error, tools};

/// How a `dispatch` ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) exit_code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) duration: Duration,
}

/// The process group of a running hook; nothing of it outlives this value.
struct Group {
    leader: Pid,
    killed: AtomicBool,
}

impl Group {
    /// Only once: when the group is gone its number may become another's.
    fn kill(&self) {
        if !self.killed.swap(true, Ordering::AcqRel) {
            // It may have ended on its own, which is just as good.
            let _ = killpg(self.leader, Signal::SIGKILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs `dispatch` in the charm's folder with exactly `environment` and serves its tools until it
/// ends. Processes it leaves behind are killed, because they could not reach their tools any more.
///
/// `save` is called when the charm changed something that others may watch.
///
/// # Errors
/// Only for what the simulation itself needs: a socket, a process, a thread. A `dispatch` that is
/// missing or not executable is a failed hook.
pub(crate) fn run(
    context: &mut HookContext<'_>,
    program: &Path,
    paths: &UnitPaths,
    environment: &BTreeMap<String, String>,
    save: &(dyn Fn(&State) + Sync),
) -> Result<Outcome, Error> {
    let _ = fs::remove_file(&paths.socket);
    let listener =
        UnixListener::bind(&paths.socket).map_err(Error::file("listen on", &paths.socket))?;
    let started = Instant::now();
    let mut child = Command::new(program)
        .arg0(LAUNCHER)
        .arg(std::process::id().to_string())
        .arg(paths.charm.join("dispatch"))
        .env_clear()
        .envs(environment)
        .current_dir(&paths.charm)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(Error::file("start", program))?;
    let leader = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
    let group = Group {
        leader,
        killed: AtomicBool::new(false),
    };
    let ended = AtomicBool::new(false);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (status, stdout, stderr) = std::thread::scope(|scope| {
        let stdout = scope.spawn(|| read_all(stdout));
        let stderr = scope.spawn(|| read_all(stderr));
        let server = scope.spawn(|| serve(&listener, context, &group, &ended, save));
        let status = child.wait();
        group.kill();
        ended.store(true, Ordering::Release);
        // Wakes the server from accept; if it cannot be reached it has already ended.
        let _ = UnixStream::connect(&paths.socket);
        if let Err(panic) = server.join() {
            std::panic::resume_unwind(panic);
        }
        (
            status,
            stdout.join().unwrap_or_default(),
            stderr.join().unwrap_or_default(),
        )
    });
    let _ = fs::remove_file(&paths.socket);
    let status = status.map_err(Error::io("wait for dispatch"))?;
    Ok(Outcome {
        exit_code: status.code(),
        stdout,
        stderr,
        duration: started.elapsed(),
    })
}

fn read_all(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What could be read before an error is still worth showing.
        let _ = pipe.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An observer that panics, as a failed assertion in a test does, must not leave the hook waiting
/// for an answer.
struct KillOnPanic<'a>(&'a Group);

impl Drop for KillOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.kill();
        }
    }
}

/// Answers one call after another, as Juju does.
fn serve(
    listener: &UnixListener,
    context: &mut HookContext<'_>,
    group: &Group,
    ended: &AtomicBool,
    save: &(dyn Fn(&State) + Sync),
) {
    let _guard = KillOnPanic(group);
    for stream in listener.incoming() {
        if ended.load(Ordering::Acquire) {
            return;
        }
        let Ok(mut stream) = stream else { continue };
        // A tool that was killed during its call does not need an answer.
        let _ = answer(&mut stream, context);
        if std::mem::take(&mut context.visible_change) {
            save(context.state);
        }
        if context.kill {
            group.kill();
        }
    }
}

fn answer(stream: &mut UnixStream, context: &mut HookContext<'_>) -> io::Result<()> {
    let reply = match Request::read(stream) {
        Ok(request) => tools::answer(context, &request, &mut || ask_for_stdin(stream)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Reply {
            code: 1,
            stderr: format!("ERROR {error}\n").into(),
            ..Reply::default()
        },
        Err(error) => return Err(error),
    };
    reply.write(stream)
}
