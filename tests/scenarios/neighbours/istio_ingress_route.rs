//! The endpoint `istio-ingress-route`: applications with routes of their own making.

use anyhow::Result;
use charm_world::{Neighbour, Verdict};
use expect_test::expect;
use serde_json::{Value, json};

use super::{WELL, judged, writes};
use crate::support::{APPLICATION, databag, deployed};
use crate::traefik::{add_gateway_service, assign_address, routes};

/// What `katib-ui` says.
fn katib(port: u16) -> Value {
    let listener = json!({"port": port, "protocol": "HTTP"});
    json!({
        "model": "kubeflow",
        "listeners": [listener],
        "http_routes": [{
            "name": "http-route",
            "listener": listener,
            "matches": [{"path": {"value": "/katib/"}}],
            "backends": [{"service": "katib-ui", "port": 8080}],
        }],
    })
}

/// Everything that the library can say.
fn everything() -> Value {
    let listener = json!({"port": 80, "protocol": "HTTP"});
    json!({
        "model": "shop",
        "listeners": [listener],
        "http_routes": [
            {
                "name": "split",
                "listener": listener,
                "hostnames": ["shop.example", "*.shop.example"],
                "matches": [{
                    "path": {"type": "PathPrefix", "value": "/cart"},
                    "method": "GET",
                    "headers": {"X-Beta": "yes"},
                }],
                "filters": [{"urlRewrite": {
                    "hostname": "cart.example",
                    "path": {"type": "ReplacePrefixMatch", "value": "/v2"},
                }}],
                "backends": [
                    {"service": "cart", "port": 80, "weight": 90},
                    {"service": "cart-next", "port": 80, "weight": 10},
                ],
            },
            {
                "name": "moved",
                "listener": listener,
                "matches": [{"path": {"type": "Exact", "value": "/old"}}],
                "filters": [{"requestRedirect": {
                    "path": {"type": "ReplaceFullPath", "value": "/new"}, "statusCode": 302,
                }}],
                "backends": [],
            },
            {
                "name": "versions",
                "listener": listener,
                "matches": [{"path": {"type": "RegularExpression", "value": "/v[0-9]+/.*"}}],
                "backends": [{"service": "versions", "port": 80}],
            },
        ],
        "grpc_routes": [{
            "name": "calls",
            "listener": {"port": 80, "protocol": "GRPC"},
            "matches": [{"method": {"service": "shop.Cart", "method": "Add"}}],
            "backends": [{"service": "cart", "port": 9000}],
        }],
    })
}

