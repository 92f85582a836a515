//! What is shown of Secrets.

use expect_test::expect;

use super::*;

/// A Secret whose values must not be shown anywhere.
fn secret(value: &str) -> Object {
    object(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {
            "name": "s", "namespace": "mesh", "labels": labels(),
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": value},
        },
        "data": {"tls.key": value}, "stringData": {"password": value},
    }))
}

#[test]
fn no_value_is_shown() {
    let old = applied(&secret("b2xkLXNlY3JldA=="), &data_fields(&["tls.key"]));
    let plan = planned(&[secret("bmV3LXNlY3JldA==")], &live([old]));
    expect![[r#"
        ~ Secret mesh/s
            .data[tls.key]: (hidden) -> (hidden)
            .metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]: (hidden) -> (hidden)
            .stringData.password: (hidden) -> (hidden)
            .type: "kubernetes.io/tls" -> "kubernetes.io/tls"
    "#]].assert_eq(&plan.to_string());
    for shown in [plan.to_string(), format!("{plan:?}")] {
        assert!(
            !shown.contains("b2xk") && !shown.contains("bmV3"),
            "{shown}"
        );
    }
}
