//! The processes of a cluster, which end with the process that started them.
//!
//! All of them are in one process group. A shell next to them waits for the end of its standard
//! input, which is the other end of a pipe that only this process holds: however this process
//! ends, the system closes it, and the shell ends the group and removes the folder.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

/// Arguments: the process group to end, the folder to remove.
///
/// Zombies whose parent never asks for them still answer `kill -0`, so the last loop has a bound.
const WATCHDOG: &str = r#"
group=$1 folder=$2
trap '' HUP INT TERM
while read -r word; do
    if [ "$word" = leave ]; then
        left=1
        trap 'left=' TERM
        while [ "$left" ]; do sleep 1; done
        trap '' TERM
        break
    fi
done
[ -e "$folder/before-stop" ] && sh "$folder/before-stop"
kill -s KILL -- "-$group"
tries=0
while kill -s 0 -- "-$group" && [ "$tries" -lt 30 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
[ -e "$folder/after-stop" ] && sh "$folder/after-stop"
rm -rf -- "$folder"
"#;

/// Runs the processes of a cluster and guarantees their end.
#[derive(Debug)]
pub(super) struct Supervisor {
    folder: PathBuf,
    /// Gives the process group its number, and ends when this process does.
    anchor: Child,
    watchdog: Child,
    /// Open as long as the cluster is to live.
    pipe: Option<ChildStdin>,
    processes: Mutex<Vec<Child>>,
}

/// A process of a cluster, by its place in the list of its supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process(usize);

impl Supervisor {
    /// Takes over a folder, which is removed when the cluster ends. `claim` is kept open until
    /// then.
    pub(super) fn start(folder: TempDir, claim: File) -> Result<Self> {
        let anchor = Command::new("cat")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run cat")?;
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "test-cluster-watchdog"])
            .arg(anchor.id().to_string())
            .arg(folder.path())
            // Out of reach of a Ctrl-C at the terminal, which this process may not survive.
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(claim)
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run sh")?;
        Ok(Self {
            folder: folder.keep(),
            anchor,
            pipe: watchdog.stdin.take(),
            watchdog,
            processes: Mutex::default(),
        })
    }

    /// The cluster's folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts a process that writes to the file `logs/<name>.log` of the cluster's folder.
    pub(super) fn spawn(&self, name: &str, command: &mut Command) -> Result<Process> {
        let path = self.log(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let log =
            File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        let group = i32::try_from(self.anchor.id())?;
        let child = command
            .process_group(group)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot run {name}"))?;
        let mut processes = self.processes();
        processes.push(child);
        Ok(Process(processes.len() - 1))
    }

    /// Where the output of a process goes.
    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{name}.log"))
    }

    /// How a process ended, if it did.
    pub(super) fn ended(&self, process: Process) -> Result<Option<ExitStatus>> {
        Ok(self.processes()[process.0].try_wait()?)
    }

    /// How many of its processes run.
    pub(super) fn running(&self) -> Result<usize> {
        let mut running = 0;
        for process in &mut *self.processes() {
            running += usize::from(process.try_wait()?.is_none());
        }
        Ok(running)
    }

    /// Ends one process and waits until it has.
    pub(super) fn kill(&self, process: Process) -> Result<()> {
        let mut processes = self.processes();
        let child = &mut processes[process.0];
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Lets the cluster outlive this process. Returns the process to send `SIGTERM` to when
    /// it is to end.
    pub(super) fn leave(mut self) -> Result<u32> {
        if let Some(pipe) = &mut self.pipe {
            pipe.write_all(b"leave\n")?;
        }
        let watchdog = self.watchdog.id();
        // The rest of the work is the watchdog's: no destructor may end the cluster.
        std::mem::forget(self);
        Ok(watchdog)
    }

    fn processes(&self) -> MutexGuard<'_, Vec<Child>> {
        self.processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // The watchdog does the work, here as after a SIGKILL. It sees the end of a process only
        // when its parent has asked for it. Nothing can be done about a failure here.
        self.pipe = None;
        while let Ok(None) = self.watchdog.try_wait() {
            for child in &mut *self.processes() {
                let _ = child.try_wait();
            }
            let _ = self.anchor.try_wait();
            thread::sleep(Duration::from_millis(10));
        }
        // Nothing is left to end, unless somebody killed the watchdog.
        for child in &mut *self.processes() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = self.anchor.kill();
        let _ = self.anchor.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn supervisor() -> Supervisor {
        let claim = tempfile::tempfile().unwrap();
        Supervisor::start(tempfile::tempdir().unwrap(), claim).unwrap()
    }

    fn sleeper() -> Command {
        let mut command = Command::new("sh");
        // Ignores the signals of an orderly end.
        command.args(["-c", "trap '' TERM HUP INT; echo started; sleep 1000"]);
        command
    }

    fn is_alive(process: u32) -> bool {
        std::fs::read_to_string(format!("/proc/{process}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z "))
    }

    fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !condition() {
            assert!(Instant::now() < deadline, "never: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn dropping_ends_processes_and_removes_the_folder() {
        let supervisor = supervisor();
        let folder = supervisor.folder().to_path_buf();
        let process = supervisor.spawn("sleeper", &mut sleeper()).unwrap();
        let id = supervisor.processes()[process.0].id();
        eventually("it runs", || {
            std::fs::read_to_string(supervisor.log("sleeper")).unwrap() == "started\n"
        });
        assert!(is_alive(id) && folder.is_dir());
        drop(supervisor);
        assert!(!is_alive(id));
        assert!(!folder.exists());
    }

    #[test]
    fn a_process_that_ended_is_known() {
        let supervisor = supervisor();
        let mut command = Command::new("sh");
        command.args(["-c", "exit 7"]);
        let process = supervisor.spawn("short", &mut command).unwrap();
        eventually("it ends", || supervisor.ended(process).unwrap().is_some());
        assert_eq!(supervisor.ended(process).unwrap().unwrap().code(), Some(7));
    }

    #[test]
    fn one_process_can_be_ended_alone() {
        let supervisor = supervisor();
        let one = supervisor.spawn("one", &mut sleeper()).unwrap();
        let other = supervisor.spawn("other", &mut sleeper()).unwrap();
        supervisor.kill(one).unwrap();
        assert!(supervisor.ended(one).unwrap().is_some());
        assert!(supervisor.ended(other).unwrap().is_none());
    }

    #[test]
    fn a_cluster_that_was_left_ends_at_a_signal() {
        let supervisor = supervisor();
        let folder = supervisor.folder().to_path_buf();
        let process = supervisor.spawn("sleeper", &mut sleeper()).unwrap();
        let id = supervisor.processes()[process.0].id();
        let watchdog = supervisor.leave().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        assert!(is_alive(id) && folder.is_dir());
        let killed = Command::new("kill")
            .arg(watchdog.to_string())
            .status()
            .unwrap();
        assert!(killed.success());
        eventually("it ends", || !is_alive(id) && !folder.exists());
    }

    #[test]
    fn scripts_run_around_the_end() {
        let supervisor = supervisor();
        let notes = tempfile::NamedTempFile::new().unwrap();
        for name in ["before-stop", "after-stop"] {
            let script = format!("echo {name} >> {}", notes.path().display());
            std::fs::write(supervisor.folder().join(name), script).unwrap();
        }
        drop(supervisor);
        let notes = std::fs::read_to_string(notes.path()).unwrap();
        assert_eq!(notes, "before-stop\nafter-stop\n");
    }
}
