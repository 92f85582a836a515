//! The objects of one application at one moment.

use std::collections::BTreeSet;

use crate::intent::identity::Identity;
use crate::k8s::kind::{DAEMON_SET, Kind};
use crate::k8s::labels;
use crate::k8s::object::Object;

/// The objects that should exist at one moment, in the order of application. Each is labelled as
/// this application's: the only constructor does that.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    pub(super) objects: Vec<Object>,
    closed: BTreeSet<&'static str>,
}

impl Wanted {
    /// The objects of an application: puts its labels on them and sorts them by
    /// [`Wave`](crate::k8s::kind::Wave).
    pub fn new(mut objects: Vec<Object>, identity: &Identity) -> Self {
        for object in &mut objects {
            labels::stamp(object, identity.instance());
        }
        objects.sort_by_key(|object| object.id().wave());
        Self {
            objects,
            closed: BTreeSet::new(),
        }
    }

    /// The same, but other objects of that kind have to be deleted before anything else happens.
    #[must_use]
    pub fn closing(mut self, kind: &Kind) -> Self {
        self.closed.insert(kind.kind);
        self
    }

    /// The same with these objects in place of all of that kind.
    #[must_use]
    pub(super) fn with_others_of(
        &self,
        kind: &Kind,
        others: Vec<Object>,
        identity: &Identity,
    ) -> Self {
        let rest = self.objects.iter().filter(|it| !it.is(kind));
        let closed = self.closed.clone();
        Self {
            closed,
            ..Self::new(rest.cloned().chain(others).collect(), identity)
        }
    }

    /// Whether an object that is not wanted has to be deleted before anything else happens.
    pub fn closes(&self, live: &Object) -> bool {
        self.closed.contains(live.kind())
    }

    /// The objects.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// The node agent's DaemonSet, if it is wanted.
    pub fn daemon_set(&self) -> Option<&Object> {
        self.objects.iter().find(|it| it.is(&DAEMON_SET))
    }
}
