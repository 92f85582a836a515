//! What the ingress gateway serves of the endpoint `certificates`, as the library judges it with which
//! authorities issue.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use charm_world::{Neighbour, Verdict, World};
use expect_test::expect;
use serde_json::{Value, json};

use super::WELL;
use crate::ingress::objects;
use crate::support::{APPLICATION, deployed, without_numbers};

/// The Secret that the Gateway has its certificate from.
const SECRET: &str = "secret istio-gateway-gateway-secret";

/// A model with certificates for two names, from an authority that says this.
fn related(world: &mut World, says: Value) -> Result<Neighbour> {
    world.configure(&[("csr-domain-name", "a.example.test,b.example.test")])?;
    let mut authority = Neighbour::related(world, "authority", "certificates", says)?;
    authority.converse(world)?;
    Ok(authority)
}

/// What a client gets to see, as the authority's library reads it.
fn served(world: &World, authority: &Neighbour) -> Result<String> {
    let thing = json!({
        "certificate": of_secret(world, "tls.crt")?, "key": of_secret(world, "tls.key")?,
    });
    Ok(authority.judges(world, thing)?.to_string())
}

fn of_secret(world: &World, key: &str) -> Result<String> {
    let secret = world.get(SECRET)?;
    let text = secret["data"][key].as_str().context("it has no such key")?;
    Ok(String::from_utf8(STANDARD.decode(text)?)?)
}

