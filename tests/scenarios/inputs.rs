//! Options that cannot be used, a cluster that refuses, a cluster that is away.

use test_cluster::{Options, TestCluster};

use super::support::{APPLICATION, World, assert_says, shown};

#[test]
fn options_that_cannot_be_used_leave_the_cluster_as_it_is() {
    let mut world = World::deployed();
    let before = (world.writes(), world.objects());
    let long = format!("/{}", "x".repeat(5000));
    for (option, value, text) in [
        (
            "cni-bin-dir",
            "opt/cni/bin",
            "cni-bin-dir: 'opt/cni/bin' is not absolute",
        ),
        ("cni-bin-dir", "/opt/../bin", "a part '..'"),
        ("cni-bin-dir", "/", "the root directory"),
        (
            "cni-bin-dir",
            "/etc/cni/net.d",
            "must differ from cni-bin-dir",
        ),
        ("cni-bin-dir", "/opt/cni\nbin", "control character"),
        ("cni-bin-dir", &long, "longer than 4096 bytes"),
        (
            "image-configuration",
            "{a: [",
            "image-configuration: is not YAML",
        ),
        ("image-configuration", "- pilot", "must be a map"),
        (
            "image-configuration",
            "global-tag: 1.31",
            "put it in quotes",
        ),
        (
            "image-configuration",
            "global-tag: 1.30.1",
            "this charm installs 1.31.1",
        ),
    ] {
        let both = [("cni-conf-dir", "/etc/cni/net.d"), (option, value)];
        assert_says(&world.configure(&both), "blocked", text);
        assert_eq!(
            (world.writes(), world.objects()),
            before,
            "{option}={value}"
        );
        world
            .model
            .reset_config(APPLICATION, &["cni-bin-dir", "image-configuration"])
            .unwrap();
    }
    // Several problems: the first in words, and how many more.
    let several = [
        ("cni-bin-dir", "a"),
        ("cni-conf-dir", "b"),
        ("image-configuration", "c"),
    ];
    assert_says(
        &world.configure(&several),
        "blocked",
        "(+2 more, see debug-log)",
    );
    // Set right again.
    world
        .model
        .reset_config(
            APPLICATION,
            &["cni-bin-dir", "cni-conf-dir", "image-configuration"],
        )
        .unwrap();
    world.settle();
    assert_eq!(world.shown(), shown("active", "CNI off"));
}

#[test]
fn without_trust_the_command_is_told_and_with_it_all_goes_on() {
    let mut world = World::new();
    world.deploy(false);
    let told = format!("juju trust {APPLICATION} --scope=cluster");
    assert_says(&world.shown(), "blocked", &told);
    assert!(world.objects().is_empty());
    assert_eq!(world.writes(), 0);
    world.model.set_trust(APPLICATION, true).unwrap();
    world.settle();
    assert_eq!(world.shown(), shown("active", "CNI off"), "{}", world.log());
    world.model.set_trust(APPLICATION, false).unwrap();
    world.settle();
    assert_says(&world.shown(), "blocked", &told);
    // Removal without trust says what is left and how to remove it, and fails no hook.
    world.model.set_variable("ISTIO_PILOT_ROLLOUT_TIMEOUT", "1");
    world.model.remove_application(APPLICATION).unwrap();
    world.settle();
    let log = world.log();
    assert!(log.contains("to remove the rest: kubectl delete"), "{log}");
}

#[test]
fn an_api_server_that_is_away_is_waited_for() {
    let options = Options {
        controllers: false,
        ..Options::default()
    };
    let mut world = World::on(TestCluster::start(&options).unwrap());
    world.model.set_variable("ISTIO_PILOT_ROLLOUT_TIMEOUT", "0");
    // Nothing listens on port 1.
    let kubeconfig = std::fs::read_to_string(world.cluster.kubeconfig()).unwrap();
    let away = kubeconfig.replace(&world.cluster.server(), "https://127.0.0.1:1");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), away).unwrap();
    world
        .model
        .set_variable("KUBECONFIG", file.path().to_str().unwrap());
    world.deploy(true);
    assert_says(
        &world.shown(),
        "waiting",
        "no Kubernetes API: Connection refused",
    );
}
