use std::fmt::Write as _;
use std::sync::LazyLock;

use serde_json::json;

use super::*;
use crate::relation::Databag;

/// An interface of two versions, in which the other side may say anything.
static BOTH: LazyLock<Interface> = LazyLock::new(|| {
    let anything = json!({"requires": {"type": "object"}});
    interface(&json!({"versions": ["v2", "v1"], "schema": {"v1": anything, "v2": anything}}))
});

/// An interface in which it has nothing to say.
static SILENT: LazyLock<Interface> = LazyLock::new(|| interface(&json!({"versions": ["v1"]})));

fn interface(entry: &Value) -> Interface {
    Interface::of_endpoint(entry, "requires").unwrap()
}

fn relation(databag: Databag) -> Relation {
    Relation {
        application: Some("dex-auth".parse().unwrap()),
        remote_application: Some(databag),
        ..Relation::new("ingress:2".parse().unwrap())
    }
}

fn with_versions(yaml: &str) -> Relation {
    relation(Databag::from([(SUPPORTED_VERSIONS, yaml)]))
}

fn with_data(yaml: &str) -> Relation {
    relation(Databag::from([
        (SUPPORTED_VERSIONS, "- v1\n"),
        (DATA, yaml),
    ]))
}

fn problem(interface: &Interface, relation: &Relation) -> Problem {
    interface.read(relation).unwrap_err().problem
}

#[test]
fn the_highest_common_version_is_used() {
    for (yaml, expected) in [
        ("- v1\n", 1),
        ("- v1\n- v2\n", 2),
        ("- v2\n- v1\n", 2),
        ("- v1\n- v3\n", 1),
        ("- v2\n- v9\n- v1\n", 2),
        ("[\"v1\"]", 1),
        ("- 1\n", 1),
        ("- 2\n- v1", 2),
        ("- v01\n", 1),
    ] {
        let received = BOTH.read(&with_versions(yaml)).unwrap();
        assert_eq!(received.version, Version(expected), "{yaml:?}");
        assert_eq!(received.data, None);
    }
}

#[test]
fn a_side_that_has_listed_no_versions_is_awaited() {
    let unread = Relation::new("ingress:2".parse().unwrap());
    let empty = relation(Databag::default());
    let only_data = relation(Databag::from([(DATA, "a: b\n")]));
    for relation in [unread, empty, only_data, with_versions("")] {
        let unreadable = BOTH.read(&relation).unwrap_err();
        assert_eq!(unreadable.problem, Problem::Unversioned);
        assert!(unreadable.is_expected());
    }
}

#[test]
fn versions_that_cannot_be_used_are_for_a_person() {
    let not_yaml = Problem::NotYaml {
        key: SUPPORTED_VERSIONS,
        place: Some((2, 1)),
    };
    for (yaml, expected) in [
        ("- v9\n", Problem::NoCommonVersion),
        ("[]", Problem::NoCommonVersion),
        ("v1", Problem::VersionsNotAList),
        ("{}", Problem::VersionsNotAList),
        ("1", Problem::VersionsNotAList),
        ("null", Problem::VersionsNotAList),
        ("- 1.0\n", Problem::NotAVersion { position: 1 }),
        ("- v1\n- 2.5\n", Problem::NotAVersion { position: 2 }),
        ("- v\n", Problem::NotAVersion { position: 1 }),
        ("- v+1\n", Problem::NotAVersion { position: 1 }),
        ("- v1.1\n", Problem::NotAVersion { position: 1 }),
        ("- '1'\n", Problem::NotAVersion { position: 1 }),
        ("- -1\n", Problem::NotAVersion { position: 1 }),
        ("- v4294967296\n", Problem::NotAVersion { position: 1 }),
        ("- 4294967297\n", Problem::NotAVersion { position: 1 }),
        ("- v1\n- [v1]\n", Problem::NotAVersion { position: 2 }),
        ("- v1\n- null\n", Problem::NotAVersion { position: 2 }),
        ("[v1\n", not_yaml),
    ] {
        let unreadable = BOTH.read(&with_versions(yaml)).unwrap_err();
        assert_eq!(unreadable.problem, expected, "{yaml:?}");
        assert!(!unreadable.is_expected());
    }
}

