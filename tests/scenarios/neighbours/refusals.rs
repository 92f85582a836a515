//! What the library refuses to read, or would have read.

use anyhow::Result;
use charm_world::Neighbour;
use expect_test::expect;
use serde_json::json;

use super::ingress_auth::is_open;
use super::{WELL, judged};
use crate::ingress::objects;
use crate::support::{APPLICATION, deployed};

/// Databags of an application that wants a route, the sound ones last. The library takes more than
/// Kubernetes does.
const ROUTES: [[(&str, &str); 2]; 12] = {
    let versions = "_supported_versions";
    [
        [
            (versions, "- v1\n"),
            ("data", "port: '80'\nprefix: /a\nservice: a\n"),
        ],
        [
            (versions, "- v2\n"),
            ("data", "port: 80\nprefix: /a\nservice: a\n"),
        ],
        [
            (versions, "- v1\n"),
            ("data", "port: true\nprefix: /a\nservice: a\n"),
        ],
        [(versions, "- v1\n"), ("data", "{foo: [")],
        [(versions, "- v1\n"), ("data", "[1, 2]")],
        [(versions, "vv"), ("data", "")],
        [
            (versions, ""),
            ("data", "port: 80\nprefix: /a\nservice: a\n"),
        ],
        [
            (versions, "- v1\n"),
            ("data", "port: 0\nprefix: /a\nservice: A\n"),
        ],
        [(versions, "- v1\n"), ("data", "{}\n")],
        [
            (versions, "[\"v1\"]"),
            (
                "data",
                r#"{"service": "a", "port": 80.0, "prefix": "/a", "rewrite": "", "more": 1}"#,
            ),
        ],
        [
            (versions, "- 1\n- 9\n"),
            ("data", "port: 80\nprefix: a'\"\nservice: a\n"),
        ],
        [
            (versions, "- v2\n- v1\n"),
            ("data", "namespace: b\nport: 80\nprefix: /a\nservice: a\n"),
        ],
    ]
};

