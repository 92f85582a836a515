//! The same switches by `istioctl upgrade`, and who is faster.

use std::io::BufReader;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Deserializer, Value, json};
use test_cluster::{Program, TestCluster};

use super::cases::turn_metrics_off;
use super::report::{Report, print};
use super::site::{Site, create, delete, init_container, is_ready};
use super::stream::{MOST, STREAM, stream};

/// How often each switch is timed.
const TIMES: usize = 5;
/// From one pod to the next. A small machine needs about a second for each, and a growing queue of
/// pods would be what is timed.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a switch may take.
const LONGEST: Duration = Duration::from_secs(120);
/// The namespace that istioctl installs into.
const ISTIO_SYSTEM: &str = "istio-system";

/// Times the charm, replaces it with istioctl, and does the same again. The charm is off.
pub(super) fn run(site: &mut Site, report: &mut Report) {
    let plugins = site.node.plugins();
    let mut charm = Times::default();
    report.case("from juju config to the first new pod with the CNI", || {
        charm = time_switches(site, |site| site.switch_on(&plugins), Site::switch_off)?;
        Ok(charm.tell())
    });
    report.case("the charm is removed, and istioctl installs", || {
        site.world.remove()?;
        site.namespace(ISTIO_SYSTEM, &json!({}))?;
        istioctl(site, "install", false)?;
        turn_metrics_off(&site.world, ISTIO_SYSTEM, None)?;
        Ok(String::new())
    });
    for (name, on) in [("on", true), ("off", false)] {
        match stream(site, |site| istioctl(site, "upgrade", on)) {
            Ok(outcome) => print(&format!(
                "  to compare: istioctl upgrade, {name}, strands {} pods\n          {}",
                outcome.stranded(),
                outcome.tell().lines().next().unwrap_or_default()
            )),
            Err(error) => print(&format!(
                "  to compare: istioctl upgrade, {name}: {error:#}"
            )),
        }
    }
    // Told, and no case: how long something takes on a busy machine says nothing about the charm.
    let istioctl = time_switches(
        site,
        |site| istioctl(site, "upgrade", true),
        |site| istioctl(site, "upgrade", false),
    );
    match istioctl {
        Ok(istioctl) => print(&format!(
            "  to compare: from its beginning to the first new pod with the CNI\n          \
             charm: {}\n          istioctl upgrade: {}",
            charm.tell(),
            istioctl.tell()
        )),
        Err(error) => print(&format!("  to compare: istioctl upgrade: {error:#}")),
    }
}

/// How long each switch took.
#[derive(Debug, Default)]
struct Times(Vec<Duration>);

impl Times {
    /// The middle one; `None` unless all were measured.
    fn median(&self) -> Option<Duration> {
        let mut times = self.0.clone();
        times.sort();
        times.get(TIMES / 2).copied()
    }

    fn tell(&self) -> String {
        let seconds = |time: &Duration| format!("{:.1}", time.as_secs_f32());
        let all: Vec<String> = self.0.iter().map(seconds).collect();
        let median = self.median().as_ref().map(seconds).unwrap_or_default();
        format!("median {median} s of {}", all.join(", "))
    }
}

/// Runs `istioctl install` or `upgrade`.
fn istioctl(site: &mut Site, command: &str, cni: bool) -> Result<String> {
    let mut settings = vec![
        "profile=minimal".to_owned(),
        "meshConfig.accessLogFile=/dev/stdout".to_owned(),
    ];
    if cni {
        settings.extend([
            "components.cni.enabled=true".to_owned(),
            format!("values.cni.cniBinDir={}", site.node.plugins().display()),
            format!(
                "values.cni.cniConfDir={}",
                site.node.plugin_configuration().display()
            ),
        ]);
    }
    let mut arguments = vec![command, "--skip-confirmation"];
    for setting in &settings {
        arguments.extend(["--set", setting]);
    }
    site.world.cluster.istioctl(&arguments)
}

/// Times from the beginning of `on` to the first new pod that is Ready with `istio-validation`.
fn time_switches(
    site: &mut Site,
    on: impl Fn(&mut Site) -> Result<String>,
    off: impl Fn(&mut Site) -> Result<String>,
) -> Result<Times> {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let cluster = Arc::clone(&site.world.cluster);
        let enough = AtomicBool::new(false);
        let (first, switched) = thread::scope(|scope| {
            let first = scope.spawn(|| first_ready(&cluster, &enough));
            let switched = on(site);
            if switched.is_err() {
                enough.store(true, Ordering::Relaxed);
            }
            (first.join(), switched)
        });
        switched?;
        times.push(first.map_err(|_| anyhow!("making pods panicked"))??);
        // Pods take their time to end; meanwhile something else can be done.
        site.delete_pods(STREAM)?;
        off(site)?;
        site.clear(STREAM)?;
    }
    Ok(Times(times))
}

/// Makes pods until one that has `istio-validation` is Ready.
fn first_ready(cluster: &TestCluster, enough: &AtomicBool) -> Result<Duration> {
    let started = Instant::now();
    let mut watch = cluster
        .command(Program::Kubectl)?
        .args(["get", "pods", "--namespace", STREAM])
        .args(["--watch", "--output=json"])
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run kubectl")?;
    let seen = watch.stdout.take().context("kubectl has no output")?;
    let (found, first) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut pods = Deserializer::from_reader(BufReader::new(seen))
                .into_iter::<Value>()
                .map_while(Result::ok);
            let wanted =
                |pod: Value| is_ready(&pod) && init_container(&pod, "istio-validation").is_some();
            if pods.any(wanted) {
                // Nobody listens any more after a failure.
                let _ = found.send(started.elapsed());
            }
        });
        let result = make_pods(cluster, started, &first, enough);
        // It may have ended by itself; nothing else can be done about a failure.
        let _ = watch.kill();
        let _ = watch.wait();
        result
    })
}

fn make_pods(
    cluster: &TestCluster,
    started: Instant,
    first: &Receiver<Duration>,
    enough: &AtomicBool,
) -> Result<Duration> {
    let mut next = started;
    for number in 0.. {
        match first.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(time) => return Ok(time),
            Err(RecvTimeoutError::Disconnected) => bail!("kubectl no longer watches"),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if enough.load(Ordering::Relaxed) {
            bail!("the switch failed");
        }
        if started.elapsed() > LONGEST {
            bail!("no pod is Ready after {} s", LONGEST.as_secs());
        }
        create(cluster, STREAM, &format!("pod-{number}"))?;
        if number >= MOST {
            delete(cluster, STREAM, &format!("pod-{}", number - MOST))?;
        }
        next += INTERVAL;
    }
    bail!("there are no more numbers");
}
