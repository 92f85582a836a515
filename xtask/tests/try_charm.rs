//! `cargo xtask try`, as a newcomer runs it.
#![allow(
    clippy::unwrap_used,
    reason = "tests and their helpers fail by panicking"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use test_cluster::Program;
use test_cluster::command::output_of;

/// What `--keep` left running; ended when this is dropped.
struct Kept {
    watchdog: String,
}

impl Drop for Kept {
    fn drop(&mut self) {
        // After a failure, this is the last chance to end it.
        let _ = Command::new("kill").arg(&self.watchdog).status();
    }
}

/// The rest of the first line that starts with `start`.
fn rest<'a>(text: &'a str, start: &str) -> &'a str {
    text.lines()
        .find_map(|line| line.trim_start().strip_prefix(start))
        .unwrap()
}

fn assert_in_order(text: &str, parts: &[&str]) {
    let mut left = text;
    for part in parts {
        let found = left.split_once(part);
        assert!(
            found.is_some(),
            "{part:?} is missing or too early in:\n{text}"
        );
        left = found.unwrap().1;
    }
}

#[test]
fn the_story_is_played_and_can_be_gone_on_with() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["try", "--keep", "--profile=dev"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let kept = Kept {
        watchdog: rest(&text, "kill ").to_owned(),
    };
    assert_in_order(
        &text,
        &[
            "$ juju deploy ",
            "$ juju status",
            "active    idle",
            "CNI off",
            "init container istio-init: adds NET_ADMIN and NET_RAW",
            "$ juju config istio-pilot cni-bin-dir=/opt/cni/bin cni-conf-dir=/etc/cni/net.d",
            "CNI on (3/3 nodes)",
            "istio-cni-node",
            "init container istio-validation: adds no capability, drops ALL",
            "$ juju config istio-pilot cni-conf-dir=\"\"",
            "CNI off: cni-conf-dir is not set",
            "init container istio-init: adds NET_ADMIN and NET_RAW",
        ],
    );

    // What it says at the end works.
    let kubeconfig = PathBuf::from(rest(&text, "export KUBECONFIG="));
    let mut kubectl = Command::new(Program::Kubectl.path().unwrap());
    kubectl.env("KUBECONFIG", &kubeconfig).args([
        "get",
        "deployment",
        "istiod",
        "--namespace=istio-system",
    ]);
    assert!(output_of(&mut kubectl).unwrap().contains("istiod"));
    let juju = rest(&text, "alias juju=").trim_matches('\'');
    let status = output_of(Command::new("sh").args(["-c", &format!("{juju} status")])).unwrap();
    assert!(
        status.contains("CNI off: cni-conf-dir is not set"),
        "{status}"
    );

    drop(kept);
    await_removal(kubeconfig.parent().unwrap());
}

fn await_removal(folder: &Path) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while folder.exists() {
        assert!(Instant::now() < deadline, "{} stays", folder.display());
        std::thread::sleep(Duration::from_millis(100));
    }
}
