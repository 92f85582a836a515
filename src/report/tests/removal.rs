//! What the log says of a removal; its status nobody sees.

use std::collections::BTreeSet;

use super::*;
use crate::assess::awaited::Awaited;
use crate::cni::rollout::AgentFault;
use crate::intent::Intent;
use crate::k8s::admission::PodRefusal;

#[track_caller]
fn check(cluster: &Simulated, outcome: &Outcome, expected: &Expect) {
    let facts = Facts::of_removal(cluster.intent.identity.clone());
    let intent = Intent::nothing(cluster.intent.identity.clone());
    expected.assert_eq(&shown(&report(&facts, &intent, outcome)));
}

/// A removal at its end.
fn ended(cluster: &mut Simulated) -> Outcome {
    cluster.remove();
    cluster.run();
    settled(cluster)
}

#[test]
fn a_removal_that_is_done_says_so() {
    let mut cluster = Simulated::settled(&[]);
    let outcome = ended(&mut cluster);
    check(
        &cluster,
        &outcome,
        &expect![[r#"
        active
        INFO everything this application made is removed
    "#]],
    );
    // Pods that were made with the CNI on are named where somebody stays to restart them.
    let mut with_cni = Simulated::settled(&BOTH_PATHS);
    let outcome = ended(&mut with_cni);
    assert!(with_cni.journal.has_seen_agent_go());
    check(
        &with_cni,
        &outcome,
        &expect![[r#"
            active
            INFO everything this application made is removed
        "#]],
    );
}

#[test]
fn definitions_that_others_use_stay_and_the_log_says_why() {
    let mut cluster = Simulated::settled(&[]);
    cluster.custom_resources = Some("there are gateways".to_owned());
    let outcome = ended(&mut cluster);
    check(
        &cluster,
        &outcome,
        &expect![[r#"
        active
        INFO Istio's definitions stay: there are gateways
        INFO everything this application made is removed
    "#]],
    );
}

#[test]
fn a_removal_that_is_not_done_names_what_is_left_and_how_it_goes() {
    let mut cluster = Simulated::settled(&[]);
    cluster.remove();
    cluster.take_step();
    let waiting = Condition::StillWaiting(Awaited::AgentRemoval {
        remaining: Some(2),
        away: BTreeSet::new(),
        finalizers: Vec::new(),
    });
    let outcome = ending(&mut cluster, vec![waiting]);
    check(
        &cluster,
        &outcome,
        &expect![[r#"
            active
            version: 1.31.1
            WARNING the removal is not complete: removing istio-cni-node, 2 pods left
            WARNING not removed: MutatingWebhookConfiguration istio-sidecar-injector-mesh
            WARNING not removed: ValidatingWebhookConfiguration istio-validator-mesh
            WARNING not removed: Deployment mesh/istiod
            WARNING not removed: HorizontalPodAutoscaler mesh/istiod
            WARNING not removed: ConfigMap mesh/istio
            WARNING not removed: ConfigMap mesh/istio-sidecar-injector
            WARNING not removed: ConfigMap mesh/values
            WARNING not removed: Service mesh/istiod
            WARNING not removed: ServiceAccount mesh/istio-reader-service-account
            WARNING not removed: ServiceAccount mesh/istiod
            WARNING not removed: ClusterRole istio-reader-clusterrole-mesh
            WARNING not removed: ClusterRole istiod-clusterrole-mesh
            WARNING not removed: ClusterRole istiod-gateway-controller-mesh
            WARNING not removed: ClusterRoleBinding istio-reader-clusterrole-mesh
            WARNING not removed: ClusterRoleBinding istiod-clusterrole-mesh
            WARNING not removed: ClusterRoleBinding istiod-gateway-controller-mesh
            WARNING not removed: Role mesh/istiod
            WARNING not removed: RoleBinding mesh/istiod
            WARNING to remove the rest: kubectl delete serviceaccounts,clusterroles,roles,clusterrolebindings,rolebindings,configmaps,secrets,services,deployments,daemonsets,horizontalpodautoscalers,poddisruptionbudgets,mutatingwebhookconfigurations,validatingwebhookconfigurations --namespace mesh --selector app.kubernetes.io/instance=pilot-mesh,app.kubernetes.io/part-of=istio
        "#]],
    );
}

#[test]
fn a_removal_that_was_refused_says_what_the_cluster_said() {
    let cluster = Simulated::settled(&[]);
    let refused = Condition::Refused(
        FailureKind::Forbidden("no".to_owned()),
        "deleting Deployment mesh/istiod: no".to_owned(),
    );
    let outcome = Outcome::without_cluster(Some(refused));
    check(
        &cluster,
        &outcome,
        &expect![[r#"
            active
            WARNING the removal is not complete: deleting Deployment mesh/istiod: no
            WARNING to remove the rest: kubectl delete serviceaccounts,clusterroles,roles,clusterrolebindings,rolebindings,configmaps,secrets,services,deployments,daemonsets,horizontalpodautoscalers,poddisruptionbudgets,mutatingwebhookconfigurations,validatingwebhookconfigurations --namespace mesh --selector app.kubernetes.io/instance=pilot-mesh,app.kubernetes.io/part-of=istio
        "#]],
    );
    let unreachable = Condition::Unreachable("no service account".to_owned());
    let outcome = Outcome::without_cluster(Some(unreachable));
    check(
        &cluster,
        &outcome,
        &expect![[r#"
            active
            WARNING the removal is not complete: no service account
            WARNING to remove the rest: kubectl delete serviceaccounts,clusterroles,roles,clusterrolebindings,rolebindings,configmaps,secrets,services,deployments,daemonsets,horizontalpodautoscalers,poddisruptionbudgets,mutatingwebhookconfigurations,validatingwebhookconfigurations --namespace mesh --selector app.kubernetes.io/instance=pilot-mesh,app.kubernetes.io/part-of=istio
        "#]],
    );
    let fault = Condition::AgentFault(AgentFault::Refused(PodRefusal::PodSecurity), Phase::On);
    let outcome = Outcome::without_cluster(Some(fault));
    check(
        &cluster,
        &outcome,
        &expect![[r#"
            active
            WARNING to remove the rest: kubectl delete serviceaccounts,clusterroles,roles,clusterrolebindings,rolebindings,configmaps,secrets,services,deployments,daemonsets,horizontalpodautoscalers,poddisruptionbudgets,mutatingwebhookconfigurations,validatingwebhookconfigurations --namespace mesh --selector app.kubernetes.io/instance=pilot-mesh,app.kubernetes.io/part-of=istio
        "#]],
    );
}

#[test]
fn istios_own_kinds_are_named_where_objects_of_them_are_left_and_by_their_group() {
    let mut cluster = Simulated::settled(&[]);
    cluster.remove();
    let outcome = ending(&mut cluster, vec![Condition::Unreachable("no".to_owned())]);
    let facts = Facts::of_removal(cluster.intent.identity.clone());
    let report = report(&facts, &cluster.intent, &outcome);
    let Some(LogLine::Warning(last)) = report.log.last() else {
        panic!("{:?}", report.log);
    };
    assert!(
        last.contains(",gateways.networking.istio.io --namespace"),
        "{last}"
    );
    assert!(!last.contains("envoyfilters"), "{last}");
}
