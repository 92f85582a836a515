//! Separate namespaces for a real node, so that nothing of the machine is touched.
//!
//! A node changes a machine in many places: interfaces, packet filter rules, mounts, kernel
//! settings, files in fixed folders. Inside of an enclosure all of that belongs to Linux
//! namespaces (mounts, network, processes, IPC, host name), and goes with their last process. The
//! system ends that one when whoever started the enclosure ends, `SIGKILL` included. Two enclosures
//! do not see each other.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const OUTSIDE: &str = include_str!("enclosure/outside.sh");
const INSIDE: &str = include_str!("enclosure/inside.sh");
/// How long what was killed may still be seen.
const MOST_LINGERING: Duration = Duration::from_secs(10);

/// The part of a machine that programs in it can change without the machine noticing.
#[derive(Debug)]
pub struct Enclosure {
    watchdog: Watchdog,
    before: Machine,
}

/// A command that runs in an enclosure; it ends when this value is dropped.
#[derive(Debug)]
pub struct Enclosed {
    watchdog: Watchdog,
    before: Machine,
}

/// A process that removes the folder of an enclosure, and what runs in it, when its standard input
/// is closed.
#[derive(Debug)]
struct Watchdog {
    process: Child,
    /// Kept apart from the process: waiting for that would close it.
    input: Option<ChildStdin>,
    folder: PathBuf,
}

/// What a node could leave behind on a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Machine {
    interfaces: BTreeSet<String>,
    mounts: BTreeSet<String>,
    rules: BTreeSet<String>,
}

impl Enclosure {
    /// Makes the folder that both sides share, and notes how the machine is.
    ///
    /// # Errors
    /// Without root or a needed program; see [`crate::check_requirements`].
    pub fn new() -> Result<Self> {
        super::check_requirements()?;
        Ok(Self {
            before: Machine::read()?,
            watchdog: Watchdog::start()?,
        })
    }

    /// A folder that both sides see. It is removed with the enclosure.
    pub fn folder(&self) -> &Path {
        &self.watchdog.folder
    }

    /// Starts a command inside. Its temporary folder is one of the inside, in memory; its standard
    /// input is empty.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut self, command: &Command) -> Result<Enclosed> {
        fs::write(self.folder().join("command"), script(command)?)?;
        if let Some(input) = &mut self.watchdog.input {
            input
                .write_all(b"start\n")
                .context("the enclosure has ended")?;
        }
        Ok(Enclosed {
            watchdog: self.watchdog,
            before: self.before,
        })
    }
}

/// A command with its own variables, for a shell.
fn script(command: &Command) -> Result<String> {
    let mut words = vec!["exec".to_owned(), "env".to_owned()];
    for (name, value) in command.get_envs() {
        let name = text(name)?;
        match value {
            Some(value) => words.push(quoted(&format!("{name}={}", text(value)?))),
            None => words.extend(["-u".to_owned(), quoted(name)]),
        }
    }
    words.push(quoted(text(command.get_program())?));
    for argument in command.get_args() {
        words.push(quoted(text(argument)?));
    }
    Ok(words.join(" "))
}

fn text(value: &OsStr) -> Result<&str> {
    value
        .to_str()
        .with_context(|| format!("{} is not UTF-8", value.display()))
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

impl Watchdog {
    fn start() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("test-node-")
            .tempdir()
            .context("cannot create a temporary folder")?;
        fs::create_dir(folder.path().join("private"))?;
        let mut process = Command::new("sh")
            .args(["-c", OUTSIDE, "enclosure"])
            .arg(folder.path())
            .arg(INSIDE)
            .current_dir("/")
            // Out of reach of a Ctrl-C at the terminal: it has to remove what is left.
            .process_group(0)
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot run sh")?;
        Ok(Self {
            input: process.stdin.take(),
            process,
            folder: folder.keep(),
        })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.input.take());
        // It ends on its own now; nothing can be done about a failure.
        let _ = self.process.wait();
    }
}

impl Enclosed {
    /// Waits until the command has ended, and checks that nothing of it is left.
    ///
    /// # Errors
    /// When a process, mount, interface, packet filter rule, control group or file is left.
    pub fn wait(mut self) -> Result<ExitStatus> {
        let processes = self.process_namespace();
        let status = self.watchdog.process.wait()?;
        self.check(&processes)?;
        Ok(status)
    }

    /// Ends the command as the end of this process would, and checks that nothing of it is left.
    ///
    /// # Errors
    /// As [`Enclosed::wait`].
    pub fn abandon(mut self) -> Result<()> {
        let processes = self.process_namespace();
        drop(self.watchdog.input.take());
        self.watchdog.process.wait()?;
        self.check(&processes)
    }

