use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use juju::relation::{Databag, Relation};
use serde_json::json;

use super::*;

mod application;

fn facts(options: &[(&str, &str)], remote: &[&[(&str, &str)]]) -> Facts {
    let relation = |(index, bag): (usize, &&[(&str, &str)])| Relation {
        application: Some("gateway".parse().unwrap()),
        remote_application: Some(
            bag.iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        ),
        own_application: Some(Databag::default()),
        ..Relation::new(format!("istio-pilot:{index}").parse().unwrap())
    };
    let relations = remote.iter().enumerate().map(relation).collect();
    Facts {
        forces_upgrade: false,
        identity: Identity::new("pilot", "mesh"),
        leader: true,
        options: options
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect(),
        relations: BTreeMap::from([("istio-pilot", relations)]),
        unit: None,
        secrets: Secrets::default(),
        now: Timestamp::default(),
    }
}

/// What is intended, in a few lines.
#[track_caller]
fn check(facts: &Facts, expected: &Expect) {
    let intent = decide(facts);
    let target = match &intent.target {
        Target::Installed(mesh) => format!("installed, {:?}", mesh.cni),
        other => format!("{other:?}"),
    };
    let problems = intent.problems.iter();
    let problems = problems.map(|it| format!("{:?}: {it}", it.remedy));
    let warnings = intent.warnings.iter().map(|it| format!("warning: {it}"));
    let lines: Vec<_> = [target]
        .into_iter()
        .chain(problems)
        .chain(warnings)
        .collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn options_that_can_be_used_are_a_control_plane() {
    check(
        &facts(&[], &[]),
        &expect!["installed, Off { missing: None }"],
    );
    check(
        &facts(&[("cni-bin-dir", "/opt/cni/bin")], &[]),
        &expect![[r#"installed, Off { missing: Some("cni-conf-dir") }"#]],
    );
    let both = [
        ("cni-bin-dir", "/opt/cni/bin"),
        ("cni-conf-dir", "/etc/cni/net.d"),
    ];
    check(
        &facts(&both, &[]),
        &expect![[
            r#"installed, On(CniPaths { bin_dir: "/opt/cni/bin", conf_dir: "/etc/cni/net.d" })"#
        ]],
    );
}

#[test]
fn an_option_that_cannot_be_used_leaves_the_cluster_as_it_is() {
    let bad = [("cni-bin-dir", "opt/cni/bin"), ("default-gateway", "A B")];
    check(
        &facts(&bad, &[]),
        &expect![[r#"
            AsIs
            Person: cni-bin-dir: 'opt/cni/bin' is not absolute: it must begin with /
            Person: default-gateway: 'A B' must be a Kubernetes name: lower-case letters, digits, '-' and '.', at most 253 characters, a letter or digit at both ends and beside each '.'"#]],
    );
    let warned = [("image-configuration", "ghost: x")];
    check(
        &facts(&warned, &[]),
        &expect![[r#"
        installed, Off { missing: None }
        warning: image-configuration: the key "ghost" is unknown and not used"#]],
    );
}

#[test]
fn one_relation_s_mistake_is_its_own_problem() {
    let good: &[(&str, &str)] = &[("_supported_versions", "- v1\n")];
    let silent: &[(&str, &str)] = &[];
    let newer: &[(&str, &str)] = &[("_supported_versions", "- v9\n")];
    let talkative: &[(&str, &str)] = &[("_supported_versions", "- v1\n"), ("data", "secret: x\n")];
    check(
        &facts(&[], &[good, silent, newer, talkative]),
        &expect![[r#"
        installed, Off { missing: None }
        Time: istio-pilot:1 with gateway: `_supported_versions` is not set yet; gateway must list v1 there, as charms made for this interface do
        Person: istio-pilot:2 with gateway: `_supported_versions` lists no version that is supported here; gateway must support v1: refresh one of the two charms
        Person: istio-pilot:3 with gateway: `data` is set, for which the interface has no schema; gateway must not set it"#]],
    );
}
