//! A program that a test starts next to a cluster.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::TestCluster;
use super::supervisor::Process;

/// A program that runs until this value is dropped, or the cluster ends.
#[derive(Debug)]
pub struct Background<'a> {
    cluster: &'a TestCluster,
    process: Process,
    name: String,
}

impl TestCluster {
    /// Starts a command that keeps running during the test. `name` names its log and must not be
    /// that of another program of the cluster.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn_background(&self, name: &str, command: &mut Command) -> Result<Background<'_>> {
        Ok(Background {
            cluster: self,
            process: self.supervisor.spawn(name, command)?,
            name: name.to_owned(),
        })
    }
}

impl Background<'_> {
    /// What it wrote so far, standard output and standard error together.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The file that it writes to.
    pub fn log_file(&self) -> PathBuf {
        self.cluster.supervisor.log(&self.name)
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When it ended: the error holds its last lines.
    pub fn must_run(&self) -> Result<()> {
        self.cluster.must_run(self.process, &self.name)
    }
}

impl Drop for Background<'_> {
    fn drop(&mut self) {
        // It may have ended on its own; nothing else can be done about a failure here.
        let _ = self.cluster.supervisor.kill(self.process);
    }
}
