//! The endpoint `peers` (interface `istio_pilot_peers`): between the units of this application.
//!
//! Nothing has to pass between the units. The Python charm keeps here for which directories it last
//! reconciled, and acts on a difference, so they are kept for whoever goes back to it.

use juju::relation::{Bag, DatabagChanges, OwnBag, Relation};

use super::{Endpoint, Known, Publication, World};
use crate::intent::Intent;
use crate::intent::cni_paths::{CNI_BIN_DIR, CNI_CONF_DIR};

/// The endpoint.
pub(super) struct Peers;

impl Endpoint for Peers {
    fn name(&self) -> &'static str {
        "peers"
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::OwnUnit]
    }

    fn may_change_unseen(&self) -> bool {
        false
    }

    fn request(&self, _: &[Relation], _: &Known<'_>, _: &mut Intent) {}

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        let Some(mesh) = world.intent.mesh().filter(|_| world.leader) else {
            return Vec::new();
        };
        let paths = mesh.cni.paths();
        let wanted = DatabagChanges::from([
            (CNI_BIN_DIR.to_owned(), paths.map(|it| it.bin_dir.clone())),
            (CNI_CONF_DIR.to_owned(), paths.map(|it| it.conf_dir.clone())),
        ]);
        vec![Publication::new(relation, OwnBag::Unit, &wanted)]
    }
}

#[cfg(test)]
mod tests {
    use juju::relation::Databag;
    use serde_json::json;

    use super::*;
    use crate::intent::Target;
    use crate::intent::identity::Identity;
    use crate::intent::options::check;
    use crate::simulated::BOTH_PATHS;

    /// What the leader writes, and what a unit writes that does not lead.
    fn written(options: &[(&str, &str)], own: Databag) -> [Vec<DatabagChanges>; 2] {
        let options = options.iter();
        let options = options.map(|(key, value)| ((*key).to_owned(), json!(value)));
        let mut intent = Intent::nothing(Identity::new("pilot", "mesh"));
        intent.target = Target::Installed(check(&options.collect()).mesh.unwrap());
        let relation = Relation {
            own_unit: Some(own),
            ..Relation::new("peers:0".parse().unwrap())
        };
        [true, false].map(|leader| {
            let world = World::of(&intent, None, leader);
            let published = Peers.publish(&relation, &world).into_iter();
            published.map(|it| it.changes).collect()
        })
    }

    #[test]
    fn the_directories_of_the_last_reconcile_are_kept_as_the_python_charm_keeps_them() {
        let both = Databag::from(BOTH_PATHS);
        let change = |value: Option<&str>, other: Option<&str>| {
            let own = |it: &str| it.to_owned();
            DatabagChanges::from([
                ("cni-bin-dir".to_owned(), value.map(own)),
                ("cni-conf-dir".to_owned(), other.map(own)),
            ])
        };
        let all = change(Some("/opt/cni/bin"), Some("/etc/cni/net.d"));
        assert_eq!(
            written(&BOTH_PATHS, Databag::default()),
            [vec![all], vec![]]
        );
        assert_eq!(
            written(&[], both.clone()),
            [vec![change(None, None)], vec![]]
        );
        let nothing = DatabagChanges::new();
        assert_eq!(written(&BOTH_PATHS, both), [vec![nothing], vec![]]);
    }
}
