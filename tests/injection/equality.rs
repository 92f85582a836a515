//! Every workload becomes with our configuration what it becomes with upstream's.

use std::collections::BTreeSet;

use istio_pilot::istio::Injection;
use serde_json::Value;

use crate::capabilities::excesses;
use crate::compare::{Place, REVIEWED, differences, reviewed};
use crate::kube_inject::KubeInject;
use crate::setup::Setup;
use crate::workloads::{self, Workload};

/// The indices in [`REVIEWED`] of what was needed, and what is not covered, in words.
#[derive(Default)]
struct Findings {
    used: BTreeSet<usize>,
    unreviewed: Vec<String>,
    /// Rights that an injected container is not meant to have.
    excesses: Vec<String>,
}

impl Findings {
    fn compare(&mut self, setup: &Setup, workload: &Workload, upstream: &str, ours: &str) {
        // Equal text needs no parsing, and nearly all of it is.
        if upstream == ours && !setup.validates() {
            return;
        }
        let [upstream, ours]: [Value; 2] =
            [upstream, ours].map(|text| serde_yaml::from_str(text).unwrap());
        if setup.validates() {
            let excesses = excesses(&workload.object, &upstream, &ours);
            self.excesses.extend(
                excesses
                    .into_iter()
                    .map(|excess| format!("{}: {excess}", workload.name)),
            );
        }
        for difference in differences(&upstream, &ours) {
            let place = Place {
                setup,
                workload,
                ours: &ours,
            };
            match reviewed(&place, &difference) {
                Some(index) => {
                    self.used.insert(index);
                }
                None => self
                    .unreviewed
                    .push(format!("{}, {}: {difference}", setup.name, workload.name)),
            }
        }
    }

    fn run(&mut self, setup: &Setup, workloads: &[Workload], programs: [KubeInject; 2]) {
        let stream = workloads::stream(workloads.iter().map(|workload| workload.text.as_str()));
        let [upstream, ours] = programs.map(|program| program.inject(&stream).unwrap());
        assert_eq!(upstream.len(), workloads.len());
        assert_eq!(ours.len(), workloads.len());
        for ((workload, upstream), ours) in workloads.iter().zip(&upstream).zip(&ours) {
            self.compare(setup, workload, upstream, ours);
        }
    }
}

#[test]
fn every_workload_is_injected_as_upstream_injects_it() {
    let workloads = workloads::all();
    assert!(workloads.len() >= 60, "only {}", workloads.len());
    let mut findings = Findings::default();
    for setup in Setup::all() {
        let configurations = [setup.upstream(), setup.ours()];
        for native in [true, false] {
            let programs = configurations
                .each_ref()
                .map(|c| KubeInject::new(c, native));
            findings.run(&setup, &workloads, programs);
        }
    }
    assert!(
        findings.unreviewed.is_empty(),
        "{} differences are not reviewed:\n{}",
        findings.unreviewed.len(),
        findings.unreviewed.join("\n")
    );
    assert_eq!(findings.excesses, Vec::<String>::new());
    for (index, reviewed) in REVIEWED.iter().enumerate() {
        assert!(
            findings.used.contains(&index),
            "no workload shows this any more: {}",
            reviewed.reason
        );
    }
}

#[test]
fn a_compliance_policy_of_istiod_reaches_the_proxies() {
    let setup = Setup::plain(Injection::IstioValidation);
    let configurations = [setup.upstream(), setup.ours()];
    let workloads = workloads::all();
    for policy in ["fips-140-2", "fips-140-3"] {
        let programs = configurations.each_ref().map(|configuration| {
            KubeInject::new(configuration, true).with("COMPLIANCE_POLICY", policy)
        });
        let plain = &programs[1]
            .inject("{apiVersion: v1, kind: Pod, metadata: {name: a}}")
            .unwrap();
        assert!(plain[0].contains(policy), "{}", plain[0]);
        let mut findings = Findings::default();
        findings.run(&setup, &workloads, programs);
        assert_eq!(findings.unreviewed, Vec::<String>::new());
    }
}
