//! HTTPS at the ingress gateway: with a user's secret.

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use charm_world::World;
use expect_test::expect;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use super::support::{APPLICATION, deployed};

/// A certificate that has signed itself, and its key.
struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    fn of(name: &str) -> Result<Self> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec![name.to_owned()])?.self_signed(&key)?;
        Ok(Self {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }

    fn content(&self) -> [(&str, &str); 2] {
        [("tls-crt", &self.certificate), ("tls-key", &self.key)]
    }
}

/// The Gateway's servers and the type of its Secret, a line each.
fn served(world: &World) -> Result<String> {
    let gateway = world.get("gateways.networking.istio.io istio-gateway")?;
    let servers = gateway["spec"]["servers"].as_array().unwrap().iter();
    let mut lines: Vec<String> = servers.map(Value::to_string).collect();
    if let Ok(secret) = world.get("secret istio-gateway-gateway-secret") {
        lines.push(format!("Secret of type {}", secret["type"]));
    }
    Ok(lines.join("\n"))
}

/// The certificate that the gateway's pods get.
fn certificate(world: &World) -> Result<String> {
    value(world, "tls.crt")
}

/// A value of the Secret that the gateway's pods get.
fn value(world: &World, key: &str) -> Result<String> {
    let secret = world.get("secret istio-gateway-gateway-secret")?;
    let text = secret["data"][key].as_str().unwrap();
    Ok(String::from_utf8(STANDARD.decode(text)?)?)
}

#[test]
fn a_users_certificate_is_served_and_what_is_wrong_with_it_changes_nothing() -> Result<()> {
    let mut world = deployed()?;
    world.model.set_variable("ISTIO_PILOT_LOG_LEVEL", "debug");
    let (first, second) = (Pair::of("a.example.test")?, Pair::of("b.example.test")?);
    let id = world.model.add_secret("certificate", &first.content())?;
    expect!["blocked: tls-secret-id: this application may not read it; run: juju grant-secret <name> pilot; the ingress gateway stays as it is until then"].assert_eq(&world.configure(&[("tls-secret-id", &id)])?);
    expect![[r#"{"hosts":["*"],"port":{"name":"http","number":8080,"protocol":"HTTP"}}"#]]
        .assert_eq(&served(&world)?);
    world.model.grant_secret("certificate", APPLICATION)?;
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    expect![[r#"
        {"hosts":["*"],"port":{"name":"https","number":8443,"protocol":"HTTPS"},"tls":{"credentialName":"istio-gateway-gateway-secret","mode":"SIMPLE"}}
        Secret of type "kubernetes.io/tls""#]].assert_eq(&served(&world)?);
    assert_eq!(certificate(&world)?, first.certificate);
    let is_first_key = value(&world, "tls.key")? == first.key;
    assert!(is_first_key, "it is another key");
    expect!["active: CNI off"].assert_eq(&world.configure(&[("redirect-https", "true")])?);
    expect![[r#"
        {"hosts":["*"],"port":{"name":"https","number":8443,"protocol":"HTTPS"},"tls":{"credentialName":"istio-gateway-gateway-secret","mode":"SIMPLE"}}
        {"hosts":["*"],"port":{"name":"http","number":8080,"protocol":"HTTP"},"tls":{"httpsRedirect":true}}
        Secret of type "kubernetes.io/tls""#]].assert_eq(&served(&world)?);
    // Nothing is written twice.
    let before = world.writes()?;
    world.update_status()?;
    assert_eq!(world.writes()?, before);
    // A new certificate, and one whose key is another's.
    world
        .model
        .update_secret("certificate", &second.content())?;
    world.settle()?;
    assert_eq!(certificate(&world)?, second.certificate);
    let mixed = [
        ("tls-crt", first.certificate.as_str()),
        ("tls-key", &second.key),
    ];
    world.model.update_secret("certificate", &mixed)?;
    world.settle()?;
    expect!["blocked: tls-secret-id: `tls-key` of the secret is not the key of the first certificate in `tls-crt`; run: juju update-secret; the ingress gateway stays as it is until then"].assert_eq(&world.shown()?);
    assert_eq!(certificate(&world)?, second.certificate);
    let plan = world.run_action("plan", &json!({}))?;
    expect!["nothing to change"].assert_eq(plan.results["plan"].as_str().unwrap_or_default());
    world.configure(&[("tls-secret-id", "")])?;
    expect!["active: CNI off"].assert_eq(&world.shown()?);
    expect![[r#"{"hosts":["*"],"port":{"name":"http","number":8080,"protocol":"HTTP"}}"#]]
        .assert_eq(&served(&world)?);
    let calls = world
        .model
        .dispatches()
        .iter()
        .flat_map(|it| &it.tool_calls);
    let arguments: Vec<_> = calls.flat_map(|it| &it.argv).collect();
    let everything = format!(
        "{plan:?}{:?}{:?}{arguments:?}",
        world.model.status(),
        world.model.debug_log()
    );
    for key in [&first.key, &second.key] {
        let line = key.lines().nth(1).unwrap();
        assert!(!everything.contains(line), "a key is shown");
    }
    Ok(())
}