    /// The name of the inside's process namespace; empty when the inside never began.
    fn process_namespace(&mut self) -> String {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let name =
                fs::read_to_string(self.watchdog.folder.join("processes")).unwrap_or_default();
            let ended = !matches!(self.watchdog.process.try_wait(), Ok(None));
            if name.ends_with('\n') || ended || Instant::now() > deadline {
                return name.trim().to_owned();
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn check(&self, processes: &str) -> Result<()> {
        // The kernel takes a moment to remove what was killed.
        let deadline = Instant::now() + MOST_LINGERING;
        loop {
            let left = self.left(processes)?;
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("left behind on this machine: {}", left.join("; "));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn left(&self, processes: &str) -> Result<Vec<String>> {
        let mut left = self.before.added(&Machine::read()?);
        left.extend(
            processes_in(processes)
                .into_iter()
                .map(|id| format!("process {id}")),
        );
        let folder = &self.watchdog.folder;
        if folder.exists() {
            left.push(format!("folder {}", folder.display()));
        }
        left.extend(empty_control_groups());
        Ok(left)
    }
}

impl Machine {
    fn read() -> Result<Self> {
        let interfaces = fs::read_dir("/sys/class/net")?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<_>>()?;
        let mounts = fs::read_to_string("/proc/self/mounts")?
            .lines()
            .map(str::to_owned)
            .collect();
        let rules = Command::new("iptables-save").output();
        let rules = rules.context("cannot run iptables-save")?.stdout;
        let rules = String::from_utf8_lossy(&rules)
            .lines()
            // The rest are time stamps and packet counters.
            .filter(|line| line.starts_with("-A") || line.starts_with('*'))
            .map(str::to_owned)
            .collect();
        Ok(Self {
            interfaces,
            mounts,
            rules,
        })
    }

    /// What is there now and was not before.
    fn added(&self, now: &Self) -> Vec<String> {
        let pairs = [
            ("interface", &self.interfaces, &now.interfaces),
            ("mount", &self.mounts, &now.mounts),
            ("packet filter rule", &self.rules, &now.rules),
        ];
        let added = pairs.into_iter().flat_map(|(kind, before, now)| {
            now.difference(before)
                .map(move |name| format!("{kind} {name}"))
        });
        added.collect()
    }
}

/// The processes of a process namespace, by its name as in `/proc/1/ns/pid`.
fn processes_in(namespace: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| {
            fs::read_link(entry.path().join("ns/pid"))
                .is_ok_and(|link| !namespace.is_empty() && link.as_os_str() == namespace)
        })
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// The control groups of pods, in each hierarchy, that no process is in.
fn empty_control_groups() -> Vec<String> {
    let root = Path::new("/sys/fs/cgroup");
    std::iter::once(root.to_path_buf())
        .chain(folders(root))
        .flat_map(|hierarchy| folders(&hierarchy.join("k8s.io")))
        .filter(|group| {
            fs::read_to_string(group.join("cgroup.procs")).is_ok_and(|text| text.is_empty())
        })
        .map(|group| format!("control group {}", group.display()))
        .collect()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enclosed(script: &str) -> (Enclosed, PathBuf) {
        let enclosure = Enclosure::new().unwrap();
        let folder = enclosure.folder().to_path_buf();
        let mut command = Command::new("sh");
        command.args(["-c", script]).env("SHARED", &folder);
        (enclosure.start(&command).unwrap(), folder)
    }

    /// Changes the machine, as far as the inside can see, and leaves a process behind.
    const CHANGES: &str = "ip link add test-bridge type bridge
        iptables -A INPUT -p tcp --dport 1 -j DROP
        mkdir -p /var/lib/cni/test-node && touch /var/lib/test-node
        echo 1 > /proc/sys/vm/overcommit_memory
        for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
            [ -e \"$hierarchy/cgroup.procs\" ] || continue
            mkdir -p \"$hierarchy/k8s.io/${SHARED##*/}\"
            echo $$ > \"$hierarchy/k8s.io/${SHARED##*/}/cgroup.procs\"
        done 2>/dev/null
        setsid sleep 1000 > /dev/null 2>&1 &
        ";

    #[test]
    #[ignore = "needs root"]
    fn what_happens_inside_stays_inside() {
        let setting = fs::read_to_string("/proc/sys/vm/overcommit_memory").unwrap();
        let (enclosed, folder) = enclosed(&format!("{CHANGES} ip link show test-bridge && exit 7"));
        assert_eq!(enclosed.wait().unwrap().code(), Some(7));
        assert!(!folder.exists());
        assert!(!Path::new("/var/lib/test-node").exists());
        let after = fs::read_to_string("/proc/sys/vm/overcommit_memory").unwrap();
        assert_eq!(after, setting);
    }

    #[test]
    #[ignore = "needs root"]
    fn it_ends_with_whoever_started_it() {
        let (enclosed, folder) = enclosed(&format!("{CHANGES} touch $SHARED/begun; sleep 1000"));
        while !folder.join("begun").exists() {
            thread::sleep(Duration::from_millis(20));
        }
        let name = fs::read_to_string(folder.join("processes")).unwrap();
        assert!(processes_in(name.trim()).len() >= 3);
        enclosed.abandon().unwrap();
    }

    #[test]
    #[ignore = "needs root"]
    fn what_was_only_prepared_is_removed() {
        let enclosure = Enclosure::new().unwrap();
        let folder = enclosure.folder().to_path_buf();
        assert!(folder.is_dir());
        drop(enclosure);
        assert!(!folder.exists());
    }

    #[test]
    fn a_shell_takes_a_command_as_it_is() {
        let mut command = Command::new("printenv");
        command.arg("GREETING").env("GREETING", "it's \"$HOME\" \\");
        let output = Command::new("sh")
            .args(["-c", &script(&command).unwrap()])
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            "it's \"$HOME\" \\\n"
        );
    }

    #[test]
    fn what_is_left_is_told() {
        let before = Machine::default();
        let mut after = before.clone();
        after.interfaces.insert("cni7".to_owned());
        after.rules.insert("-A KUBE-SERVICES".to_owned());
        assert_eq!(
            before.added(&after),
            ["interface cni7", "packet filter rule -A KUBE-SERVICES"]
        );
    }
}
