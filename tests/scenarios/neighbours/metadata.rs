//! The endpoints `gateway-metadata` and `istio-metadata`: applications that have to know what the
//! ingress gateway is made of, and where the mesh has its root configuration.

use anyhow::Result;
use charm_world::{Neighbour, Verdict};
use expect_test::expect;

use super::{WELL, writes};
use crate::support::deployed;

#[test]
fn controllers_learn_the_names_of_the_gateway_and_of_the_root_namespace() -> Result<()> {
    let mut world = deployed()?;
    let mut jupyter = Neighbour::new("jupyter-controller", "gateway-metadata")?;
    jupyter.relate(&mut world)?;
    let mut beacon = Neighbour::new("istio-beacon", "istio-metadata")?;
    beacon.relate(&mut world)?;
    for neighbour in [&mut jupyter, &mut beacon] {
        assert_eq!(neighbour.turn(&mut world)?, Verdict::Read(None));
    }
    expect![[r#"read {"deployment_name":"istio-ingressgateway-workload","gateway_name":"istio-gateway","namespace":"mesh","service_account":"istio-ingressgateway-workload-service-account"}"#]].assert_eq(&jupyter.converse(&mut world)?.to_string());
    expect![[r#"read {"root_namespace":"mesh"}"#]]
        .assert_eq(&beacon.converse(&mut world)?.to_string());
    assert_eq!(world.shown()?, WELL);
    let before = writes(&world)?;
    world.update_status()?;
    assert_eq!(writes(&world)?, before);

    let options = [
        ("default-gateway", "kubeflow-gateway"),
        ("gateway-service-name", "edge"),
    ];
    world.configure(&options)?;
    expect![[r#"read {"deployment_name":"edge","gateway_name":"kubeflow-gateway","namespace":"mesh","service_account":"edge-service-account"}"#]].assert_eq(&jupyter.converse(&mut world)?.to_string());
    Ok(())
}
