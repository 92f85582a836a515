//! What rendering gives: compared with `istioctl manifest generate`, given to a real API server, and
//! held to its own promises.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

#[path = "render/cases.rs"]
mod cases;
#[path = "render/compare.rs"]
mod compare;
#[path = "render/differences.rs"]
mod differences;
#[path = "render/istioctl.rs"]
mod istioctl;
#[path = "render/promises.rs"]
mod promises;
#[path = "render/stored.rs"]
mod stored;

use std::fmt::Write as _;

use compare::Manifests;
use differences::Differences;

/// Object by object and field by field, for every case: what differs stands in
/// `tests/render/differences.yaml` with its reason, and everything there does differ.
#[test]
fn every_difference_from_istioctl_is_listed() {
    let mut listed = Differences::load();
    let mut report = String::new();
    for case in cases::all() {
        let ours = Manifests::new(case.control_plane.objects());
        let theirs = Manifests::new(istioctl::manifests(&case));
        for difference in compare::differences(&ours, &theirs) {
            if !listed.cover(&difference) {
                writeln!(report, "{}: {difference}", case.name).unwrap();
            }
        }
    }
    for entry in listed.unused() {
        writeln!(report, "listed, but does not differ: {entry}").unwrap();
    }
    assert!(report.is_empty(), "\n{report}");
}
