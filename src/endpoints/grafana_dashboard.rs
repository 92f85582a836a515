//! The endpoint `grafana-dashboard` (interface `grafana_dashboard`): dashboards for Grafana.
//!
//! The databag is the one that `GrafanaDashboardProvider` of the Python library
//! `grafana_k8s.grafana_dashboard` writes, but for its `uuid`: there it is another one at each
//! write, here it follows from the dashboards, so that nothing is written without a change.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use juju::python_json;
use juju::relation::{Bag, DatabagChanges, OwnBag, Relation};
use lzma_rust2::{Write as _, XzOptions, XzWriter};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use sha2::{Digest, Sha256};

use super::unit::{CHARM, Topology};
use super::{Endpoint, Known, Publication, Unit, World};
use crate::intent::Intent;

/// Every dashboard.
const DASHBOARDS: [Dashboard; 2] = [
    Dashboard {
        key: "file:istio_control_plane.json",
        // The Python charm's, so that Grafana replaces that dashboard.
        alternative_uid: "0a395accafe8fc80",
        content: include_str!("../../observability/dashboards/istio_control_plane.json"),
    },
    Dashboard {
        key: "file:istio_node_agents.json",
        alternative_uid: "d4fd37ebb3e9af7a",
        content: include_str!("../../observability/dashboards/istio_node_agents.json"),
    },
];

/// How hard xz tries: as Python's `lzma.compress`.
const PRESET: u32 = 6;
/// How far back xz looks for repetitions, in bytes: no dashboard is longer, and the default would
/// take many megabytes of memory.
const DICTIONARY: u32 = 1 << 16;

/// A dashboard that is part of this program.
struct Dashboard {
    /// Its name in the databag: `file:` and the name of its file.
    key: &'static str,
    /// What Grafana calls it where the dashboard itself has no `uid`: the first 8 bytes of SHAKE-256
    /// of charm and key, joined by a hyphen.
    alternative_uid: &'static str,
    /// Its JSON.
    content: &'static str,
}

/// The endpoint.
pub(super) struct GrafanaDashboard;

impl Endpoint for GrafanaDashboard {
    fn name(&self) -> &'static str {
        "grafana-dashboard"
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::OwnApplication]
    }

    fn request(&self, _: &[Relation], _: &Known<'_>, _: &mut Intent) {}

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        let unit = world.unit.filter(|_| world.leader);
        let dashboards = unit.and_then(|unit| dashboards(unit).ok());
        let publication = |dashboards| {
            let wanted = DatabagChanges::from([("dashboards".to_owned(), Some(dashboards))]);
            Publication::new(relation, OwnBag::Application, &wanted)
        };
        dashboards.map(publication).into_iter().collect()
    }
}

/// The value in the databag.
#[derive(Serialize)]
struct Dashboards<'a> {
    templates: &'a Templates<'a>,
    uuid: String,
}

/// The dashboards by their keys, in the order of [`DASHBOARDS`].
struct Templates<'a>(Vec<(&'static str, Template<'a>)>);

impl Serialize for Templates<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, template) in &self.0 {
            map.serialize_entry(key, template)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Template<'a> {
    charm: &'a str,
    content: String,
    juju_topology: Topology<'a>,
    inject_dropdowns: bool,
    dashboard_alt_uid: &'a str,
}

/// A dashboard that cannot be written: a defect of this program.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("a dashboard cannot be compressed: {0:?}")]
    Xz(lzma_rust2::Error),
    #[error("a dashboard cannot be written")]
    Json(#[from] serde_json::Error),
}

/// What the databag should hold.
///
/// # Errors
/// None that can happen: compressed is text in memory, and all keys are text.
fn dashboards(unit: &Unit) -> Result<String, Unusable> {
    let mut templates = Vec::new();
    for dashboard in &DASHBOARDS {
        let template = Template {
            charm: CHARM,
            content: STANDARD.encode(compress(dashboard.content).map_err(Unusable::Xz)?),
            juju_topology: unit.topology(false),
            inject_dropdowns: true,
            dashboard_alt_uid: dashboard.alternative_uid,
        };
        templates.push((dashboard.key, template));
    }
    let templates = &Templates(templates);
    let uuid = uuid_of(&python_json::to_string(templates)?);
    Ok(python_json::to_string(&Dashboards { templates, uuid })?)
}

fn compress(text: &str) -> Result<Vec<u8>, lzma_rust2::Error> {
    let mut options = XzOptions::with_preset(PRESET);
    options.lzma_options.dict_size = DICTIONARY;
    let mut writer = XzWriter::new(Vec::new(), options)?;
    writer.write_all(text.as_bytes())?;
    writer.finish()
}

/// A UUID that changes with the text and with nothing else (version 8, RFC 9562).
fn uuid_of(text: &str) -> String {
    let digest = Sha256::digest(text);
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(digest) {
        *byte = hashed;
    }
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf << 76) | 8 << 76;
    let number = number & !(0b11 << 62) | 0b10 << 62;
    let hex = format!("{number:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

#[cfg(test)]
mod tests;