#[test]
fn the_gateway_serves_what_the_authority_issues_with_all_that_is_above_it() -> Result<()> {
    let mut world = deployed()?;
    let mut authority = related(&mut world, json!({"issues": false}))?;
    expect!["waiting: certificates:1 with authority: has not sent a certificate yet; the ingress gateway stays as it is until then"].assert_eq(&world.shown()?);
    expect!["Gateway istio-gateway 8080"].assert_eq(&objects(&world)?);
    authority.says(json!({"intermediate": true}));
    expect![[r#"read [{"common_name":"a.example.test","dns":["a.example.test","b.example.test"],"has_unique_identifier":true,"ip":[],"is_ca":false,"is_signed_with_key":true,"key":"rsa 2048"}]"#]].assert_eq(&authority.converse(&mut world)?.to_string());
    assert_eq!(world.shown()?, WELL);
    expect!["Gateway istio-gateway 8443"].assert_eq(&objects(&world)?);
    expect![[r#"read {"chain":["a.example.test","authority","authority root"],"dns":["a.example.test","b.example.test"],"fits_key":true,"ip":[],"is_chain_in_order":true}"#]].assert_eq(&served(&world, &authority)?);

    // Other names, of which one is an address.
    world.configure(&[("csr-domain-name", "c.example.test,10.1.2.3")])?;
    authority.converse(&mut world)?;
    expect![[r#"read {"chain":["c.example.test","authority","authority root"],"dns":["c.example.test"],"fits_key":true,"ip":["10.1.2.3"],"is_chain_in_order":true}"#]].assert_eq(&served(&world, &authority)?);
    // Only what is served is asked for by now.
    let relation = world.model.relation_id("authority", APPLICATION)?;
    let databag = world.model.databag(relation, &world.unit(0));
    let requests: Value = serde_json::from_str(&databag["certificate_signing_requests"])?;
    assert_eq!(requests.as_array().unwrap().len(), 1);

    authority.part(&mut world)?;
    world.settle()?;
    assert_eq!(world.shown()?, WELL);
    expect!["Gateway istio-gateway 8080"].assert_eq(&objects(&world)?);
    assert!(world.get(SECRET).is_err());
    Ok(())
}

#[test]
fn a_revoked_certificate_is_replaced_by_one_of_another_key() -> Result<()> {
    let mut world = deployed()?;
    let mut authority = related(&mut world, json!({}))?;
    let key = of_secret(&world, "tls.key")?;
    authority.says(json!({"revocation": 1}));
    authority.converse(&mut world)?;
    assert_eq!(world.shown()?, WELL);
    assert_ne!(of_secret(&world, "tls.key")?, key);
    expect![[r#"read {"chain":["a.example.test","authority"],"dns":["a.example.test","b.example.test"],"fits_key":true,"ip":[],"is_chain_in_order":true}"#]].assert_eq(&served(&world, &authority)?);

    // An authority that has other keys revokes, and issues for the same requests at once.
    authority.says(json!({"revocation": 2, "reissues": true, "authority": "another"}));
    authority.converse(&mut world)?;
    assert_eq!(world.shown()?, WELL);
    expect![[r#"read {"chain":["a.example.test","another"],"dns":["a.example.test","b.example.test"],"fits_key":true,"ip":[],"is_chain_in_order":true}"#]].assert_eq(&served(&world, &authority)?);
    Ok(())
}

#[test]
fn a_person_rotates_the_key_while_the_gateway_serves_what_it_had() -> Result<()> {
    let mut world = deployed()?;
    let mut authority = related(&mut world, json!({}))?;
    let before = of_secret(&world, "tls.key")?;
    authority.says(json!({"issues": false}));
    authority.turn(&mut world)?;
    world.run_action("rotate-private-key", &json!({"algorithm": "ecdsa"}))?;
    world.settle()?;
    assert_eq!(of_secret(&world, "tls.key")?, before);
    assert_eq!(world.shown()?, WELL);
    authority.says(json!({}));
    expect![[r#"read [{"common_name":"a.example.test","dns":["a.example.test","b.example.test"],"has_unique_identifier":true,"ip":[],"is_ca":false,"is_signed_with_key":true,"key":"ecdsa 256"}]"#]].assert_eq(&authority.converse(&mut world)?.to_string());
    assert_ne!(of_secret(&world, "tls.key")?, before);
    expect![[r#"read {"chain":["a.example.test","authority"],"dns":["a.example.test","b.example.test"],"fits_key":true,"ip":[],"is_chain_in_order":true}"#]].assert_eq(&served(&world, &authority)?);
    Ok(())
}

#[test]
fn what_the_authority_cannot_issue_is_told_before_it_refuses() -> Result<()> {
    let mut world = deployed()?;
    let says = json!({"issues": false, "capabilities": {"allowed_domains": ["example.org"]}});
    let mut authority = related(&mut world, says)?;
    expect!["blocked: certificates:1 with authority: gives no certificates for a.example.test: set csr-domain-name to a name below example.org; the ingress gateway stays as it is until then"].assert_eq(&world.shown()?);
    authority.says(json!({"issues": false, "capabilities": {"allowed_domains": ["example.test"]}}));
    authority.converse(&mut world)?;
    expect!["waiting: certificates:1 with authority: has not sent a certificate yet; the ingress gateway stays as it is until then"].assert_eq(&world.shown()?);
    authority.says(json!({}));
    authority.converse(&mut world)?;
    assert_eq!(world.shown()?, WELL);
    Ok(())
}

#[test]
fn a_certificate_that_soon_expires_is_in_the_status() -> Result<()> {
    let mut world = deployed()?;
    let authority = related(&mut world, json!({"days": 20}))?;
    expect!["active: CNI off; the certificate of the ingress gateway expires on …-…-…, in … days"]
        .assert_eq(&without_numbers(&world.shown()?));
    expect![[r#"read {"chain":["a.example.test","authority"],"dns":["a.example.test","b.example.test"],"fits_key":true,"ip":[],"is_chain_in_order":true}"#]].assert_eq(&served(&world, &authority)?);
    Ok(())
}

#[test]
fn every_unit_has_a_certificate_and_that_of_a_new_leader_is_served() -> Result<()> {
    let mut world = deployed()?;
    world.scale(2)?;
    let mut authority = related(&mut world, json!({}))?;
    let Verdict::Read(Some(requests)) = authority.turn(&mut world)? else {
        panic!("it reads no requests");
    };
    assert_eq!(requests.as_array().unwrap().len(), 2, "{requests}");
    let before = of_secret(&world, "tls.key")?;
    world.model.set_leader(&world.unit(1))?;
    world.settle()?;
    assert_ne!(of_secret(&world, "tls.key")?, before);
    expect![[r#"read {"chain":["a.example.test","authority"],"dns":["a.example.test","b.example.test"],"fits_key":true,"ip":[],"is_chain_in_order":true}"#]].assert_eq(&served(&world, &authority)?);

    // Another authority takes over. There can be only one relation at a time.
    authority.part(&mut world)?;
    world.settle()?;
    let says = json!({"authority": "other"});
    let mut other = Neighbour::related(&mut world, "other", "certificates", says)?;
    other.converse(&mut world)?;
    expect![[r#"read {"chain":["a.example.test","other"],"dns":["a.example.test","b.example.test"],"fits_key":true,"ip":[],"is_chain_in_order":true}"#]].assert_eq(&served(&world, &other)?);
    Ok(())
}
