//! The endpoints `metrics-endpoint` and `grafana-dashboard`, read with what the charms of Prometheus
//! and Grafana use for it.

use anyhow::{Result, bail};
use charm_world::{Neighbour, Verdict, World};
use expect_test::expect;
use serde_json::Value;

use super::WELL;
use crate::support::{BOTH_PATHS, deployed};

/// What a neighbour reads, when neither side writes any more.
fn read(neighbour: &mut Neighbour, world: &mut World) -> Result<Value> {
    match neighbour.converse(world)? {
        Verdict::Read(Some(value)) => Ok(value),
        verdict => bail!("{verdict}"),
    }
}

#[test]
fn prometheus_reads_whose_metrics_they_are_and_when_it_alerts() -> Result<()> {
    let mut world = deployed()?;
    let mut prometheus = Neighbour::new("prometheus", "metrics-endpoint")?;
    prometheus.relate(&mut world)?;
    assert_eq!(prometheus.turn(&mut world)?, Verdict::Read(None));
    let mut value = read(&mut prometheus, &mut world)?;
    let uuid = &world.model.uuid()[..8];
    assert_eq!(value["identifier"], format!("mesh_{uuid}_pilot"));
    assert_eq!(value["without_topology"], serde_json::json!([]));
    expect![[
        r#"[{"metrics_path":"/metrics","static_configs":[{"targets":["istiod.mesh.svc:15014"]}]}]"#
    ]]
    .assert_eq(&value["jobs"].to_string());
    let alerts = value["alerts"].take().to_string().replace(uuid, "…");
    expect![[r#"{"mesh_…_pilot_charm_alerts":["IstioPilotNotScraped","IstioPilotUpgradeUnfinished"],"mesh_…_pilot_control_plane_alerts":["IstiodDown","IstiodPushErrors","IstioConfigurationRejected","IstioConfigurationConflicts","IstioRootCertificateExpires"],"mesh_…_pilot_node_agents_alerts":["IstioNodeAgentDown","IstioNodeAgentNotReady","IstioNodeAgentInstallFails"]}"#]].assert_eq(&alerts);
    let units = |value: &Value| value["units"].as_object().unwrap().len();
    assert_eq!(units(&value), 1);

    world.scale(2)?;
    world.configure(&BOTH_PATHS)?;
    let value = read(&mut prometheus, &mut world)?;
    assert_eq!(units(&value), 2);
    assert_eq!(value["jobs"].as_array().unwrap().len(), 2);
    Ok(())
}

#[test]
fn grafana_reads_every_dashboard_and_can_tell_them_apart() -> Result<()> {
    let mut world = deployed()?;
    let mut grafana = Neighbour::new("grafana", "grafana-dashboard")?;
    grafana.relate(&mut world)?;
    let value = read(&mut grafana, &mut world)?;
    let uuid = &world.model.uuid()[..8];
    let dashboards = value.as_object().unwrap().iter();
    let lines: Vec<String> = dashboards
        .map(|(name, dashboard)| {
            assert_eq!(dashboard["identifier"], format!("mesh_{uuid}_pilot"));
            assert_eq!(dashboard["is_uid_of_path"], true, "{dashboard}");
            format!("{name}: {} as {}", dashboard["title"], dashboard["uid"])
        })
        .collect();
    expect![[r#"
        file:istio_control_plane.json: "Istio control plane" as "0a395accafe8fc80"
        file:istio_node_agents.json: "Istio CNI node agents" as "d4fd37ebb3e9af7a""#]]
    .assert_eq(&lines.join("\n"));
    assert_eq!(world.shown()?, WELL);
    Ok(())
}
