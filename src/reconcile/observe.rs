//! Reads from the cluster what a decision needs.

use std::collections::BTreeSet;
use std::iter;

use futures::future::join;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;

use super::answer::answer;
use super::watches::Watches;
use crate::assess::question::open_question;
use crate::cluster::error::ClusterError;
use crate::cluster::{Cluster, Scope, Selector};
use crate::desired::Desired;
use crate::desired::ids::ids;
use crate::intent::identity::Identity;
use crate::k8s::kind::{self, KINDS, Kind, Managed, Read};
use crate::k8s::labels;
use crate::k8s::object::{Object, ObjectId};
use crate::k8s::slim;
use crate::observed::Observed;
use crate::observed::collection::Collection;
use crate::step::journal::Journal;

/// How many requests are in flight at once.
pub(super) const AT_ONCE: usize = 4;

/// Selects the istiod pods of the default revision, as their Service does; the pods of other
/// revisions have other labels.
const OUR_ISTIODS: &str = "app=istiod,istio=pilot";

/// Reads everything that has to be known to assess the cluster.
///
/// # Errors
/// When the server does not answer or refuses.
pub(super) async fn observe(
    cluster: &Cluster,
    desired: &Desired<'_>,
    journal: &mut Journal,
    began: Instant,
) -> Result<(Observed, Watches), ClusterError> {
    let (mut observed, mut watches) = read(cluster, &desired.intent().identity).await?;
    add_unlabelled(cluster, desired, &mut observed).await?;
    observed.overdue = journal.overdue(began.elapsed());
    observed.attempts = journal.attempts().clone();
    loop {
        let now = began.elapsed();
        observed.drain.acknowledged_for = journal.acknowledged_for(now);
        let takes_long = journal.takes_long(now);
        let Some(question) = open_question(desired, &observed, takes_long) else {
            return Ok((observed, watches));
        };
        let answer = answer(cluster, question, &observed, journal, &mut watches, began).await?;
        answer.enter(&mut observed);
    }
}

/// Reads what is always read.
async fn read(cluster: &Cluster, identity: &Identity) -> Result<(Observed, Watches), ClusterError> {
    let mut watches = Watches::default();
    let mut observed = Observed {
        namespace: identity.namespace().to_owned(),
        ..Observed::default()
    };
    let read = |kind: &'static Kind| async move {
        let labels = selector_of(kind, identity);
        let scope = scope_of(kind, identity);
        let selector = Selector::of_labels(&labels);
        let listing = cluster.list(kind, scope, selector).await?;
        Ok::<_, ClusterError>((kind, scope, labels, listing))
    };
    // The definitions are most of the bytes, and come late: they do not hold back the others.
    let [definitions, others @ ..] = &KINDS;
    let others = stream::iter(others.iter().map(read)).buffered(AT_ONCE - 1);
    let (definitions, others) = join(read(definitions), others.try_collect::<Vec<_>>()).await;
    for (kind, scope, labels, listing) in iter::once(definitions?).chain(others?) {
        let (collection, selector) = (Collection::Kind(*kind), Selector::of_labels(&labels));
        watches.add(collection, kind, scope, selector, listing.resource_version);
        observed.add(listing.items);
    }
    let istiods = Selector::of_labels(OUR_ISTIODS);
    let ours = Scope::Namespace(cluster.namespace());
    observed.istiods = watches
        .list(
            cluster,
            Collection::Istiods,
            &kind::POD,
            ours,
            istiods,
            |it| Some(slim::pod(it)),
        )
        .await?;
    Ok((observed, watches))
}

/// Which objects of a kind are read.
fn selector_of(kind: &Kind, identity: &Identity) -> String {
    match kind.managed.map(|Managed { read, .. }| read) {
        Some(Read::OfCharm) => format!("{}={}", labels::PART_OF, labels::PART_OF_VALUE),
        Some(Read::Everywhere(labels)) => labels.to_owned(),
        Some(Read::OfApplication) | None => {
            format!("{}={}", labels::INSTANCE, identity.instance())
        }
    }
}

/// Where objects of a kind are read.
fn scope_of<'a>(kind: &Kind, identity: &'a Identity) -> Scope<'a> {
    let everywhere = matches!(
        kind.managed,
        Some(Managed {
            read: Read::Everywhere(_),
            ..
        })
    );
    if kind.namespaced && !everywhere {
        Scope::Namespace(identity.namespace())
    } else {
        Scope::Cluster
    }
}

/// Reads objects of ours that exist without our labels: those that are desired, and those that may be
/// left of what was desired before.
async fn add_unlabelled(
    cluster: &Cluster,
    desired: &Desired<'_>,
    observed: &mut Observed,
) -> Result<(), ClusterError> {
    let objects = desired.settled().objects().iter();
    let mut missing: BTreeSet<ObjectId> = objects.map(Object::id).cloned().collect();
    missing.extend(ids(cluster.namespace()));
    missing.retain(|id| !observed.live.contains_key(id));
    let reads = missing.iter().map(|id| cluster.get(id));
    let found = stream::iter(reads).buffered(AT_ONCE);
    let found: Vec<Option<Object>> = found.try_collect().await?;
    observed.add(found.into_iter().flatten());
    Ok(())
}