#[test]
fn a_dashboard_is_served_and_hears_where() -> Result<()> {
    let mut world = deployed()?;
    let mut neighbour =
        Neighbour::related(&mut world, "katib-ui", "istio-ingress-route", katib(80))?;
    assert_eq!(neighbour.converse(&mut world)?, Verdict::Read(None));
    expect!["waiting: istio-ingress-route:1 with katib-ui: Service istio-ingressgateway-workload has no address yet; katib-ui is told once it has one"].assert_eq(&world.shown()?);
    expect![[r#"
        katib-ui.kubeflow.istio-ingress-route-1
          {"uri":{"exact":"/katib"}} katib-ui.kubeflow.svc.cluster.local:8080
          {"uri":{"prefix":"/katib/"}} katib-ui.kubeflow.svc.cluster.local:8080"#]]
    .assert_eq(&routes(&world)?);
    add_gateway_service(&world)?;
    assign_address(&world, "192.0.2.7")?;
    world.update_status()?;
    expect![[r#"read {"external_host":"192.0.2.7","tls_enabled":false}"#]]
        .assert_eq(&neighbour.converse(&mut world)?.to_string());
    assert_eq!(world.shown()?, WELL);
    // In the charm's own place, the library reads what it says.
    expect![[r#"read {"grpc_routes":[],"http_routes":[{"backends":[{"port":8080,"service":"katib-ui"}],"listener":{"port":80,"protocol":"HTTP"},"matches":[{"path":{"type":"PathPrefix","value":"/katib/"}}],"name":"http-route"}],"listeners":[{"port":80,"protocol":"HTTP"}],"model":"kubeflow"}"#]].assert_eq(&neighbour.verdict_in_place_of_charm(&world)?.to_string());
    let before = writes(&world)?;
    world.update_status()?;
    assert_eq!(writes(&world)?, before);
    // With a certificate it asks for the other port.
    neighbour.says(katib(443));
    neighbour.converse(&mut world)?;
    assert_eq!(world.shown()?, WELL);
    neighbour.part(&mut world)?;
    world.settle()?;
    expect![[r#""#]].assert_eq(&routes(&world)?);
    Ok(())
}

#[test]
fn everything_that_the_library_can_say_is_served_and_the_older_keeps_what_two_ask_for() -> Result<()>
{
    let mut world = deployed()?;
    add_gateway_service(&world)?;
    assign_address(&world, "192.0.2.7")?;
    let endpoint = "istio-ingress-route";
    let mut shop = Neighbour::related(&mut world, "shop", endpoint, everything())?;
    shop.converse(&mut world)?;
    assert_eq!(world.shown()?, WELL);
    expect![[r#"
        shop.shop.istio-ingress-route-1
          {"authority":{"regex":"(?i)shop\\.example(:[0-9]+)?"},"headers":{"x-beta":{"exact":"yes"}},"method":{"exact":"GET"},"uri":{"exact":"/cart"}} {"authority":"cart.example","uri":"/v2"} cart.shop.svc.cluster.local:80 cart-next.shop.svc.cluster.local:80
          {"authority":{"regex":"(?i)shop\\.example(:[0-9]+)?"},"headers":{"x-beta":{"exact":"yes"}},"method":{"exact":"GET"},"uri":{"prefix":"/cart/"}} {"authority":"cart.example","uri":"/v2/"} cart.shop.svc.cluster.local:80 cart-next.shop.svc.cluster.local:80
          {"authority":{"regex":"(?i).+\\.shop\\.example(:[0-9]+)?"},"headers":{"x-beta":{"exact":"yes"}},"method":{"exact":"GET"},"uri":{"exact":"/cart"}} {"authority":"cart.example","uri":"/v2"} cart.shop.svc.cluster.local:80 cart-next.shop.svc.cluster.local:80
          {"authority":{"regex":"(?i).+\\.shop\\.example(:[0-9]+)?"},"headers":{"x-beta":{"exact":"yes"}},"method":{"exact":"GET"},"uri":{"prefix":"/cart/"}} {"authority":"cart.example","uri":"/v2/"} cart.shop.svc.cluster.local:80 cart-next.shop.svc.cluster.local:80
          {"uri":{"exact":"/shop.Cart/Add"}} cart.shop.svc.cluster.local:9000
          {"uri":{"exact":"/old"}} {"redirectCode":302,"uri":"/new"}
          {"uri":{"regex":"/v[0-9]+/.*"}} versions.shop.svc.cluster.local:80"#]].assert_eq(&routes(&world)?);
    let mut katib_ui = Neighbour::related(&mut world, "katib-ui", endpoint, katib(80))?;
    katib_ui.converse(&mut world)?;
    let mut second = Neighbour::related(&mut world, "second", endpoint, katib(80))?;
    assert_eq!(second.converse(&mut world)?, Verdict::Read(None));
    expect!["blocked: istio-ingress-route:3 with second: second asks for the prefix /katib, which katib-ui has already and keeps: configure another one of the two, or remove a relation"].assert_eq(&world.shown()?);
    // Who was refused gets it when the older relation goes.
    katib_ui.part(&mut world)?;
    expect![[r#"read {"external_host":"192.0.2.7","tls_enabled":false}"#]]
        .assert_eq(&second.converse(&mut world)?.to_string());
    assert_eq!(world.shown()?, WELL);
    world.remove()?;
    assert!(world.objects()?.is_empty(), "{:?}", world.objects());
    Ok(())
}

#[test]
fn what_cannot_be_served_is_said_and_holds_nobody_else() -> Result<()> {
    let mut world = deployed()?;
    add_gateway_service(&world)?;
    assign_address(&world, "192.0.2.7")?;
    let endpoint = "istio-ingress-route";
    let mut sound = Neighbour::related(&mut world, "katib-ui", endpoint, katib(80))?;
    sound.converse(&mut world)?;
    let served = routes(&world)?;

    // A port that the library allows and this gateway does not have.
    let mut tempo = Neighbour::new("tempo", endpoint)?;
    let mut document = katib(80);
    document["listeners"] = json!([{"port": 9096, "protocol": "GRPC"}]);
    tempo.says(document);
    let relation = tempo.relate(&mut world)?;
    assert_eq!(tempo.converse(&mut world)?, Verdict::Read(None));
    expect!["blocked: istio-ingress-route:2 with tempo: `config` asks for the listener grpc-9096, and the ingress gateway serves no ports but 80 and 443: tempo must use one of these, or another gateway"].assert_eq(&world.shown()?);
    expect![[r#""#]].assert_eq(&databag(&world, relation, APPLICATION));

    // What the library would not write.
    let databags = [
        [("config", "{")],
        [("config", "{}")],
        [(
            "config",
            r#"{"model": "m", "listeners": [{"port": 0, "protocol": "HTTP"}]}"#,
        )],
        [(
            "config",
            r#"{"model": "m", "listeners": [{"port": 80, "protocol": "TCP"}]}"#,
        )],
        [("config", r#"{"model": "m", "http_routes": null}"#)],
        [("config", r#"{"model": "m"}"#)],
    ];
    expect![[r#"
        [("config", "{")]
          raised Unreadable: {
          blocked: istio-ingress-route:2 with tempo: `config` is not JSON at line 1, column 1
        [("config", "{}")]
          raised Unreadable: {}
          blocked: istio-ingress-route:2 with tempo: `config` is wrong: missing field `model`
        [("config", "{\"model\": \"m\", \"listeners\": [{\"port\": 0, \"protocol\": \"HTTP\"}]}")]
          raised Unreadable: {"model": "m", "listeners": [{"port": 0, "protocol": "HTTP"}]}
          blocked: istio-ingress-route:2 with tempo: `config` is wrong at `listeners[0].port`: ports are numbers from 1 to 65535
        [("config", "{\"model\": \"m\", \"listeners\": [{\"port\": 80, \"protocol\": \"TCP\"}]}")]
          raised Unreadable: {"model": "m", "listeners": [{"port": 80, "protocol": "TCP"}]}
          blocked: istio-ingress-route:2 with tempo: `config` is wrong at `listeners[0].protocol`: expected `HTTP` or `GRPC`
        [("config", "{\"model\": \"m\", \"http_routes\": null}")]
          raised Unreadable: {"model": "m", "http_routes": null}
          blocked: istio-ingress-route:2 with tempo: `config` is wrong at `http_routes`: expected a sequence
        [("config", "{\"model\": \"m\"}")]
          read {"grpc_routes":[],"http_routes":[],"listeners":[],"model":"m"}
          active: CNI off
    "#]].assert_eq(&judged(&mut world, &tempo, relation, &databags)?);
    assert_eq!(routes(&world)?, served);
    assert!(matches!(sound.turn(&mut world)?, Verdict::Read(Some(_))));
    Ok(())
}