#[test]
fn data_is_a_mapping_in_yaml_or_json() {
    for (yaml, expected) in [
        (
            "port: 5556\nprefix: /dex\nrewrite: /dex\nservice: dex-auth\n",
            json!({"port": 5556, "prefix": "/dex", "rewrite": "/dex", "service": "dex-auth"}),
        ),
        (
            r#"{"service": "dex-auth", "port": 5556}"#,
            json!({"port": 5556, "service": "dex-auth"}),
        ),
        (
            "service-name: istiod.kubeflow.svc\nservice-port: '15012'\n",
            json!({"service-name": "istiod.kubeflow.svc", "service-port": "15012"}),
        ),
        (
            "allowed-request-headers: &id001\n- cookie\n- X-Auth-Token\n\
             allowed-response-headers: *id001\n",
            json!({
                "allowed-request-headers": ["cookie", "X-Auth-Token"],
                "allowed-response-headers": ["cookie", "X-Auth-Token"],
            }),
        ),
        ("a: null\n", json!({"a": null})),
    ] {
        let received = BOTH.read(&with_data(yaml)).unwrap();
        assert_eq!(received.data.map(Value::Object), Some(expected), "{yaml}");
        assert_eq!(received.version, Version(1));
    }
}

#[test]
fn what_python_takes_for_false_is_not_data() {
    for yaml in [
        "", "{}", "{}\n", "[]", "''", "null", "~", "0", "0.0", "false", "# a\n",
    ] {
        let received = BOTH.read(&with_data(yaml)).unwrap();
        assert_eq!(received.data, None, "{yaml:?}");
        assert!(SILENT.read(&with_data(yaml)).is_ok(), "{yaml:?}");
    }
}

#[test]
fn data_that_is_not_a_mapping_is_for_a_person() {
    for yaml in ["[1, 2]", "- a\n", "text", "1", "true", "'0'"] {
        assert_eq!(
            problem(&BOTH, &with_data(yaml)),
            Problem::NotAMapping,
            "{yaml}"
        );
    }
}

#[test]
fn data_that_is_not_yaml_is_for_a_person() {
    for yaml in [
        "{foo: [",
        "a: b\n\tc: d\n",
        "a: 'b\n",
        "a: *unknown\n",
        "a: b\n---\nc: d\n",
        "? [a]\n: b\n",
        "\u{1}",
    ] {
        let problem = problem(&BOTH, &with_data(yaml));
        assert!(
            matches!(problem, Problem::NotYaml { key: DATA, .. }),
            "{yaml}"
        );
    }
    let expected = Problem::NotYaml {
        key: DATA,
        place: Some((2, 1)),
    };
    assert_eq!(problem(&BOTH, &with_data("a: b\n\tc: d\n")), expected);
}

/// Each alias stands for ten of the level before: a few bytes of YAML, gigabytes of data.
#[test]
fn data_that_swells_is_refused() {
    let mut yaml = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(yaml, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    let problem = problem(&BOTH, &with_data(&yaml));
    assert!(matches!(problem, Problem::NotYaml { .. }), "{problem:?}");
}

#[test]
fn data_without_a_schema_is_for_a_person() {
    let by_application = Problem::DataNotAllowed { unit: None };
    for yaml in ["a: b\n", "[1]", "{foo: ["] {
        assert_eq!(problem(&SILENT, &with_data(yaml)), by_application, "{yaml}");
    }
    let by_unit = |yaml: &str| Relation {
        remote_units: Some(
            [
                ("dex-auth/0".parse().unwrap(), Databag::from([("a", "b")])),
                ("dex-auth/1".parse().unwrap(), Databag::from([(DATA, yaml)])),
            ]
            .into(),
        ),
        ..with_versions("- v1\n")
    };
    let unit = Some("dex-auth/1".parse().unwrap());
    for interface in [&*BOTH, &*SILENT] {
        let expected = Problem::DataNotAllowed { unit: unit.clone() };
        assert_eq!(problem(interface, &by_unit("a: b\n")), expected);
        assert!(interface.read(&by_unit("{}\n")).is_ok());
    }
}

#[test]
fn versions_and_data_are_written_as_pyyaml_writes_them() {
    let changes = |pairs: &[(&str, &str)]| -> DatabagChanges {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), Some((*value).to_owned()));
        pairs.iter().map(own).collect()
    };
    assert_eq!(
        BOTH.versions_only(),
        changes(&[("_supported_versions", "- v1\n- v2\n")])
    );
    let data = BTreeMap::from([
        ("service-port", "15012"),
        ("service-name", "istiod.kubeflow.svc"),
    ]);
    assert_eq!(
        SILENT.with_data(&data),
        changes(&[
            ("_supported_versions", "- v1\n"),
            (
                "data",
                "service-name: istiod.kubeflow.svc\nservice-port: '15012'\n"
            ),
        ])
    );
}

