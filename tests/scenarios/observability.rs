//! What Prometheus and Grafana get through relations, held against a real istiod and node agent.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use charm_world::World;
use expect_test::expect;
use serde_json::Value;
use test_cluster::command::output_of;
use test_cluster::{Program, TestCluster};

mod queries;

use queries::Metrics;

use super::support::{APPLICATION, BOTH_PATHS, MODEL, NO_PATHS, deployed};

/// Relates the application to one that takes what the endpoint gives; returns the relation's number.
fn relate(world: &mut World, endpoint: &str, interface: &str) -> Result<u32> {
    let other = format!("cos-{endpoint}");
    world
        .model
        .add_remote_application(&other, "taker", interface, 1)?;
    let relation = world
        .model
        .integrate(&other, &format!("{APPLICATION}:{endpoint}"))?;
    world.settle()?;
    Ok(relation)
}

/// How often the last hook used a hook tool.
fn calls(world: &World, tool: &str) -> usize {
    let dispatch = world.model.dispatches().last().unwrap();
    dispatch.calls_of(tool).count()
}

#[test]
fn prometheus_is_told_what_to_scrape_and_every_unit_says_where_it_is() -> Result<()> {
    let mut world = deployed()?;
    world.scale(2)?;
    let relation = relate(&mut world, "metrics-endpoint", "prometheus_scrape")?;
    let bag = |world: &World, owner: &str| world.model.databag(relation, owner);
    let of_application = bag(&world, APPLICATION);
    let keys: Vec<_> = of_application.keys().collect();
    assert_eq!(keys, ["alert_rules", "scrape_jobs", "scrape_metadata"]);
    expect![[r#"[{"metrics_path": "/metrics", "static_configs": [{"targets": ["istiod.mesh.svc:15014"]}]}]"#]]
        .assert_eq(&of_application["scrape_jobs"]);
    for number in 0..2 {
        let unit = world.unit(number);
        let of_unit = bag(&world, &unit);
        assert_eq!(of_unit["prometheus_scrape_unit_name"], unit);
        let address: Result<std::net::IpAddr, _> =
            of_unit["prometheus_scrape_unit_address"].parse();
        assert!(address.is_ok(), "{of_unit:?}");
    }

    // With the CNI on, each node has an agent to scrape.
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.configure(&BOTH_PATHS)?);
    let jobs: Value = serde_json::from_str(&bag(&world, APPLICATION)["scrape_jobs"])?;
    let agents = jobs[1]["static_configs"].as_array().unwrap();
    let nodes: Vec<&str> = agents
        .iter()
        .map(|it| it["labels"]["node"].as_str().unwrap())
        .collect();
    assert_eq!(nodes, ["node1", "node2", "node3"]);

    // Neither unit writes anything twice.
    world.update_status()?;
    for dispatch in world.model.dispatches().iter().rev().take(2) {
        assert_eq!(dispatch.hook, "update-status");
        assert_eq!(dispatch.calls_of("relation-set").count(), 0);
        if dispatch.unit == world.unit(1) {
            let calls = &dispatch.tool_calls;
            assert!(calls.len() <= 4, "a unit that does not lead: {calls:?}");
        }
    }
    expect!["active: CNI off"].assert_eq(&world.configure(&NO_PATHS)?);
    assert_eq!(bag(&world, APPLICATION), of_application);

    // A pod that starts again has another address.
    for unit in [world.unit(0), world.unit(1)] {
        let before = bag(&world, &unit)["prometheus_scrape_unit_address"].clone();
        world.model.restart_unit(&unit)?;
        world.settle()?;
        let after = bag(&world, &unit)["prometheus_scrape_unit_address"].clone();
        assert_ne!(after, before, "{unit}");
    }
    Ok(())
}

#[test]
fn grafana_gets_the_dashboards_once() -> Result<()> {
    let mut world = deployed()?;
    let relation = relate(&mut world, "grafana-dashboard", "grafana_dashboard")?;
    let bag = world.model.databag(relation, APPLICATION);
    let dashboards: Value = serde_json::from_str(&bag["dashboards"])?;
    let keys: Vec<_> = dashboards["templates"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(
        keys,
        [
            "file:istio_control_plane.json",
            "file:istio_node_agents.json"
        ]
    );
    world.update_status()?;
    assert_eq!(calls(&world, "relation-set"), 0);

    // A periodic hook asks for the relations of used endpoints only, and of none once it is gone.
    assert_eq!(calls(&world, "relation-ids"), 1);
    world
        .model
        .remove_relation("cos-grafana-dashboard", APPLICATION)?;
    world.settle()?;
    world.update_status()?;
    assert_eq!(calls(&world, "relation-ids"), 0);
    Ok(())
}

/// The metrics that an answer to a scrape has, with the labels of each.
fn scraped(answer: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut metrics = BTreeMap::<String, BTreeSet<String>>::new();
    for line in answer.lines().filter(|it| !it.starts_with('#')) {
        let end = line.find(['{', ' ']).unwrap();
        let labels = metrics.entry(line[..end].to_owned()).or_default();
        let inside = line[end..].trim_start_matches('{').split('}').next();
        let names = inside
            .unwrap()
            .split(',')
            .filter_map(|it| it.split_once('='));
        labels.extend(names.map(|(name, _)| name.to_owned()));
    }
    metrics
}

/// The metrics that a program of Istio says it can have, which show only once they count something.
fn declared(cluster: &TestCluster, program: Program) -> Result<BTreeSet<String>> {
    let folder = cluster.folder().join(format!("{program:?}"));
    std::fs::create_dir_all(&folder)?;
    let mut command = cluster.command(program)?;
    command.args(["collateral", "--html_fragment_with_front_matter"]);
    output_of(command.arg("--outputDir").arg(&folder))?;
    let page = std::fs::read_to_string(folder.join(format!("{}.html", program.file_name())))?;
    let row = regex::Regex::new(r"<tr><td><code>([a-z_]+)</code></td><td><code>(\w+)")?;
    let metrics = row.captures_iter(&page).map(|it| {
        let suffix = if &it[2] == "Distribution" {
            "_bucket"
        } else {
            ""
        };
        format!("{}{suffix}", &it[1])
    });
    Ok(metrics.collect())
}

/// What is read of a program and is neither in its answer to a scrape nor declared by it; also each
/// label that is asked for, and that the metric does not have.
fn missing(read: &Metrics, answer: &str, declared: &BTreeSet<String>) -> Vec<String> {
    let scraped = scraped(answer);
    let mut missing = Vec::new();
    for (metric, labels) in read {
        match scraped.get(metric) {
            Some(has) => {
                missing.extend(labels.difference(has).map(|it| format!("{metric}{{{it}}}")));
            }
            None if declared.contains(metric) => {}
            None => missing.push(metric.clone()),
        }
    }
    missing
}

#[test]
fn every_metric_of_a_rule_or_panel_is_one_that_istiod_or_the_node_agent_has() -> Result<()> {
    let mut world = deployed()?;
    expect!["active: CNI on (3/3 nodes)"].assert_eq(&world.configure(&BOTH_PATHS)?);
    let cluster = world.cluster.clone();
    let (of_istiod, of_agent) = queries::metrics()?;
    assert!(of_istiod.len() > 20, "{of_istiod:?}");
    assert!(of_agent.len() > 4, "{of_agent:?}");

    let istiod = cluster.start_istiod(MODEL, &[])?;
    let answer = istiod.metrics().with_context(|| istiod.log())?;
    let declared_by_istiod = declared(&cluster, Program::PilotDiscovery)?;
    assert_eq!(
        missing(&of_istiod, &answer, &declared_by_istiod),
        Vec::<String>::new()
    );
    // What rules compare with has to be there before anything has gone wrong.
    let scraped_of_istiod = scraped(&answer);
    for metric in [
        "citadel_server_root_cert_expiry_timestamp",
        "istio_build",
        "istiod_uptime_seconds",
        "pilot_conflict_inbound_listener",
    ] {
        assert!(scraped_of_istiod.contains_key(metric), "{metric}");
    }
    let of_build: Vec<_> = scraped_of_istiod["istio_build"].iter().collect();
    assert_eq!(of_build, ["component", "tag"]);

    let agent = cluster.start_node_agent()?;
    let answer = agent.metrics()?;
    let declared_by_agent = declared(&cluster, Program::InstallCni)?;
    assert_eq!(
        missing(&of_agent, &answer, &declared_by_agent),
        Vec::<String>::new()
    );
    assert!(answer.contains("istio_cni_installs_total{result=\"SUCCESS\"} 1"));
    assert!(answer.contains("\nprocess_start_time_seconds "));
    Ok(())
}
