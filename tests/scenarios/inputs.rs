//! Options that cannot be used, a cluster that refuses, a cluster that is away.

use std::path::Path;

use anyhow::Result;
use charm_world::{Charm, World};
use expect_test::expect;
use juju_sim::ModelOptions;
use test_cluster::{Options, TestCluster};

use super::support::{APPLICATION, MODEL, deployed, world, world_on};

#[test]
fn options_that_cannot_be_used_leave_the_cluster_as_it_is() -> Result<()> {
    let mut world = deployed()?;
    let before = (world.writes()?, world.objects()?);
    let long = format!("/{}", "x".repeat(5000));
    let mut shown = String::new();
    for (option, value) in [
        ("cni-bin-dir", "opt/cni/bin"),
        ("cni-bin-dir", "/opt/../bin"),
        ("cni-bin-dir", "/"),
        ("cni-bin-dir", "/etc/cni/net.d"),
        ("cni-bin-dir", "/opt/cni\nbin"),
        ("cni-bin-dir", &long),
        ("image-configuration", "{a: ["),
        ("image-configuration", "- pilot"),
        ("image-configuration", "global-tag: 1.31"),
        ("image-configuration", "global-tag: 1.30.1"),
        ("image-configuration", "global-hub: https://docker.io/istio"),
        ("image-configuration", "pilot-image: reg/istio/pilot:1.28.0"),
    ] {
        let both = [("cni-conf-dir", "/etc/cni/net.d"), (option, value)];
        shown = shown + &world.configure(&both)? + "\n";
        let after = (world.writes()?, world.objects()?);
        assert_eq!(after, before, "{option}={value}");
        let unset = [("cni-bin-dir", ""), ("image-configuration", "")];
        world.model.set_config(APPLICATION, &unset)?;
    }
    expect![[r#"
        blocked: cni-bin-dir: 'opt/cni/bin' is not absolute: it must begin with /
        blocked: cni-bin-dir: '/opt/../bin' has a part '..'; write the path without it
        blocked: cni-bin-dir: '/' is the root directory; name the directory of the container runtime
        blocked: cni-bin-dir: '/etc/cni/net.d' is a directory of configuration by its name, and plugins are wanted: is it the value of cni-conf-dir?
        blocked: cni-bin-dir: '/opt/cni\nbin' holds the invisible character U+000A; type the value again
        blocked: cni-bin-dir: '/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…' is longer than 4096 bytes
        blocked: image-configuration: is not YAML (line 2, column 1)
        blocked: image-configuration: must be a map of image keys, such as global-tag: '1.31.1'
        blocked: image-configuration: global-tag: 1.31 is not text; put it in quotes
        blocked: image-configuration: global-tag: '1.30.1' is Istio 1.30; this charm installs 1.31.1: use an image of that minor version, or a tag that is no version number if it is one
        blocked: image-configuration: global-hub: 'https://docker.io/istio' has a scheme; leave out what ends in ://
        blocked: image-configuration: pilot-image: 'reg/istio/pilot:1.28.0' is Istio 1.28; this charm installs 1.31.1: use an image of that minor version, or a tag that is no version number if it is one
    "#]].assert_eq(&shown);
    // Several problems: the first in words, and how many more.
    let several = world.configure(&[
        ("cni-bin-dir", "a"),
        ("cni-conf-dir", "b"),
        ("image-configuration", "c"),
    ])?;
    expect![
        "blocked: cni-bin-dir: 'a' is not absolute: it must begin with / (+2 more, see debug-log)"
    ]
    .assert_eq(&several);
    // Set right again.
    let all = ["cni-bin-dir", "cni-conf-dir", "image-configuration"];
    let all = all.map(|option| (option, ""));
    world.model.set_config(APPLICATION, &all)?;
    world.settle()?;
    expect!["active: CNI off"].assert_eq(&world.shown()?);
    Ok(())
}

#[test]
fn without_trust_the_command_is_told_and_with_it_all_goes_on() -> Result<()> {
    let mut world = world()?;
    world.model.deploy(world.deployment())?;
    world.settle()?;
    expect!["blocked: not allowed to list customresourcedefinitions.apiextensions.k8s.io by the cluster; run: juju trust pilot --scope=cluster"]
        .assert_eq(&world.shown()?);
    assert!(world.objects()?.is_empty());
    assert_eq!(world.writes()?, 0);
    world.model.set_trust(APPLICATION, true)?;
    world.settle()?;
    expect!["active: CNI off"].assert_eq(&world.shown()?);
    world.model.set_trust(APPLICATION, false)?;
    world.settle()?;
    expect!["blocked: not allowed to list customresourcedefinitions.apiextensions.k8s.io by the cluster; run: juju trust pilot --scope=cluster"]
        .assert_eq(&world.shown()?);
    // Removal without trust says what is left and how to remove it, and fails no hook.
    world.set_rollout_timeout(1);
    world.remove()?;
    expect![[r#"
        the removal is not complete: listing customresourcedefinitions: customresourcedefinitions.apiextensions.k8s.io is forbidden: User "system:serviceaccount:mesh:pilot" cannot list resource "customresourcedefinitions" in API group "apiextensions.k8s.io" at the cluster scope
        to remove the rest: kubectl delete serviceaccounts,clusterroles,roles,clusterrolebindings,rolebindings,configmaps,secrets,services,deployments,daemonsets,horizontalpodautoscalers,poddisruptionbudgets,mutatingwebhookconfigurations,validatingwebhookconfigurations --namespace mesh --selector app.kubernetes.io/instance=pilot-mesh,app.kubernetes.io/part-of=istio"#]].assert_eq(&world.logged("WARNING"));
    Ok(())
}

#[test]
fn an_api_server_that_is_away_is_waited_for() -> Result<()> {
    let options = Options {
        controllers: false,
        ..Options::default()
    };
    let mut world = world_on(TestCluster::start(&options)?)?;
    world.set_rollout_timeout(0);
    // Nothing listens on port 1.
    let kubeconfig = std::fs::read_to_string(world.cluster.kubeconfig())?;
    let away = kubeconfig.replace(&world.cluster.server(), "https://127.0.0.1:1");
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), away)?;
    world
        .model
        .set_variable("KUBECONFIG", file.path().to_str().unwrap());
    expect!["waiting: no Kubernetes API: Connection refused (os error 111)"]
        .assert_eq(&world.deploy()?);
    Ok(())
}

#[test]
fn an_application_that_is_called_like_an_object_of_istio_writes_nothing() -> Result<()> {
    let charm = Charm::of_program(Path::new(env!("CARGO_BIN_EXE_istio-pilot")))?;
    let cluster = TestCluster::start(&Options {
        audit: true,
        ..Options::default()
    })?;
    let mut world = World::new(ModelOptions::named(MODEL), cluster, "istiod", charm)?;
    world.deploy()?;
    expect!["blocked: the application cannot be called istiod: Juju makes objects called istiod for it, and Istio has objects of that name; deploy it under another name, such as istio-pilot"].assert_eq(&world.shown()?);
    assert_eq!(world.writes()?, 0);
    // It can be removed as any other.
    world.remove()?;
    assert_eq!(world.writes()?, 0);
    Ok(())
}
