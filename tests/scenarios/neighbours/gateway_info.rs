//! The endpoint `gateway-info`: applications that send their requests through the ingress Gateway.
//! What reads it is ours, by the rules of the library (`tests/neighbours/kubeflow/gateway_info.py`).

use anyhow::Result;
use charm_world::{Neighbour, Verdict};
use expect_test::expect;
use serde_json::json;

use super::WELL;
use crate::support::deployed;

#[test]
fn a_controller_learns_where_the_gateway_is_and_whether_it_is_up() -> Result<()> {
    let mut world = deployed()?;
    let mut controller = Neighbour::new("tensorboard-controller", "gateway-info")?;
    controller.relate(&mut world)?;
    assert_eq!(controller.turn(&mut world)?, Verdict::Read(None));
    expect![[
        r#"read {"gateway_name":"istio-gateway","gateway_namespace":"mesh","gateway_up":false}"#
    ]]
    .assert_eq(&controller.converse(&mut world)?.to_string());
    world.apply(&json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "istio-ingressgateway-workload", "namespace": "mesh"},
        "spec": {"ports": [{"port": 80}]},
    }))?;
    world.update_status()?;
    expect![[
        r#"read {"gateway_name":"istio-gateway","gateway_namespace":"mesh","gateway_up":true}"#
    ]]
    .assert_eq(&controller.turn(&mut world)?.to_string());
    world.configure(&[("default-gateway", "kubeflow-gateway")])?;
    expect![[
        r#"read {"gateway_name":"kubeflow-gateway","gateway_namespace":"mesh","gateway_up":true}"#
    ]]
    .assert_eq(&controller.turn(&mut world)?.to_string());

    // Closed, as nobody has said yet who checks requests.
    let mut oidc = Neighbour::new("oidc-gatekeeper", "ingress-auth")?;
    oidc.relate(&mut world)?;
    oidc.converse(&mut world)?;
    expect![[
        r#"read {"gateway_name":"kubeflow-gateway","gateway_namespace":"mesh","gateway_up":false}"#
    ]]
    .assert_eq(&controller.turn(&mut world)?.to_string());
    oidc.part(&mut world)?;
    world.settle()?;
    expect![[
        r#"read {"gateway_name":"kubeflow-gateway","gateway_namespace":"mesh","gateway_up":true}"#
    ]]
    .assert_eq(&controller.converse(&mut world)?.to_string());
    assert_eq!(world.shown()?, WELL);
    Ok(())
}
