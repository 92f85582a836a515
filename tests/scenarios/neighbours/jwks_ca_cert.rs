//! The endpoint `jwks-ca-cert`: charms that pass on certificates of authorities.

use std::process::Command;

use anyhow::Result;
use charm_world::{Neighbour, World};
use expect_test::expect;
use serde_json::{Value, json};

use super::{WELL, judged, writes};
use crate::support::deployed;

/// A certificate of an authority.
fn certificate() -> Result<String> {
    let key = rcgen::KeyPair::generate()?;
    let parameters = rcgen::CertificateParams::new(Vec::new())?;
    Ok(parameters.self_signed(&key)?.pem())
}

/// What istiod trusts, and what makes it start anew.
fn trusted(world: &World) -> Result<(Value, Value)> {
    let list = world.get("configmaps --field-selector=metadata.name=pilot-jwks-extra-cacerts")?;
    let istiod = world.get("deployment/istiod")?;
    let annotations = &istiod["spec"]["template"]["metadata"]["annotations"];
    let checksum = annotations["checksum/jwks-extra-cacerts"].clone();
    Ok((list["items"][0]["data"]["extra.pem"].clone(), checksum))
}

#[test]
fn istiod_trusts_what_the_library_passes_on() -> Result<()> {
    let mut world = deployed()?;
    let mut ca = Neighbour::new("ca", "jwks-ca-cert")?;
    ca.relate(&mut world)?;
    ca.converse(&mut world)?;
    expect!["waiting: jwks-ca-cert:1 with ca: has not sent a certificate yet"]
        .assert_eq(&world.shown()?);
    let mut certificates = [certificate()?, certificate()?];
    certificates.sort();
    ca.says(json!(certificates));
    ca.converse(&mut world)?;
    assert_eq!(world.shown()?, WELL);
    let (bundle, checksum) = trusted(&world)?;
    assert_eq!(bundle, certificates.concat());
    // In the charm's own place, the library reads the same.
    let read = ca.verdict_in_place_of_charm(&world)?.to_string();
    assert_eq!(read, format!("read {}", json!(certificates)));
    let before = writes(&world)?;
    world.update_status()?;
    ca.converse(&mut world)?;
    assert_eq!(writes(&world)?, before);

    // The tool sees no relations, and leaves what they ask for.
    let mut tool = Command::new(env!("CARGO_BIN_EXE_istio-pilot"));
    tool.args(["plan", "--app", world.application(), "--model", "mesh"])
        .env("KUBECONFIG", world.cluster.kubeconfig());
    let plan = String::from_utf8(tool.output()?.stdout)?;
    expect![[r#"
        nothing to change
    "#]]
    .assert_eq(&plan);

    // istiod starts anew with others.
    ca.says(json!([certificates[0]]));
    ca.converse(&mut world)?;
    assert_eq!(world.shown()?, WELL);
    let (bundle, other) = trusted(&world)?;
    assert_eq!(bundle, certificates[0]);
    assert_ne!(other, checksum);
    ca.part(&mut world)?;
    world.settle()?;
    assert_eq!(world.shown()?, WELL);
    assert_eq!(trusted(&world)?, (Value::Null, Value::Null));
    Ok(())
}

/// What other charms may have written.
const BAGS: [[(&str, &str); 2]; 4] = [
    [
        ("certificates", "-----BEGIN CERTIFICATE-----"),
        ("version", "1"),
    ],
    [("certificates", "[\"CA\"]"), ("version", "1")],
    [("certificates", "{}"), ("version", "1")],
    [("certificates", "[]"), ("version", "1")],
];

#[test]
fn what_is_no_certificate_is_not_trusted() -> Result<()> {
    let mut world = deployed()?;
    let mut good = Neighbour::new("good", "jwks-ca-cert")?;
    let certificate = certificate()?;
    good.says(json!([certificate]));
    good.relate(&mut world)?;
    good.converse(&mut world)?;
    let mut ca = Neighbour::new("ca", "jwks-ca-cert")?;
    let relation = ca.relate(&mut world)?;
    let story = judged(&mut world, &ca, relation, &BAGS)?;
    expect![[r#"
        [("certificates", "-----BEGIN CERTIFICATE-----"), ("version", "1")]
          read []
          blocked: jwks-ca-cert:2 with ca: `certificates` is not a list of texts
        [("certificates", "[\"CA\"]"), ("version", "1")]
          read ["CA"]
          blocked: jwks-ca-cert:2 with ca: item 1 of `certificates` is no certificate in PEM
        [("certificates", "{}"), ("version", "1")]
          read []
          blocked: jwks-ca-cert:2 with ca: `certificates` is not a list of texts
        [("certificates", "[]"), ("version", "1")]
          read []
          active: CNI off
    "#]]
    .assert_eq(&story);
    assert_eq!(trusted(&world)?.0, certificate);
    Ok(())
}
