//! The endpoint `certificates`: a real authority, as the library for its charm is.

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use charm_world::{Neighbour, World};
use expect_test::expect;
use serde_json::{Value, json};

use super::super::support::{APPLICATION, deployed};
use super::writes;

const NAME: (&str, &str) = ("csr-domain-name", "a.example.test, 192.0.2.7");

/// How the gateway is served: the ports, the certificates in its Secret, and the kind of its key.
fn served(world: &World) -> String {
    let Ok(gateway) = world.get("gateways.networking.istio.io istio-gateway") else {
        return "no Gateway".to_owned();
    };
    let servers = gateway["spec"]["servers"].as_array().unwrap().iter();
    let ports: Vec<_> = servers.map(|it| it["port"]["number"].to_string()).collect();
    let secret = world.get("secret istio-gateway-gateway-secret");
    let value = |key: &str| {
        let secret = secret.as_ref().ok()?;
        let bytes = STANDARD.decode(secret["data"][key].as_str()?).ok()?;
        String::from_utf8(bytes).ok()
    };
    let certificates = value("tls.crt").unwrap_or_default();
    let certificates = certificates.matches("BEGIN CERTIFICATE").count();
    format!("ports {}, {certificates} certificates", ports.join(" and "))
}

/// The whole chain that is served.
fn chain(world: &World) -> Result<Value> {
    let secret = world.get("secret istio-gateway-gateway-secret")?;
    Ok(secret["data"]["tls.crt"].clone())
}

