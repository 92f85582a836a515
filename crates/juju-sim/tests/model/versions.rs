//! What versions of Juju do differently.

use crate::common::{charm, options};
use juju_sim::{Deployment, Model};

const METADATA: &str =
    "{name: app, provides: {metrics: {interface: prometheus_scrape}}, peers: {p: {interface: p}}}";
const CONFIG: (&str, &str) = (
    "config.yaml",
    "options: {mode: {type: string, default: ''}}",
);

fn deployed(juju_version: &str, script: &str) -> (Model, tempfile::TempDir) {
    let charm = charm(METADATA, &[CONFIG], script);
    let mut model = Model::new(options().juju_version(juju_version)).unwrap();
    model.deploy(Deployment::of(charm.path())).unwrap();
    model.settle().unwrap();
    (model, charm)
}

/// How many hooks run after a change.
fn hooks_after(model: &mut Model, change: impl FnOnce(&mut Model)) -> usize {
    let before = model.dispatches().len();
    change(model);
    model.settle().unwrap();
    model.dispatches().len() - before
}

#[test]
fn a_reset_fires_config_changed_before_juju_4_only() {
    for (version, expected) in [("4.0.15", 0), ("3.6.14", 1)] {
        let (mut model, _charm) = deployed(version, "echo mode=$(config-get mode)");
        let set =
            |value| move |model: &mut Model| model.set_config("app", &[("mode", value)]).unwrap();
        assert_eq!(hooks_after(&mut model, set("x")), 1, "{version}");
        let reset = |model: &mut Model| model.reset_config("app", &["mode"]).unwrap();
        assert_eq!(hooks_after(&mut model, reset), expected, "{version}");
        // The next hook sees it in any case.
        assert_eq!(hooks_after(&mut model, Model::update_status), 1);
        assert_eq!(model.dispatches().last().unwrap().stdout, "mode=\n");
        // Setting the default does what a reset should.
        assert_eq!(hooks_after(&mut model, set("x")), 1, "{version}");
        assert_eq!(hooks_after(&mut model, set("")), 1, "{version}");
        assert_eq!(model.dispatches().last().unwrap().stdout, "mode=\n");
    }
}

#[test]
fn goal_state_names_offers_by_their_url_before_juju_4() {
    for (version, expected) in [
        ("3.6.14", r#"{"admin/cos.scrape":{"since":"#),
        ("4.0.15", r#"{"scrape":{"since":"#),
    ] {
        let (mut model, _charm) = deployed(version, "goal-state --format=json");
        model
            .add_remote_application("scrape", "metrics-endpoint", "prometheus_scrape", 1)
            .unwrap();
        model.integrate("app:metrics", "scrape").unwrap();
        model.settle().unwrap();
        let goal = &model.dispatches().last().unwrap().stdout;
        let (_, relations) = goal.split_once(r#""metrics":"#).unwrap();
        assert!(relations.starts_with(expected), "{relations}");
        let has_units = relations.contains("scrape/0");
        assert_eq!(has_units, version.starts_with('4'), "{relations}");
    }
}

#[test]
fn hooks_see_the_version_and_a_model_refuses_what_is_none() {
    let (model, _charm) = deployed("3.6.14", "echo $JUJU_VERSION");
    assert_eq!(model.dispatches()[0].stdout, "3.6.14\n");
    for wrong in ["", "4", "new", "4.x"] {
        assert!(
            Model::new(options().juju_version(wrong)).is_err(),
            "{wrong}"
        );
    }
}
