//! The value of a Secret is shown nowhere.

use anyhow::Result;
use expect_test::expect;
use serde_json::json;

use super::support::{MODEL, deployed};

/// Looks like nothing else, in plain text and in base64.
const VALUE: &str = "cGxhbnRlZC12YWx1ZQ";
const PLAIN: &str = "planted-value";

#[test]
fn a_planted_value_is_in_no_plan_log_status_or_result() -> Result<()> {
    let mut world = deployed()?;
    world.model.set_variable("ISTIO_PILOT_LOG_LEVEL", "debug");
    // As if the charm had applied it, and wanted it no more.
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {
            "name": "public-gateway-secret", "namespace": MODEL,
            "labels": {
                "app.kubernetes.io/instance": world.instance(),
                "app.kubernetes.io/managed-by": "istio-pilot",
            },
        },
        "stringData": {"tls.crt": PLAIN, "tls.key": PLAIN},
    });
    let line = "apply --server-side --field-manager=istio-pilot --filename=-";
    world
        .cluster
        .kubectl_with_input(line, &secret.to_string())?;
    let plan = world.run_action("plan", &json!({}))?;
    let shown = plan.results["plan"].as_str().unwrap_or_default();
    expect![[r#"
        - Secret mesh/public-gateway-secret
    "#]]
    .assert_eq(shown);
    expect!["active: CNI off"].assert_eq(&world.update_status()?);
    assert!(
        world.get("secret public-gateway-secret").is_err(),
        "it is gone"
    );
    let everything = format!(
        "{plan:?}{}{:?}",
        world.model.status(),
        world.model.debug_log()
    );
    assert!(everything.contains("public-gateway-secret"), "{everything}");
    for value in [VALUE, PLAIN] {
        assert!(!everything.contains(value), "{everything}");
    }
    Ok(())
}
