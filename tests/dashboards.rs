//! The dashboards, in the judgement of Grafana's own types, their queries in that of Prometheus's
//! `promtool`.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use serde_json::{Value, json};
use test_cluster::Program;
use test_cluster::command::output_of;

/// How many columns a dashboard has.
const COLUMNS: u64 = 24;

/// The dashboards' files.
fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("observability/dashboards");
    let files = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    assert!(files.len() > 1, "{files:?}");
    files
}

fn read(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// The panels of a dashboard, with the rows between them.
fn panels(dashboard: &Value) -> &[Value] {
    dashboard["panels"].as_array().unwrap()
}

#[test]
fn grafana_knows_all_that_is_in_a_dashboard() -> Result<()> {
    let mut check = Command::new(Program::CheckDashboard.path()?);
    output_of(check.args(files()))?;
    Ok(())
}

#[test]
fn what_grafana_does_not_know_is_refused() -> Result<()> {
    let check = Program::CheckDashboard.path()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("dashboard.json");
    let refused = |dashboard: &Value, pointer: &str, value: Value| -> Result<String> {
        let mut changed = dashboard.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[key] = value;
        fs::write(&file, changed.to_string())?;
        let error = output_of(Command::new(&check).arg(&file)).unwrap_err();
        Ok(format!("{error:#}"))
    };
    for it in files() {
        let dashboard = read(&it);
        // An unknown field of the dashboard, of a panel's options and of a query; one of another kind.
        for (pointer, value, words) in [
            ("/panel", json!([]), "unexpected field 'panel'"),
            (
                "/panels/1/options/graph",
                json!("none"),
                "unexpected field 'graph'",
            ),
            (
                "/panels/1/targets/0/expression",
                json!("up"),
                "unexpected field 'expression'",
            ),
            (
                "/panels/1/fieldConfig/defaults/unit",
                json!(1),
                "cannot unmarshal number",
            ),
        ] {
            let error = refused(&dashboard, pointer, value)?;
            assert!(error.contains(words), "{pointer}: {error}");
        }
    }
    Ok(())
}

#[test]
fn prometheus_understands_the_query_of_every_panel() -> Result<()> {
    let mut rules = Vec::new();
    for file in files() {
        let dashboard = read(&file);
        for panel in panels(&dashboard) {
            let targets = panel["targets"].as_array().into_iter().flatten();
            for target in targets {
                let query = target["expr"].as_str().unwrap();
                // Grafana replaces it before it asks; other variables are in strings.
                let query = query.replace("$__rate_interval", "5m");
                rules.push(json!({"record": format!("query_{}", rules.len()), "expr": query}));
            }
        }
    }
    assert!(rules.len() > 20, "{rules:?}");
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("rules.yaml");
    let groups = json!({"groups": [{"name": "panels", "rules": rules}]});
    // JSON is YAML.
    fs::write(&file, groups.to_string())?;
    let mut check = Command::new(Program::Promtool.path()?);
    output_of(check.args(["check", "rules"]).arg(&file))?;
    Ok(())
}

#[test]
fn every_panel_has_its_own_place() {
    for file in files() {
        let dashboard = read(&file);
        let mut taken = Vec::new();
        for panel in panels(&dashboard) {
            let title = panel["title"].as_str().unwrap();
            let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            let (left, top) = (place("x"), place("y"));
            let (right, bottom) = (left + place("w"), top + place("h"));
            assert!(right <= COLUMNS, "{title}");
            for (other, l, t, r, b) in &taken {
                let is_beside = right <= *l || *r <= left || bottom <= *t || *b <= top;
                assert!(is_beside, "{title} covers {other}");
            }
            taken.push((title.to_owned(), left, top, right, bottom));
        }
        let mut ids: Vec<_> = panels(&dashboard)
            .iter()
            .map(|it| it["id"].as_u64())
            .collect();
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count, "{}: numbers of panels", file.display());
    }
}
