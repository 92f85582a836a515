//! Each request as it leaves.

use std::iter;

use expect_test::{Expect, expect};

use super::*;
use crate::cluster::watch::Watched;
use crate::cluster::write::{Mode, OnConflict};
use crate::k8s::kind;

/// Sends one request, and compares it as a text.
async fn check<T>(send: impl AsyncFnOnce(&Cluster) -> T, expected: &Expect) {
    let (cluster, requests) = answering(iter::once((200, service().into_value())));
    send(&cluster).await;
    expected.assert_eq(&requests.lock().unwrap().join("\n"));
}

#[tokio::test]
async fn what_is_read_names_what_it_selects() {
    let id = service().id().clone();
    check(async |it| it.version().await, &expect!["GET /version"]).await;
    check(
        async |it| it.get(&id).await,
        &expect!["GET /api/v1/namespaces/mesh/services/istiod"],
    )
    .await;
    let selector = Selector {
        labels: "app=istiod,istio=pilot",
        fields: "status.phase=Pending",
    };
    let ours = Scope::Namespace("mesh");
    check(
        async |it| it.list(&kind::POD, ours, selector).await,
        &expect!["GET /api/v1/namespaces/mesh/pods?&fieldSelector=status.phase%3DPending&labelSelector=app%3Distiod%2Cistio%3Dpilot&limit=100"],
    )
    .await;
    let all = Selector::default();
    check(
        async |it| it.list(&kind::CLUSTER_ROLE, Scope::Cluster, all).await,
        &expect!["GET /apis/rbac.authorization.k8s.io/v1/clusterroles?&limit=500"],
    )
    .await;
    check(
        async |it| {
            it.last_lines("agent-1", "install-cni", Run::Current, 20)
                .await
        },
        &expect![
            "GET /api/v1/namespaces/mesh/pods/agent-1/log?&container=install-cni&limitBytes=65536&tailLines=20"
        ],
    )
    .await;
    check(
        async |it| {
            it.last_lines("agent-1", "install-cni", Run::Crashed, 20)
                .await
        },
        &expect!["GET /api/v1/namespaces/mesh/pods/agent-1/log?&container=install-cni&limitBytes=65536&previous=true&tailLines=20"],
    )
    .await;
}

#[tokio::test]
async fn what_is_asked_beyond_objects_has_paths_of_its_own() {
    let question = json!({"kind": "AdmissionReview"});
    check(
        async |it| {
            it.ask_pod("mesh", "istiod-1", 15017, "inject", &question)
                .await
        },
        &expect![[r#"
            POST /api/v1/namespaces/mesh/pods/https:istiod-1:15017/proxy/inject
            application/json {"kind":"AdmissionReview"}"#]],
    )
    .await;
    let definition = definition();
    check(
        async |it| it.has_custom_resources(&definition).await,
        &expect!["GET /apis/networking.istio.io/v1/gateways?&limit=1"],
    )
    .await;
    let watched = Watched {
        kind: kind::DAEMON_SET,
        namespace: Some("mesh".to_owned()),
        labels: "k8s-app=istio-cni-node".to_owned(),
        fields: String::new(),
        resource_version: "7".to_owned(),
    };
    check(async |it| it.wait_for_event(&watched).await, &expect!["GET /apis/apps/v1/namespaces/mesh/daemonsets?&watch=true&timeoutSeconds=290&labelSelector=k8s-app%3Distio-cni-node&resourceVersion=7"]).await;
}

#[tokio::test]
async fn what_is_written_says_by_whom_and_how() {
    let object = service();
    check(
        async |it| it.apply(&object, Mode::DryRun, OnConflict::Take).await,
        &expect![[r#"
            PATCH /api/v1/namespaces/mesh/services/istiod?&dryRun=All&force=true&fieldManager=istio-pilot&fieldValidation=Strict
            application/apply-patch+yaml {"apiVersion":"v1","kind":"Service","metadata":{"name":"istiod","namespace":"mesh","resourceVersion":"7"}}"#]],
    )
    .await;
    check(
        async |it| it.apply(&object, Mode::Write, OnConflict::Fail).await,
        &expect![[r#"
            PATCH /api/v1/namespaces/mesh/services/istiod?&fieldManager=istio-pilot&fieldValidation=Strict
            application/apply-patch+yaml {"apiVersion":"v1","kind":"Service","metadata":{"name":"istiod","namespace":"mesh","resourceVersion":"7"}}"#]],
    )
    .await;
    check(
        async |it| it.set_managed_fields(&object, json!([])).await,
        &expect![[r#"
            PATCH /api/v1/namespaces/mesh/services/istiod?
            application/merge-patch+json {"metadata":{"managedFields":[],"resourceVersion":"7"}}"#]],
    )
    .await;
    check(
        async |it| it.delete(object.id(), "uid-1").await,
        &expect![[r#"
            DELETE /api/v1/namespaces/mesh/services/istiod?
            application/json {"propagationPolicy":"Background","preconditions":{"uid":"uid-1"}}"#]],
    )
    .await;
    check(
        async |it| {
            it.restart(&kind::DEPLOYMENT, "shop", "cart", "2026-01-01T00:00:00Z")
                .await
        },
        &expect![[r#"
            PATCH /apis/apps/v1/namespaces/shop/deployments/cart?&fieldManager=istio-pilot-restart
            application/merge-patch+json {"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-01-01T00:00:00Z"}}}}}"#]],
    )
    .await;
}
