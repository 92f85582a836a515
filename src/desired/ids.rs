//! What an application may have made in a cluster, whatever it is asked for now.

use crate::istio::names::Names;
use crate::k8s::kind::{
    CLUSTER_ROLE, CLUSTER_ROLE_BINDING, CONFIG_MAP, DAEMON_SET, DEPLOYMENT,
    HORIZONTAL_POD_AUTOSCALER, Kind, MUTATING_WEBHOOK, ROLE, ROLE_BINDING, SERVICE,
    SERVICE_ACCOUNT, VALIDATING_WEBHOOK,
};
use crate::k8s::object::ObjectId;

/// The control plane and the node agent in a namespace: not Istio's definitions, which belong to
/// all, nor what relations ask for.
///
/// An object that has lost its labels is found by its name alone.
pub fn ids(namespace: &str) -> Vec<ObjectId> {
    let names = Names::new(namespace);
    let istiod = [names.istiod];
    let all: [(&Kind, &[&str]); 12] = [
        (&CONFIG_MAP, &names.config_maps()),
        (
            &SERVICE_ACCOUNT,
            &[names.istiod, names.reader_account, names.node_agent_account],
        ),
        (
            &CLUSTER_ROLE,
            &[
                &names.istiod_cluster_role,
                &names.gateway_controller_cluster_role,
                &names.reader_cluster_role,
                names.node_agent_account,
                names.node_agent_repair_role,
            ],
        ),
        (
            &CLUSTER_ROLE_BINDING,
            &[
                &names.istiod_cluster_role,
                &names.gateway_controller_cluster_role,
                &names.reader_cluster_role,
                names.node_agent_account,
                names.node_agent_repair_binding,
            ],
        ),
        (&ROLE, &istiod),
        (&ROLE_BINDING, &istiod),
        (&SERVICE, &istiod),
        (&DEPLOYMENT, &istiod),
        (&HORIZONTAL_POD_AUTOSCALER, &istiod),
        (&DAEMON_SET, &[names.node_agent]),
        (&MUTATING_WEBHOOK, &[&names.mutating_webhook]),
        (&VALIDATING_WEBHOOK, &[&names.validating_webhook]),
    ];
    let of_kind = |(kind, names): (&Kind, &[&str])| {
        let ids = names
            .iter()
            .map(|name| ObjectId::new(kind, namespace, name));
        ids.collect::<Vec<_>>()
    };
    all.into_iter().flat_map(of_kind).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::k8s::kind::{CUSTOM_RESOURCE_DEFINITION, GATEWAY};
    use crate::simulated::{BOTH_PATHS, Simulated};

    #[test]
    fn they_are_those_of_everything_that_is_rendered() {
        let everything = Simulated::settled(&BOTH_PATHS).live;
        let rendered = everything.into_keys();
        let rendered: BTreeSet<_> = rendered
            .filter(|id| !id.is(&CUSTOM_RESOURCE_DEFINITION) && !id.is(&GATEWAY))
            .collect();
        assert_eq!(ids("mesh").into_iter().collect::<BTreeSet<_>>(), rendered);
    }
}