#[test]
fn a_certificate_is_issued_renewed_revoked_and_its_key_rotated() -> Result<()> {
    let mut world = deployed()?;
    world.configure(&[NAME])?;
    let says = json!({"intermediate": true, "issues": false});
    let mut authority = Neighbour::related(&mut world, "authority", "certificates", says)?;
    // It has not got round to it.
    expect![[r#"read [{"common_name":"a.example.test","dns":["a.example.test"],"has_unique_identifier":true,"ip":["192.0.2.7"],"is_ca":false,"is_signed_with_key":true,"key":"rsa 2048"}]"#]].assert_eq(&authority.converse(&mut world)?.to_string());
    expect![[r#"
        waiting: certificates:1 with authority: has not sent a certificate yet; the ingress gateway stays as it is until then
        ports 8080, 0 certificates"#]].assert_eq(&format!("{}\n{}", world.shown()?, served(&world)));
    authority.says(json!({"intermediate": true}));
    authority.converse(&mut world)?;
    expect![[r#"
        active: CNI off
        ports 8443, 3 certificates"#]]
    .assert_eq(&format!("{}\n{}", world.shown()?, served(&world)));
    // Nothing is written twice.
    let before = writes(&world);
    world.update_status()?;
    authority.converse(&mut world)?;
    assert_eq!(writes(&world)?, before?);
    // A new key: the old certificate is served until there is one of it.
    let old = chain(&world)?;
    authority.says(json!({"intermediate": true, "issues": false}));
    let action = world.run_action("rotate-private-key", &json!({"algorithm": "ecdsa"}))?;
    expect![[r#"{"message": String("a certificate of the new key is requested; the one before is served until it is there"), "status": String("active")}"#]].assert_eq(&format!("{:?}", action.results));
    authority.converse(&mut world)?;
    assert_eq!(chain(&world)?, old);
    authority.says(json!({"intermediate": true}));
    authority.converse(&mut world)?;
    let new = chain(&world)?;
    assert_ne!(new, old);
    expect![[r#"
        active: CNI off
        ports 8443, 3 certificates"#]]
    .assert_eq(&format!("{}\n{}", world.shown()?, served(&world)));
    // Revoked: what is served stays, for there is nothing else, and a certificate of another key
    // takes its place.
    authority.says(json!({"intermediate": true, "revocation": 1, "issues": false}));
    authority.turn(&mut world)?;
    world.settle()?;
    expect![[r#"
        waiting: certificates:1 with authority: has revoked the certificate, and not sent another yet; the ingress gateway stays as it is until then
        ports 8443, 3 certificates"#]].assert_eq(&format!("{}\n{}", world.shown()?, served(&world)));
    assert_eq!(chain(&world)?, new);
    authority.says(json!({"intermediate": true, "revocation": 1}));
    authority.converse(&mut world)?;
    assert_ne!(chain(&world)?, new);
    expect![[r#"
        active: CNI off
        ports 8443, 3 certificates"#]]
    .assert_eq(&format!("{}\n{}", world.shown()?, served(&world)));
    // Without the relation there is no certificate.
    authority.part(&mut world)?;
    world.settle()?;
    expect![[r#"
        active: CNI off
        ports 8080, 0 certificates"#]]
    .assert_eq(&format!("{}\n{}", world.shown()?, served(&world)));
    let everything = format!("{:?}{:?}", world.model.status(), world.model.debug_log());
    assert!(!everything.contains("PRIVATE KEY"), "{everything}");
    Ok(())
}

#[test]
fn what_an_authority_refuses_is_told_in_its_words() -> Result<()> {
    let mut world = deployed()?;
    world.configure(&[NAME])?;
    let error = |code: u32, name: &str, message: &str| json!({"refuses": {"code": code, "name": name, "message": message}});
    let says = error(102, "DOMAIN_NOT_ALLOWED", "a.example.test is not ours");
    let mut authority = Neighbour::related(&mut world, "authority", "certificates", says)?;
    authority.converse(&mut world)?;
    expect!["blocked: certificates:1 with authority: refuses a certificate: a.example.test is not ours (error 102); set csr-domain-name to what it takes; the ingress gateway stays as it is until then"].assert_eq(&world.shown()?);
    authority.says(error(201, "SERVER_NOT_AVAILABLE", "the server is away"));
    authority.converse(&mut world)?;
    expect!["waiting: certificates:1 with authority: refuses a certificate: the server is away (error 201); the ingress gateway stays as it is until then"].assert_eq(&world.shown()?);
    authority.says(json!({"capabilities": {"supports_ip_sans": false}, "issues": false}));
    authority.converse(&mut world)?;
    expect!["waiting: certificates:1 with authority: refuses a certificate: the server is away (error 201); the ingress gateway stays as it is until then"].assert_eq(&world.shown()?);
    // With another name it goes on.
    world.configure(&[("csr-domain-name", "b.example.test")])?;
    authority.says(json!({}));
    authority.converse(&mut world)?;
    expect![[r#"
        active: CNI off
        ports 8443, 2 certificates"#]]
    .assert_eq(&format!("{}\n{}", world.shown()?, served(&world)));
    // A user's secret beside the relation: blocked, and what works stays.
    let works = chain(&world)?;
    let content = [("tls-crt", "x"), ("tls-key", "y")];
    let id = world.model.add_secret("mine", &content)?;
    world.model.grant_secret("mine", APPLICATION)?;
    expect!["blocked: tls-secret-id: `tls-crt` of the secret is no certificate in PEM; run: juju update-secret; the ingress gateway stays as it is until then (+1 more, see debug-log)"].assert_eq(&world.configure(&[("tls-secret-id", &id)])?);
    assert_eq!(chain(&world)?, works);
    Ok(())
}

#[test]
fn a_new_leader_serves_on_with_what_there_is_until_it_has_its_own() -> Result<()> {
    let mut world = deployed()?;
    world.configure(&[NAME])?;
    let mut authority = Neighbour::new("authority", "certificates")?;
    let relation = authority.relate(&mut world)?;
    authority.converse(&mut world)?;
    let first = chain(&world)?;
    world.scale(2)?;
    authority.says(json!({"issues": false}));
    authority.converse(&mut world)?;
    let units = [0, 1].map(|number| world.model.databag(relation, &world.unit(number)));
    assert!(
        units
            .iter()
            .all(|it| it.contains_key("certificate_signing_requests"))
    );
    assert_ne!(units[0], units[1]);
    world.model.set_leader(&world.unit(1))?;
    world.settle()?;
    expect![[r#"
        pilot/0 active: CNI off
        pilot/1* waiting: certificates:1 with authority: has not sent a certificate yet; the ingress gateway stays as it is until then
        ports 8443, 2 certificates"#]]
    .assert_eq(&format!("{}\n{}", world.shown_of_all(), served(&world)));
    assert_eq!(chain(&world)?, first);
    Ok(())
}
