//! Lists that come in pages, some of which do not come.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use k8s_openapi::api::core::v1::Pod;
use serde::{Deserialize, Deserializer};

use super::*;
use crate::cluster::list::Part;
use crate::k8s::kind;

/// A cluster that gives these answers in turn, and the requests that it got.
fn scripted(answers: Vec<(u16, Value)>) -> (Cluster, Arc<Mutex<Vec<String>>>) {
    answering(answers.into_iter())
}

fn page(names: &[&str], state: &str, next: &str) -> (u16, Value) {
    let items: Vec<_> = names
        .iter()
        .map(|name| json!({"metadata": {"name": name, "namespace": "mesh"}}))
        .collect();
    let metadata = json!({"resourceVersion": state, "continue": next});
    (200, json!({"metadata": metadata, "items": items}))
}

fn failure(code: u16, reason: &str) -> (u16, Value) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "message": format!("in words: {reason}"), "reason": reason, "code": code});
    (code, status)
}

/// The names in a list, and its state.
async fn listed(cluster: &Cluster) -> Result<(Vec<String>, String), ClusterError> {
    let ours = Scope::Namespace("mesh");
    let selector = Selector {
        labels: "app=istiod",
        fields: "",
    };
    let listing = cluster.list(&kind::POD, ours, selector).await?;
    let names = listing.items.iter().map(|it| it.id().name.clone());
    Ok((names.collect(), listing.resource_version))
}

#[tokio::test]
async fn pages_are_one_list() {
    let (cluster, requests) = scripted(vec![page(&["a", "b"], "7", "next"), page(&["c"], "7", "")]);
    let (names, state) = listed(&cluster).await.unwrap();
    assert_eq!((names.join(" "), state.as_str()), ("a b c".to_owned(), "7"));
    assert_eq!(
        *requests.lock().unwrap(),
        [
            "GET /api/v1/namespaces/mesh/pods?&labelSelector=app%3Distiod&limit=100",
            "GET /api/v1/namespaces/mesh/pods?&labelSelector=app%3Distiod&limit=100&continue=next",
        ]
    );
}

#[tokio::test]
async fn a_list_whose_next_page_is_gone_is_begun_again_in_pages() {
    let (cluster, requests) = scripted(vec![
        page(&["a", "b"], "7", "next"),
        failure(410, "Expired"),
        page(&["b", "c", "d"], "9", ""),
    ]);
    let (names, state) = listed(&cluster).await.unwrap();
    assert_eq!((names.join(" "), state.as_str()), ("b c d".to_owned(), "9"));
    assert_eq!(
        requests.lock().unwrap()[2],
        "GET /api/v1/namespaces/mesh/pods?&labelSelector=app%3Distiod&limit=100"
    );
}

#[tokio::test]
async fn a_kind_that_does_not_exist_has_no_objects() {
    let (cluster, _) = scripted(vec![failure(404, "NotFound")]);
    assert_eq!(listed(&cluster).await.unwrap().0, Vec::<String>::new());
    // It may go while it is read.
    let (cluster, _) = scripted(vec![
        page(&["a"], "7", "next"),
        failure(404, "NotFound"),
        failure(404, "NotFound"),
    ]);
    assert_eq!(listed(&cluster).await.unwrap().0, Vec::<String>::new());
}

#[tokio::test]
async fn a_list_that_is_gone_for_good_is_not_an_empty_list() {
    let gone = || failure(410, "Expired");
    let answers = (0..4).flat_map(|_| [page(&["a"], "7", "next"), gone()]);
    let (cluster, requests) = scripted(answers.collect());
    let error = listed(&cluster).await.unwrap_err();
    assert!(error.is_transient() && !error.is_not_found(), "{error:?}");
    assert_eq!(requests.lock().unwrap().len(), 8, "three times again");
}

#[tokio::test]
async fn a_list_that_is_begun_again_keeps_nothing_of_before() {
    let (cluster, _) = scripted(vec![
        page(&["a", "b"], "7", "next"),
        failure(410, "Expired"),
        page(&["b", "c"], "9", ""),
    ]);
    let all = Selector::default();
    let name = |pod: Pod| pod.metadata.name.filter(|it| it != "c");
    let kept = cluster.list_kept(&kind::POD, Scope::Cluster, all, Part::Whole, name);
    assert_eq!(kept.await.unwrap().items, ["b"]);
}

/// An object that is counted while it is in memory.
struct Counted;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        MOST.fetch_max(NOW.fetch_add(1, SeqCst) + 1, SeqCst);
        Ok(Self)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        NOW.fetch_sub(1, SeqCst);
    }
}

#[tokio::test]
async fn one_page_at_a_time_is_in_memory() {
    let (cluster, _) = scripted(vec![
        page(&["a", "b"], "7", "next"),
        page(&["c", "d"], "7", "last"),
        page(&["e"], "7", ""),
    ]);
    let all = Selector::default();
    let keep = |_: Counted| Some(());
    let kept = cluster.list_kept(&kind::POD, Scope::Cluster, all, Part::Whole, keep);
    assert_eq!(kept.await.unwrap().items.len(), 5);
    assert_eq!(MOST.load(SeqCst), 2);
}

#[tokio::test]
async fn metadata_alone_can_be_asked_for() {
    let (cluster, requests) = scripted(vec![page(&["a"], "7", "")]);
    let all = Selector::default();
    let name = |read: Pod| read.metadata.name;
    let kept = cluster.list_kept(
        &kind::REPLICA_SET,
        Scope::Cluster,
        all,
        Part::Metadata,
        name,
    );
    assert_eq!(kept.await.unwrap().items, ["a"]);
    assert_eq!(
        requests.lock().unwrap()[0],
        "GET /apis/apps/v1/replicasets?&limit=500 \
         as application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1\napplication/json "
    );
}
