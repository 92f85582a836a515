//! What relations add to the mesh.

use expect_test::expect;

use super::check;
use crate::intent::extensions::{
    CheckProtocol, CollectorHost, Extensions, ExternalAuthorizer, SpanCollector,
};
use crate::intent::ingress::Ingress;
use crate::k8s::kind::CONFIG_MAP;
use crate::simulated::Simulated;
use crate::step::deadlines::Timeouts;

/// Another hook, in which relations ask for that.
fn ask(cluster: &mut Simulated, extensions: Extensions) {
    cluster.intent.extensions = Some(extensions);
    cluster.begin_hook(Timeouts::default());
}

fn authorizers() -> Extensions {
    Extensions {
        authorizers: vec![ExternalAuthorizer {
            relation: "istio-ingress-config:1".parse().unwrap(),
            name: "ext-authz-ingress".to_owned(),
            service: "oidc".to_owned(),
            namespace: "kubeflow".to_owned(),
            port: 8080,
            protocol: CheckProtocol::Grpc,
        }],
        ..Extensions::default()
    }
}

#[test]
fn a_service_that_checks_requests_changes_the_mesh_configuration_alone() {
    let mut cluster = Simulated::settled(&[]);
    ask(&mut cluster, authorizers());
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply ConfigMap istio
        Off: active: CNI off
    "#]],
    );
    cluster.begin_hook(Timeouts::default());
    check(
        &mut cluster,
        &expect![[r#"
        Off: active: CNI off
    "#]],
    );
    ask(&mut cluster, Extensions::default());
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply ConfigMap istio
        Off: active: CNI off
    "#]],
    );
}

#[test]
fn what_relations_add_is_no_change_where_nobody_sees_them() {
    let mut cluster = Simulated::settled(&[]);
    ask(&mut cluster, authorizers());
    cluster.run();
    cluster.intent.extensions = None;
    let (_, assessment) = cluster.assess();
    assert!(assessment.plan.is_empty(), "{}", assessment.plan);
    // Anything else is.
    cluster.change_named(&CONFIG_MAP, "istio", |it| {
        let text = it["data"]["mesh"].as_str().unwrap();
        it["data"]["mesh"] = text.replace("/dev/stdout", "/dev/stderr").into();
    });
    let (_, assessment) = cluster.assess();
    assert!(
        assessment
            .plan
            .to_string()
            .starts_with("~ ConfigMap mesh/istio\n")
    );
}

#[test]
fn spans_are_sent_as_long_as_something_collects_them() {
    let mut cluster = Simulated::settled(&[]);
    let collector = |host| Extensions {
        collector: Some(SpanCollector { host, port: 4317 }),
        ..Extensions::default()
    };
    let address = CollectorHost::Address("10.1.2.3".parse().unwrap());
    ask(&mut cluster, collector(address));
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply ConfigMap istio, Telemetry pilot-workload-tracing, ServiceEntry pilot-workload-tracing
        Off: active: CNI off
    "#]],
    );
    let service = CollectorHost::Service("tempo.cos.svc.cluster.local".to_owned());
    ask(&mut cluster, collector(service));
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply ConfigMap istio
        Off: delete ServiceEntry pilot-workload-tracing
        Off: active: CNI off
    "#]],
    );
    // It is not known whether anything does.
    cluster.intent.extensions = None;
    cluster.intent.ingress = None;
    let (_, assessment) = cluster.assess();
    assert!(assessment.plan.is_empty(), "{}", assessment.plan);
    cluster.intent.ingress = Some(Ingress::default());
    ask(&mut cluster, Extensions::default());
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply ConfigMap istio
        Off: delete Telemetry pilot-workload-tracing
        Off: active: CNI off
    "#]],
    );
}

#[test]
fn istiod_starts_anew_with_other_authorities() {
    let mut cluster = Simulated::settled(&[]);
    let authorities = |text: &str| Extensions {
        key_authorities: [text.to_owned()].into(),
        ..Extensions::default()
    };
    ask(&mut cluster, authorities("first"));
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply ConfigMap pilot-jwks-extra-cacerts, Deployment istiod
        Off: active: CNI off
    "#]],
    );
    ask(&mut cluster, authorities("second"));
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply ConfigMap pilot-jwks-extra-cacerts, Deployment istiod
        Off: active: CNI off
    "#]],
    );
    // It is not known which there are.
    cluster.intent.extensions = None;
    let (_, assessment) = cluster.assess();
    assert!(assessment.plan.is_empty(), "{}", assessment.plan);
    ask(&mut cluster, Extensions::default());
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply Deployment istiod
        Off: delete ConfigMap pilot-jwks-extra-cacerts
        Off: active: CNI off
    "#]],
    );
    cluster.intent.extensions = None;
    let (_, assessment) = cluster.assess();
    assert!(assessment.plan.is_empty(), "{}", assessment.plan);
}
