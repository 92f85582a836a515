//! Stale workloads as text, for people and for programs.

use serde_json::{Value, json};

use super::workload::Workload;

/// How many workloads are named at most.
const MOST: usize = 200;
/// How long a text may be, in bytes: one result of an action can be 128 KiB long.
const LONGEST: usize = 120 * 1024;

/// A table with a line of headings, and a line for each workload; after 200 a line says how many
/// more there are. Empty when there are no workloads.
pub fn to_table(workloads: &[Workload]) -> String {
    if workloads.is_empty() {
        return String::new();
    }
    let headings = ["NAMESPACE", "WORKLOAD", "PODS", "WHY", "RESTART"].map(str::to_owned);
    let rows = workloads.iter().take(MOST).map(row);
    let rows: Vec<[String; 5]> = std::iter::once(headings).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|it| it[column].len()).max();
    let widths: [usize; 5] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(widths);
        let cells: Vec<_> = cells
            .map(|(text, width)| format!("{text:width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    // Names may have 253 characters, so that even fewer lines fit.
    let fitting = LONGEST / (widths.iter().sum::<usize>() + 2 * widths.len());
    let mut lines: Vec<_> = rows.iter().take(fitting).map(line).collect();
    let named = lines.len() - 1;
    if workloads.len() > named {
        lines.push(format!("(+{} more)", workloads.len() - named));
    }
    lines.join("\n")
}

fn row(workload: &Workload) -> [String; 5] {
    let id = &workload.id;
    let of = match &workload.owner {
        Some(owner) => format!(" (of {owner})"),
        None => String::new(),
    };
    [
        id.namespace.clone().unwrap_or_default(),
        format!("{}/{}{of}", id.kind, id.name),
        workload.pods.to_string(),
        why(workload).join(", "),
        workload.restart.to_string(),
    ]
}

/// The workloads as a JSON list, which is cut when it is too long.
pub fn to_json(workloads: &[Workload]) -> String {
    let entry = |workload: &Workload| {
        json!({
            "namespace": workload.id.namespace,
            "kind": workload.id.kind,
            "name": workload.id.name,
            "pods": workload.pods,
            "why": why(workload),
            "restart": workload.restart.is_possible(),
        })
    };
    let mut length = 0;
    let fits = |entry: &Value| {
        length += entry.to_string().len() + 1;
        length < LONGEST
    };
    let entries = workloads.iter().take(MOST).map(entry).take_while(fits);
    Value::Array(entries.collect()).to_string()
}

/// The reasons in words.
pub fn why(workload: &Workload) -> Vec<String> {
    workload.reasons.iter().map(ToString::to_string).collect()
}