#[test]
fn what_the_library_refuses_is_one_relations_problem_and_holds_no_other() -> Result<()> {
    let mut world = deployed()?;
    let data = json!({"service": "sound", "port": 80, "prefix": "/sound", "namespace": "b"});
    let mut sound = Neighbour::related(&mut world, "sound", "ingress", data)?;
    sound.converse(&mut world)?;
    let mut other = Neighbour::related(&mut world, "a", "ingress", json!({"service": 1}))?;
    // Its own library does not let it say that.
    expect!["hook failed with RelationDataError: Failed to validate data on ingress:2 from a"]
        .assert_eq(&other.converse(&mut world)?.to_string());
    expect!["active: CNI off"].assert_eq(&world.shown()?);

    let relation = world.model.relation_id("a", APPLICATION)?;
    let story = judged(&mut world, &other, relation, &ROUTES)?;
    expect![[r#"
        [("_supported_versions", "- v1\n"), ("data", "port: '80'\nprefix: /a\nservice: a\n")]
          hook failed with RelationDataError: Failed to validate data on ingress:2 from a
          blocked: ingress:2 with a: `data` has a `port` that is text and not a whole number; a must write it as the interface says
        [("_supported_versions", "- v2\n"), ("data", "port: 80\nprefix: /a\nservice: a\n")]
          hook failed with RelationDataError: Failed to validate data on ingress:2 from a
          blocked: ingress:2 with a: `data` has no `namespace`; a must write it as the interface says
        [("_supported_versions", "- v1\n"), ("data", "port: true\nprefix: /a\nservice: a\n")]
          hook failed with RelationDataError: Failed to validate data on ingress:2 from a
          blocked: ingress:2 with a: `data` has a `port` that is true or false and not a whole number; a must write it as the interface says
        [("_supported_versions", "- v1\n"), ("data", "{foo: [")]
          hook failed with RelationParseError: Failed to deserialize data on ingress:2 from a at 'data'
          blocked: ingress:2 with a: `data` is not YAML at line 2, column 1; a must write one YAML document there
        [("_supported_versions", "- v1\n"), ("data", "[1, 2]")]
          hook failed with RelationDataError: Failed to validate data on ingress:2 from a
          blocked: ingress:2 with a: `data` is not a mapping; a must write names of fields with values there
        [("_supported_versions", "vv"), ("data", "")]
          hook failed with InvalidSchemaVersionError: v is not an int or 'vX' string
          blocked: ingress:2 with a: `_supported_versions` is not a list; a must list versions there, such as v1
        [("_supported_versions", ""), ("data", "port: 80\nprefix: /a\nservice: a\n")]
          raised UnversionedRelation: List of <ops.model.Relation ingress:2> versions not found for apps: a
          waiting: ingress:2 with a: `_supported_versions` is not set yet; a must list v1 or v2 there, as charms made for this interface do
        [("_supported_versions", "- v1\n"), ("data", "port: 0\nprefix: /a\nservice: A\n")]
          read {"port":0,"prefix":"/a","service":"A"}
          blocked: ingress:2 with a: `service` is 'A', which is no name of Kubernetes: lower-case letters, digits and '-', at most 63 characters
        [("_supported_versions", "- v1\n"), ("data", "{}\n")]
          read nothing
          active: CNI off
        [("_supported_versions", "[\"v1\"]"), ("data", "{\"service\": \"a\", \"port\": 80.0, \"prefix\": \"/a\", \"rewrite\": \"\", \"more\": 1}")]
          read {"more":1,"port":80.0,"prefix":"/a","rewrite":"","service":"a"}
          active: CNI off
        [("_supported_versions", "- 1\n- 9\n"), ("data", "port: 80\nprefix: a'\"\nservice: a\n")]
          read {"port":80,"prefix":"a'\"","service":"a"}
          active: CNI off
        [("_supported_versions", "- v2\n- v1\n"), ("data", "namespace: b\nport: 80\nprefix: /a\nservice: a\n")]
          read {"namespace":"b","port":80,"prefix":"/a","service":"a"}
          active: CNI off
    "#]].assert_eq(&story);
    expect![[r#"
        Gateway istio-gateway 8080
        VirtualService a /a a.b.svc.cluster.local
        VirtualService sound /sound sound.b.svc.cluster.local"#]]
    .assert_eq(&objects(&world)?);
    Ok(())
}

/// Databags of an application that checks requests, the sound ones last.
const CHECKS: [[(&str, &str); 2]; 10] = {
    let versions = "_supported_versions";
    [
        [(versions, ""), ("data", "port: 80\nservice: a\n")],
        [(versions, "- v1\n"), ("data", "")],
        [(versions, "- v1\n"), ("data", "{}\n")],
        [(versions, "- v1\n"), ("data", "port: 80\n")],
        [(versions, "- v1\n"), ("data", "port: 80.5\nservice: a\n")],
        [(versions, "- v1\n"), ("data", "port: 80\nservice: [a]\n")],
        [
            (versions, "- v1\n"),
            (
                "data",
                "port: 80\nservice: a\nallowed-request-headers: cookie\n",
            ),
        ],
        [
            (versions, "- v1\n"),
            (
                "data",
                "port: 80\nservice: a\nallowed-request-headers: [1]\n",
            ),
        ],
        [
            (versions, "[\"v1\"]"),
            ("data", r#"{"service": "a", "port": 80, "more": 1}"#),
        ],
        [
            (versions, "- v1\n"),
            (
                "data",
                "port: 80\nservice: a\nallowed-request-headers: []\n",
            ),
        ],
    ]
};

#[test]
fn what_the_library_refuses_opens_nothing() -> Result<()> {
    let mut world = deployed()?;
    let mut other = Neighbour::new("a", "ingress-auth")?;
    let relation = other.relate(&mut world)?;
    other.converse(&mut world)?;
    let mut story = String::new();
    for databag in CHECKS {
        story += &judged(&mut world, &other, relation, &[databag])?;
        let is_open = is_open(&world)?;
        assert_eq!(is_open, world.shown()? == WELL, "{story}");
        story += if is_open { "  open\n" } else { "  closed\n" };
    }
    expect![[r#"
        [("_supported_versions", ""), ("data", "port: 80\nservice: a\n")]
          raised UnversionedRelation: List of <ops.model.Relation ingress-auth:1> versions not found for apps: a
          waiting: ingress-auth:1 with a: `_supported_versions` is not set yet; a must list v1 there, as charms made for this interface do; the ingress gateway is closed until then
          closed
        [("_supported_versions", "- v1\n"), ("data", "")]
          read nothing
          waiting: ingress-auth:1 with a: does not say yet which service checks requests; the ingress gateway is closed until then
          closed
        [("_supported_versions", "- v1\n"), ("data", "{}\n")]
          read nothing
          waiting: ingress-auth:1 with a: does not say yet which service checks requests; the ingress gateway is closed until then
          closed
        [("_supported_versions", "- v1\n"), ("data", "port: 80\n")]
          hook failed with RelationDataError: Failed to validate data on ingress-auth:1 from a
          blocked: ingress-auth:1 with a: `data` has no `service`; a must write it as the interface says; the ingress gateway is closed until then
          closed
        [("_supported_versions", "- v1\n"), ("data", "port: 80.5\nservice: a\n")]
          hook failed with RelationDataError: Failed to validate data on ingress-auth:1 from a
          blocked: ingress-auth:1 with a: `data` has a `port` that is a number and not a whole number; a must write it as the interface says; the ingress gateway is closed until then
          closed
        [("_supported_versions", "- v1\n"), ("data", "port: 80\nservice: [a]\n")]
          hook failed with RelationDataError: Failed to validate data on ingress-auth:1 from a
          blocked: ingress-auth:1 with a: `data` has a `service` that is a list and not text; a must write it as the interface says; the ingress gateway is closed until then
          closed
        [("_supported_versions", "- v1\n"), ("data", "port: 80\nservice: a\nallowed-request-headers: cookie\n")]
          hook failed with RelationDataError: Failed to validate data on ingress-auth:1 from a
          blocked: ingress-auth:1 with a: `data` has a `allowed-request-headers` that is text and not a list; a must write it as the interface says; the ingress gateway is closed until then
          closed
        [("_supported_versions", "- v1\n"), ("data", "port: 80\nservice: a\nallowed-request-headers: [1]\n")]
          hook failed with RelationDataError: Failed to validate data on ingress-auth:1 from a
          blocked: ingress-auth:1 with a: `data` has a `allowed-request-headers[1]` that is a number and not text; a must write it as the interface says; the ingress gateway is closed until then
          closed
        [("_supported_versions", "[\"v1\"]"), ("data", "{\"service\": \"a\", \"port\": 80, \"more\": 1}")]
          read {"more":1,"port":80,"service":"a"}
          active: CNI off
          open
        [("_supported_versions", "- v1\n"), ("data", "port: 80\nservice: a\nallowed-request-headers: []\n")]
          read {"allowed-request-headers":[],"port":80,"service":"a"}
          active: CNI off
          open
    "#]].assert_eq(&story);
    Ok(())
}
