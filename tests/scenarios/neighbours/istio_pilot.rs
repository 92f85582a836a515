//! The endpoint `istio-pilot`: gateways that have to find istiod.

use anyhow::Result;
use charm_world::{Neighbour, Verdict};
use expect_test::expect;
use serde_json::json;

use super::judged;
use crate::support::deployed;

#[test]
fn a_gateway_reads_the_address_of_istiod_whoever_speaks_first() -> Result<()> {
    let mut world = deployed()?;
    let mut late = Neighbour::new("istio-ingressgateway", "istio-pilot")?;
    late.relate(&mut world)?;
    world.settle()?;
    // There is no data yet, which it could not have taken: it had listed no version.
    expect!["read nothing"].assert_eq(&late.turn(&mut world)?.to_string());
    expect![[r#"read {"service-name":"istiod.mesh.svc","service-port":"15012"}"#]]
        .assert_eq(&late.converse(&mut world)?.to_string());

    let mut early = Neighbour::new("istio-egressgateway", "istio-pilot")?;
    early.relate(&mut world)?;
    expect!["raised UnversionedRelation: List of <ops.model.Relation istio-pilot:2> versions not found for apps: pilot"].assert_eq(&early.turn(&mut world)?.to_string());
    expect![[r#"read {"service-name":"istiod.mesh.svc","service-port":"15012"}"#]]
        .assert_eq(&early.converse(&mut world)?.to_string());
    expect!["active: CNI off"].assert_eq(&world.shown()?);

    // In the charm's own place, the library reads the same: a side that has nothing to say.
    expect!["read nothing"].assert_eq(&early.verdict_in_place_of_charm(&world)?.to_string());
    Ok(())
}

#[test]
fn a_gateway_of_another_version_is_told_so_on_both_sides_until_it_is_refreshed() -> Result<()> {
    let mut world = deployed()?;
    let mut gateway = Neighbour::new("istio-ingressgateway", "istio-pilot")?;
    gateway.supports(&["v9"]);
    gateway.relate(&mut world)?;
    expect![
        "raised IncompatibleVersionsError: No compatible istio-pilot versions found for apps: pilot"
    ]
    .assert_eq(&gateway.converse(&mut world)?.to_string());
    expect!["raised IncompatibleVersionsError: No compatible istio-pilot versions found for apps: istio-ingressgateway"].assert_eq(&gateway.verdict_in_place_of_charm(&world)?.to_string());
    expect!["blocked: istio-pilot:1 with istio-ingressgateway: `_supported_versions` lists no version that is supported here; istio-ingressgateway must support v1: refresh one of the two charms"].assert_eq(&world.shown()?);

    gateway.supports(&["v1", "v9"]);
    expect![[r#"read {"service-name":"istiod.mesh.svc","service-port":"15012"}"#]]
        .assert_eq(&gateway.converse(&mut world)?.to_string());
    expect!["active: CNI off"].assert_eq(&world.shown()?);

    // A refresh to a version that is not supported here takes nothing back that was said: the
    // library refuses to read it.
    gateway.supports(&["v9"]);
    expect![
        "raised IncompatibleVersionsError: No compatible istio-pilot versions found for apps: pilot"
    ]
    .assert_eq(&gateway.converse(&mut world)?.to_string());
    expect!["blocked: istio-pilot:1 with istio-ingressgateway: `_supported_versions` lists no version that is supported here; istio-ingressgateway must support v1: refresh one of the two charms"].assert_eq(&world.shown()?);
    Ok(())
}

/// Databags of a gateway, the sound ones last.
const SAID_WRONGLY_OR_OTHERWISE: [[(&str, &str); 2]; 9] = {
    let versions = "_supported_versions";
    [
        [(versions, "1\n"), ("data", "")],
        [(versions, "- 1.0\n"), ("data", "")],
        [(versions, "- v1: [\n"), ("data", "")],
        [(versions, "[]"), ("data", "")],
        [(versions, "- v1\n"), ("data", "service-port: 15012\n")],
        [(versions, "- v1\n"), ("data", "[1, 2")],
        [(versions, "- v1\n"), ("data", "{}\n")],
        [(versions, "[\"v1\"]"), ("data", "")],
        [(versions, "- 1\n- v2\n"), ("data", "null\n")],
    ]
};

#[test]
fn where_the_library_would_fail_its_hook_only_that_relation_has_a_problem() -> Result<()> {
    let mut world = deployed()?;
    let mut sound = Neighbour::new("istio-ingressgateway", "istio-pilot")?;
    sound.relate(&mut world)?;
    sound.converse(&mut world)?;

    // Its own library does not let a gateway say anything.
    let mut gateway = Neighbour::new("istio-egressgateway", "istio-pilot")?;
    let relation = gateway.relate(&mut world)?;
    gateway.says(json!({"service-port": 15012}));
    expect!["hook failed with MissingSchemaError: No requires schema found for data on istio-pilot:2 from istio-egressgateway"].assert_eq(&gateway.converse(&mut world)?.to_string());

    // What another library might have written.
    let story = judged(&mut world, &gateway, relation, &SAID_WRONGLY_OR_OTHERWISE)?;
    assert!(matches!(sound.turn(&mut world)?, Verdict::Read(Some(_))));
    expect![[r#"
        [("_supported_versions", "1\n"), ("data", "")]
          hook failed with RelationParseError: Failed to deserialize data on istio-pilot:2 from istio-egressgateway at '_supported_versions'
          blocked: istio-pilot:2 with istio-egressgateway: `_supported_versions` is not a list; istio-egressgateway must list versions there, such as v1
        [("_supported_versions", "- 1.0\n"), ("data", "")]
          hook failed with InvalidSchemaVersionError: 1.0 is not an int or 'vX' string
          blocked: istio-pilot:2 with istio-egressgateway: item 1 of `_supported_versions` is not a version; istio-egressgateway must write each as the letter v and a whole number, such as v1
        [("_supported_versions", "- v1: [\n"), ("data", "")]
          hook failed with RelationParseError: Failed to deserialize data on istio-pilot:2 from istio-egressgateway at '_supported_versions'
          blocked: istio-pilot:2 with istio-egressgateway: `_supported_versions` is not YAML at line 2, column 1; istio-egressgateway must write one YAML document there
        [("_supported_versions", "[]"), ("data", "")]
          raised IncompatibleVersionsError: No compatible istio-pilot versions found for apps: istio-egressgateway
          blocked: istio-pilot:2 with istio-egressgateway: `_supported_versions` lists no version that is supported here; istio-egressgateway must support v1: refresh one of the two charms
        [("_supported_versions", "- v1\n"), ("data", "service-port: 15012\n")]
          hook failed with MissingSchemaError: No requires schema found for data on istio-pilot:2 from istio-egressgateway
          blocked: istio-pilot:2 with istio-egressgateway: `data` is set, for which the interface has no schema; istio-egressgateway must not set it
        [("_supported_versions", "- v1\n"), ("data", "[1, 2")]
          hook failed with RelationParseError: Failed to deserialize data on istio-pilot:2 from istio-egressgateway at 'data'
          blocked: istio-pilot:2 with istio-egressgateway: `data` is set, for which the interface has no schema; istio-egressgateway must not set it
        [("_supported_versions", "- v1\n"), ("data", "{}\n")]
          read nothing
          active: CNI off
        [("_supported_versions", "[\"v1\"]"), ("data", "")]
          read nothing
          active: CNI off
        [("_supported_versions", "- 1\n- v2\n"), ("data", "null\n")]
          read nothing
          active: CNI off
    "#]].assert_eq(&story);
    Ok(())
}
