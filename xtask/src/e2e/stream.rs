//! A stream of new pods while the CNI is switched: how many of them never come to life.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Value, json};
use test_cluster::{RealNode, TestCluster};

use super::report::Report;
use super::site::{Site, create, delete, init_container, is_ready, must_redirect};

/// A namespace with injection.
pub(super) const STREAM: &str = "stream";
/// From one pod to the next.
pub(super) const INTERVAL: Duration = Duration::from_millis(500);
/// How many pods there are at once: users have 128 inotify instances by default, enough for about
/// 45 sidecars.
pub(super) const MOST: usize = 35;
/// How long pods are made before the switch begins.
const BEFORE: Duration = Duration::from_secs(3);
/// How long pods are made after the switch has ended.
const AFTER: Duration = Duration::from_secs(4);
/// How long the last pods may take to become Ready.
const PATIENCE: Duration = Duration::from_secs(45);

/// What became of a stream.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// How many pods there were.
    pods: usize,
    /// How many of them had `istio-validation`.
    validated: usize,
    /// How long the switch took.
    switch: Duration,
    /// What is wrong with which pod.
    stranded: Vec<String>,
}

/// Switches on, to other paths and off, with a stream of pods around each.
pub(super) fn run(site: &mut Site, report: &mut Report) {
    let (first, second) = (site.node.plugins(), site.node.other_plugins());
    report.case("a stream of pods while the CNI is switched on", || {
        site.namespace(STREAM, &json!({"istio-injection": "enabled"}))?;
        stranding_none(site, |site| site.switch_on(&first))
    });
    report.case(
        "a stream of pods while the CNI is switched to another path",
        || stranding_none(site, |site| site.switch_on(&second)),
    );
    report.case("a stream of pods while the CNI is switched off", || {
        stranding_none(site, Site::switch_off)
    });
}

fn stranding_none(
    site: &mut Site,
    switch: impl FnOnce(&mut Site) -> Result<String>,
) -> Result<String> {
    let outcome = stream(site, switch)?;
    ensure!(outcome.stranded.is_empty(), "{}", outcome.tell());
    Ok(outcome.tell())
}

/// Makes pods while `switch` runs, and looks what became of them.
pub(super) fn stream(
    site: &mut Site,
    switch: impl FnOnce(&mut Site) -> Result<String>,
) -> Result<Outcome> {
    let (cluster, node) = (Arc::clone(&site.world.cluster), site.node);
    let enough = AtomicBool::new(false);
    let (made, switched, took) = thread::scope(|scope| {
        let maker = scope.spawn(|| make_pods(&cluster, node, &enough));
        thread::sleep(BEFORE);
        let started = Instant::now();
        let switched = switch(site);
        let took = started.elapsed();
        thread::sleep(AFTER);
        enough.store(true, Ordering::Relaxed);
        (maker.join(), switched, took)
    });
    let (made, mut outcome) = made.map_err(|_| anyhow!("making pods panicked"))??;
    outcome.switch = took;
    for pod in settled(&cluster)? {
        outcome.count(node, &pod);
    }
    ensure!(
        outcome.pods == made,
        "{made} pods were made, and {} are there",
        outcome.pods
    );
    site.clear(STREAM)?;
    switched.with_context(|| outcome.tell())?;
    Ok(outcome)
}

/// Makes pods until it is enough. Once there are many, the oldest that is well makes room; the
/// outcome counts those that did.
fn make_pods(
    cluster: &TestCluster,
    node: &RealNode<'_>,
    enough: &AtomicBool,
) -> Result<(usize, Outcome)> {
    let mut outcome = Outcome::default();
    let mut next = Instant::now();
    for made in 0.. {
        if enough.load(Ordering::Relaxed) {
            return Ok((made, outcome));
        }
        thread::sleep(next.saturating_duration_since(Instant::now()));
        next += INTERVAL;
        if made >= MOST {
            let name = format!("pod-{}", made - MOST);
            let pod = cluster.get(&format!("pod {name} -n {STREAM}"))?;
            if is_ready(&pod) {
                outcome.count(node, &pod);
                delete(cluster, STREAM, &name)?;
            }
        }
        create(cluster, STREAM, &format!("pod-{made}"))?;
    }
    bail!("there are no more numbers");
}

/// The pods that were not deleted, once all are Ready or have failed for good.
fn settled(cluster: &TestCluster) -> Result<Vec<Value>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut list = cluster.get(&format!("pods -n {STREAM}"))?;
        let pods = list["items"].as_array_mut().map(std::mem::take);
        let mut pods = pods.unwrap_or_default();
        pods.retain(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        let settled = pods
            .iter()
            .all(|pod| is_ready(pod) || validation_failed(pod));
        if settled || Instant::now() > deadline {
            return Ok(pods);
        }
        thread::sleep(INTERVAL);
    }
}

/// Whether `istio-validation` has ever found no rules.
fn validation_failed(pod: &Value) -> bool {
    let statuses = pod["status"]["initContainerStatuses"].as_array();
    statuses
        .into_iter()
        .flatten()
        .filter(|status| status["name"] == "istio-validation")
        .flat_map(|status| [&status["state"], &status["lastState"]])
        .filter_map(|state| state["terminated"]["exitCode"].as_i64())
        .any(|code| code != 0)
}

impl Outcome {
    /// Adds what became of a pod.
    fn count(&mut self, node: &RealNode<'_>, pod: &Value) {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        self.pods += 1;
        if init_container(pod, "istio-validation").is_some() {
            self.validated += 1;
        }
        let wrong = if validation_failed(pod) {
            Some("istio-validation failed".to_owned())
        } else if is_ready(pod) {
            let redirected = must_redirect(node, STREAM, name);
            redirected.err().map(|error| format!("{error:#}"))
        } else {
            Some(format!("not Ready: {}", pod["status"]))
        };
        self.stranded
            .extend(wrong.map(|wrong| format!("{name}: {wrong}")));
    }

    /// How many pods never came to life, or run without redirection.
    pub(super) fn stranded(&self) -> usize {
        self.stranded.len()
    }

    /// The outcome in words.
    pub(super) fn tell(&self) -> String {
        let Self {
            pods,
            validated,
            switch,
            stranded,
        } = self;
        let mut text = format!(
            "{} of {pods} pods stranded; {validated} had istio-validation; the switch took {:.1} s",
            stranded.len(),
            switch.as_secs_f32()
        );
        for line in stranded {
            text.push('\n');
            text.push_str(line);
        }
        text
    }
}
