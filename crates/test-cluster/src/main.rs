//! Runs one test cluster until this process ends: `cargo run -p test-cluster`.

use std::io::{Write, stdin, stdout};

use test_cluster::{Options, TestCluster};

fn main() -> anyhow::Result<()> {
    let cluster = TestCluster::start(&Options::default())?;
    let mut out = stdout().lock();
    writeln!(out, "export KUBECONFIG={}", cluster.kubeconfig().display())?;
    writeln!(out, "It runs until you press Enter or Ctrl-C.")?;
    out.flush()?;
    stdin().read_line(&mut String::new())?;
    Ok(())
}
