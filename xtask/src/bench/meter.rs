//! What hooks and actions cost.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use charm_world::{Charm, World};
use juju_sim::ModelOptions;
use tempfile::TempDir;
use test_cluster::TestCluster;

use super::peak;
use super::relay::Relay;
use super::{APPLICATION, MODEL};

/// What something costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// From the start of the charm to its end; of several hooks the sum.
    pub(super) time: Duration,
    /// The most memory that it had, in bytes.
    pub(super) peak: u64,
    /// Requests to the API server.
    pub(super) requests: usize,
    /// Bytes that the API server has sent, encryption included.
    pub(super) received: u64,
    /// Processes of hook tools.
    pub(super) processes: usize,
}

impl Cost {
    /// The middle of each figure; `None` of nothing. How much memory the same work takes differs by a
    /// twentieth from run to run.
    pub(super) fn median(costs: &[Self]) -> Option<Self> {
        Some(Self {
            time: middle(costs, |it| it.time)?,
            peak: middle(costs, |it| it.peak)?,
            requests: middle(costs, |it| it.requests)?,
            received: middle(costs, |it| it.received)?,
            processes: middle(costs, |it| it.processes)?,
        })
    }
}

fn middle<T: Ord + Copy>(costs: &[Cost], figure: impl Fn(&Cost) -> T) -> Option<T> {
    let mut figures: Vec<T> = costs.iter().map(figure).collect();
    figures.sort_unstable();
    figures.get(figures.len() / 2).copied()
}

impl fmt::Display for Cost {
    #[expect(clippy::cast_precision_loss, reason = "it is shown with few digits")]
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        write!(
            formatter,
            "{:>10.2} s{:>11.1} MB{:>12}{:>11.2} MB",
            self.time.as_secs_f64(),
            megabytes(self.peak),
            self.requests,
            megabytes(self.received)
        )
    }
}

/// A model on a cluster, whose charm is measured.
pub(super) struct Meter {
    pub(super) world: World,
    relay: Relay,
    /// Holds what the charm's `dispatch` needs.
    folder: TempDir,
}

impl Meter {
    /// A model without a charm yet.
    pub(super) fn new(cluster: TestCluster, charm: &Path, juju: PathBuf) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let dispatch = peak::dispatch(folder.path(), charm)?;
        let relay = Relay::to(&cluster.server())?;
        let model = ModelOptions::named(MODEL).program(juju);
        Ok(Self {
            world: World::new(model, cluster, APPLICATION, Charm::of_program(&dispatch)?)?,
            relay,
            folder,
        })
    }

    /// Leads the charm to the API server by a way where bytes are counted. It must be deployed.
    pub(super) fn count_bytes(&mut self) -> Result<()> {
        let last = self.world.model.dispatches().last();
        let direct = last.and_then(|it| it.environment.get("KUBECONFIG"));
        let direct = fs::read_to_string(direct.context("the charm has no kubeconfig")?)?;
        let server = self.world.cluster.server();
        ensure!(direct.contains(&server), "the charm asks another server");
        let counted = self.folder.path().join("kubeconfig");
        fs::write(&counted, direct.replace(&server, &self.relay.server()))?;
        let variable = counted.display().to_string();
        self.world.model.set_variable("KUBECONFIG", variable);
        Ok(())
    }

    /// From now on hooks do nothing, until [`Meter::wake`].
    pub(super) fn sleep(&self) -> Result<()> {
        peak::sleep(self.folder.path())
    }

    /// Hooks run the charm again.
    pub(super) fn wake(&self) -> Result<()> {
        peak::wake(self.folder.path())
    }

    /// Runs hooks or an action.
    pub(super) fn measure<T>(
        &mut self,
        run: impl FnOnce(&mut World) -> Result<T>,
    ) -> Result<(T, Cost)> {
        let dispatches = self.world.model.dispatches().len();
        let requests = self.world.requests()?.len();
        let peaks = peak::read(self.folder.path())?.len();
        let received = self.relay.received();
        let result = run(&mut self.world)?;
        let received = self.relay.received() - received;
        let peaks = peak::read(self.folder.path())?.split_off(peaks);
        let dispatches = &self.world.model.dispatches()[dispatches..];
        let cost = Cost {
            time: dispatches.iter().map(|it| it.duration).sum(),
            processes: dispatches.iter().map(|it| it.tool_calls.len()).sum(),
            peak: peaks.into_iter().max().context("no charm has run")?,
            requests: self.world.requests()?.len() - requests,
            received,
        };
        ensure!(
            cost.requests > 0 && cost.received > 0,
            "the charm asked nothing on the counted way: {cost}"
        );
        Ok((result, cost))
    }
}