#[test]
fn what_is_written_is_read_back_by_the_other_side() {
    let data = BTreeMap::from([("port", "15012"), ("on", "off"), ("text", "a: 'b'\n")]);
    let written = BOTH.with_data(&data);
    let databag = written
        .into_iter()
        .map(|(key, value)| (key, value.unwrap()));
    let received = BOTH.read(&relation(databag.collect())).unwrap();
    assert_eq!(received.version, Version(2));
    let expected = json!({"port": "15012", "on": "off", "text": "a: 'b'\n"});
    assert_eq!(received.data.map(Value::Object), Some(expected));
}

#[test]
fn a_problem_names_what_is_wrong_and_who_must_do_what() {
    let texts = [
        (
            relation(Databag::default()),
            "ingress:2 with dex-auth: `_supported_versions` is not set yet; dex-auth must list v1 or v2 \
             there, as charms made for this interface do",
        ),
        (
            Relation::new("ingress:2".parse().unwrap()),
            "ingress:2: `_supported_versions` is not set yet; the other application must list v1 or v2 \
             there, as charms made for this interface do",
        ),
        (
            with_versions("- v9"),
            "ingress:2 with dex-auth: `_supported_versions` lists no version that is supported here; \
             dex-auth must support v1 or v2: refresh one of the two charms",
        ),
        (
            with_versions("hunter2"),
            "ingress:2 with dex-auth: `_supported_versions` is not a list; dex-auth must list \
             versions there, such as v1",
        ),
        (
            with_versions("- v1\n- hunter2"),
            "ingress:2 with dex-auth: item 2 of `_supported_versions` is not a version; dex-auth must \
             write each as the letter v and a whole number, such as v1",
        ),
        (
            with_data("{password: hunter2"),
            "ingress:2 with dex-auth: `data` is not YAML at line 2, column 1; dex-auth must write one \
             YAML document there",
        ),
        (
            with_data("a: b\n---\npassword: hunter2\n"),
            "ingress:2 with dex-auth: `data` is not YAML; dex-auth must write one YAML document there",
        ),
        (
            with_data("- hunter2"),
            "ingress:2 with dex-auth: `data` is not a mapping; dex-auth must write names of fields \
             with values there",
        ),
    ];
    for (relation, expected) in texts {
        let unreadable = BOTH.read(&relation).unwrap_err();
        assert_eq!(unreadable.to_string(), expected);
        assert!(!format!("{unreadable:?}").contains("hunter2"));
    }
}

#[test]
fn data_that_is_not_allowed_is_named_with_whoever_set_it() {
    let unreadable = SILENT.read(&with_data("password: hunter2")).unwrap_err();
    assert_eq!(
        unreadable.to_string(),
        "ingress:2 with dex-auth: `data` is set, for which the interface has no schema; dex-auth must \
         not set it"
    );
    let unreadable = Unreadable {
        problem: Problem::DataNotAllowed {
            unit: Some("dex-auth/1".parse().unwrap()),
        },
        ..unreadable
    };
    assert_eq!(
        unreadable.to_string(),
        "ingress:2 with dex-auth: `data` of dex-auth/1 is set, for which the interface has no schema; \
         dex-auth must not set it"
    );
}
