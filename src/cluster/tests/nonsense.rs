//! Answers that are not what was asked for.

use std::iter;

use k8s_openapi::api::core::v1::Pod;

use super::*;
use crate::cluster::error::FailureKind;
use crate::cluster::list::Part;
use crate::cluster::write::{Mode, OnConflict};
use crate::k8s::kind;

/// None of these is an object.
fn no_objects() -> [Value; 4] {
    [json!("text"), json!(7), json!(null), json!([1])]
}

/// An object of which nothing can be read.
fn empty() -> Value {
    json!({})
}

fn answered(answer: Value) -> Cluster {
    answering(iter::repeat((200, answer))).0
}

#[track_caller]
fn assert_unreadable<T: std::fmt::Debug>(result: Result<T, ClusterError>, answer: &Value) {
    let error = result.expect_err(&answer.to_string());
    let unexpected = matches!(error.kind(), FailureKind::Unexpected(_));
    assert!(unexpected, "{answer}: {error}");
}

#[tokio::test]
async fn what_is_not_an_object_is_an_error() {
    let service = service();
    for answer in no_objects().into_iter().chain([empty()]) {
        let cluster = answered(answer.clone());
        assert_unreadable(cluster.version().await, &answer);
        assert_unreadable(cluster.get(service.id()).await, &answer);
        let applied = cluster.apply(&service, Mode::Write, OnConflict::Fail);
        assert_unreadable(applied.await, &answer);
        let changed = cluster.set_managed_fields(&service, json!([]));
        assert_unreadable(changed.await, &answer);
    }
}

#[tokio::test]
async fn what_is_not_a_list_is_an_error() {
    let all = Selector::default();
    let pages = no_objects().into_iter().chain([empty()]);
    let wrong_items = [json!("text"), json!({}), json!([1])];
    let wrong_items = wrong_items
        .into_iter()
        .chain(no_objects().map(|it| json!([it])));
    let pages = pages.chain(wrong_items.map(|items| json!({"metadata": {}, "items": items})));
    for answer in pages {
        let cluster = answered(answer.clone());
        let objects = cluster.list(&kind::POD, Scope::Cluster, all);
        assert_unreadable(objects.await, &answer);
        let pods = cluster.list_kept(&kind::POD, Scope::Cluster, all, Part::Whole, Some::<Pod>);
        assert_unreadable(pods.await, &answer);
    }
}

#[tokio::test]
async fn what_is_not_a_list_does_not_say_that_a_definition_is_unused() {
    let definition = definition();
    for answer in no_objects().into_iter().chain([empty()]) {
        let cluster = answered(answer.clone());
        let used = cluster.has_custom_resources(&definition).await;
        assert_unreadable(used, &answer);
    }
}

#[tokio::test]
async fn an_empty_list_may_be_null() {
    let cluster = answered(json!({"metadata": {"resourceVersion": "7"}, "items": null}));
    let listing = cluster.list(&kind::POD, Scope::Cluster, Selector::default());
    assert_eq!(listing.await.unwrap().items, []);
    assert!(!cluster.has_custom_resources(&definition()).await.unwrap());
}

#[tokio::test]
async fn what_is_no_json_does_not_come_from_the_server_which_is_away() {
    for (code, text) in [
        (200, "<html><body>Please sign in</body></html>"),
        (200, ""),
        (200, r#"{"items": ["#),
        (503, "<html>no backend</html>"),
        (
            500,
            r#"{"kind": "Status", "message": "something", "reason": "Other"}"#,
        ),
    ] {
        let answers = iter::repeat((code, text.to_owned()));
        let error = answering_text(answers).0.version().await.unwrap_err();
        assert!(error.is_transient(), "{code} {text}: {error:?}");
    }
}
