//! The metrics that alert rules and dashboards read.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use regex::{Captures, Regex};
use serde_json::Value;

/// Metrics, each with the labels by which it is selected. Those that a scrape adds are left out.
pub(super) type Metrics = BTreeMap<String, BTreeSet<String>>;

const RULES: [&str; 2] = [
    include_str!("../../../observability/alerts/control_plane.yaml"),
    include_str!("../../../observability/alerts/node_agents.yaml"),
];
const DASHBOARDS: [&str; 2] = [
    include_str!("../../../observability/dashboards/istio_control_plane.json"),
    include_str!("../../../observability/dashboards/istio_node_agents.json"),
];

/// Words of Prometheus's language that stand where a metric may stand.
const WORDS: [&str; 4] = ["bool", "or", "unless", "and"];
/// A metric that Prometheus makes itself.
const UP: &str = "up";
/// The label that only node agents have; the charm's scrape job adds it.
const NODE: &str = "node";

/// The metrics of istiod, and those of the node agent: these are asked for with the label `node`, or
/// have the agent's own names.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn metrics() -> Result<(Metrics, Metrics)> {
    let (mut of_istiod, mut of_agent) = (Metrics::new(), Metrics::new());
    for query in queries()? {
        for (metric, matchers) in selectors(&query)? {
            if metric == UP {
                continue;
            }
            let is_of_agent = matchers.contains("node!=") || metric.starts_with("istio_cni");
            let of = if is_of_agent {
                &mut of_agent
            } else {
                &mut of_istiod
            };
            of.entry(metric).or_default().extend(labels(&matchers)?);
        }
    }
    Ok((of_istiod, of_agent))
}

/// All queries: of rules, of panels, and of what a dashboard lets people choose from.
fn queries() -> Result<Vec<String>> {
    let mut queries = Vec::new();
    for file in RULES {
        let rules: Value = serde_yaml::from_str(file)?;
        for group in list(&rules["groups"]) {
            queries.extend(list(&group["rules"]).map(|it| text(&it["expr"])));
        }
    }
    for file in DASHBOARDS {
        let dashboard: Value = serde_json::from_str(file)?;
        for panel in list(&dashboard["panels"]) {
            queries.extend(list(&panel["targets"]).map(|it| text(&it["expr"])));
        }
        let variables = list(&dashboard["templating"]["list"]);
        let of_prometheus = variables.filter(|it| it["type"] == "query");
        queries.extend(of_prometheus.map(|it| text(&it["query"]["query"])));
    }
    Ok(queries)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A text; empty where there is none, which no query is.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The metrics of a query, each with its matchers.
fn selectors(query: &str) -> Result<Vec<(String, String)>> {
    let topology = query.replace("%%juju_topology%%", "juju_model=\"\"");
    // What is in quotes, which labels to group by, a range of time, and which label Grafana lists.
    let mut plain = topology;
    for (pattern, instead) in [
        (r#""[^"]*""#, "\"\""),
        (r"\b(by|on|without|ignoring) *\([^)]*\)", " "),
        (r"\[[^\]]*\]", ""),
        (r", *\w+\)$", ")"),
    ] {
        plain = Regex::new(pattern)?
            .replace_all(&plain, instead)
            .into_owned();
    }
    let name = Regex::new(r"\b([a-z_][a-z0-9_]*)\s*(\(|\{[^}]*\})?")?;
    let selector = |it: Captures<'_>| {
        let after = it.get(2).map_or("", |it| it.as_str());
        let is_metric = after != "(" && !WORDS.contains(&&it[1]);
        is_metric.then(|| (it[1].to_owned(), after.to_owned()))
    };
    let found: Vec<_> = name.captures_iter(&plain).filter_map(selector).collect();
    anyhow::ensure!(!found.is_empty(), "no metric in {query}");
    Ok(found)
}

/// The labels in matchers that the program itself must have.
fn labels(matchers: &str) -> Result<Vec<String>> {
    let label = Regex::new(r"([a-z_]+)\s*(?:=|!)")?;
    let labels = label.captures_iter(matchers).map(|it| it[1].to_owned());
    Ok(labels
        .filter(|it| it != NODE && !it.starts_with("juju_"))
        .collect())
}
