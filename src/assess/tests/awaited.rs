//! What people read of what is awaited.

use super::*;
use crate::assess::awaited::{Awaited, IstiodProgress};
use crate::cni::acknowledgement::Holding;
use crate::k8s::object::ObjectId;
use crate::k8s::rollout::Counts;

fn istiod(progress: IstiodProgress, reason: Option<&str>) -> Awaited {
    let reason = reason.map(str::to_owned);
    Awaited::Istiod { progress, reason }
}

fn counted(updated: i64, available: i64) -> IstiodProgress {
    IstiodProgress::Counted(Counts {
        wanted: 2,
        updated,
        available,
        old: 0,
    })
}

fn rollout(reason: Option<String>) -> Awaited {
    Awaited::AgentRollout {
        ready: 1,
        desired: 3,
        reason,
    }
}

#[test]
fn each_says_how_far_it_is_and_why_no_further() {
    let names = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect();
    let deletion = |count: usize| {
        let names = ["a", "b", "c", "d", "e"].into_iter().take(count);
        Awaited::Deletion(
            names
                .map(|it| ObjectId::new(&DEPLOYMENT, "mesh", it))
                .collect(),
        )
    };
    let all = [
        Awaited::Definition("gateways.networking.istio.io".to_owned()),
        istiod(IstiodProgress::Missing, None),
        istiod(IstiodProgress::NotBegun, None),
        istiod(counted(1, 2), None),
        istiod(counted(2, 1), Some("ImagePullBackOff: no such image")),
        Awaited::AgentCreation,
        rollout(None),
        rollout(Some("n1: starting".to_owned())),
        Awaited::InjectionChange,
        Awaited::Acknowledgement(Holding::NotTakenUp("istiod-1".to_owned())),
        Awaited::Acknowledgement(Holding::Silent("istiod-1".to_owned())),
        Awaited::Acknowledgement(Holding::NoneReady),
        Awaited::PodsInNeed {
            pods: names(&["shop/a", "shop/b", "shop/c", "shop/d"]),
            reason: "starting".to_owned(),
        },
        Awaited::Stragglers,
        Awaited::AgentRemoval { remaining: 2 },
        deletion(1),
        deletion(5),
    ];
    let lines = all.iter().map(|it| format!("{it}\n"));
    expect![[r#"
        gateways.networking.istio.io not established yet
        istiod not created yet
        istiod rollout not begun
        istiod 1/2 ready
        istiod 1/2 ready (ImagePullBackOff: no such image)
        istio-cni-node is not created yet
        istio-cni-node 1/3 nodes
        istio-cni-node 1/3 nodes (n1: starting)
        the injection configuration changes
        istiod-1 has not taken up the change yet
        istiod-1 does not say what it injects
        no istiod is ready
        pods that still need the CNI node agent: shop/a, shop/b, shop/c (+1 more) (starting)
        looking once more for pods that need the CNI node agent
        removing istio-cni-node (2 pods left)
        deleting Deployment mesh/a
        deleting Deployment mesh/a, Deployment mesh/b, Deployment mesh/c (+2 more)
    "#]]
    .assert_eq(&lines.collect::<String>());
    for awaited in all {
        let shown = awaited.to_string();
        let progress = awaited.progress();
        match awaited.reason() {
            Some(reason) => assert_eq!(shown, format!("{progress} ({reason})")),
            None => assert_eq!(shown, progress),
        }
    }
}

#[test]
fn a_long_reason_is_cut_where_a_status_shows_it() {
    let long = rollout(Some("x".repeat(201)));
    assert_eq!(long.reason().map(str::len), Some(201));
    let cut = format!("istio-cni-node 1/3 nodes ({}…)", "x".repeat(200));
    assert_eq!(long.to_string(), cut);
}
