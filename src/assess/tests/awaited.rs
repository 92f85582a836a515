//! What people read of what is awaited.

use super::*;
use crate::assess::awaited::{Awaited, IstiodProgress};
use crate::cni::acknowledgement::Holding;
use crate::cni::stragglers::SlowestWebhook;
use crate::k8s::object::ObjectId;
use crate::k8s::rollout::Counts;

fn istiod(progress: IstiodProgress, reason: Option<&str>) -> Awaited {
    let reason = reason.map(str::to_owned);
    Awaited::Istiod {
        progress,
        reason,
        refusal: None,
    }
}

fn counted(updated: i64, available: i64) -> IstiodProgress {
    IstiodProgress::Counted(Counts {
        wanted: 2,
        updated,
        available,
        old: 0,
    })
}

fn nodes(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|it| (*it).to_owned()).collect()
}

fn nodes_away(names: &[&str]) -> Awaited {
    Awaited::NodesAway {
        nodes: nodes(names),
        stays: "the CNI node agent stays",
    }
}

fn agent_removal(remaining: Option<usize>, away: &[&str], finalizers: &[&str]) -> Awaited {
    Awaited::AgentRemoval {
        remaining,
        away: nodes(away),
        finalizers: finalizers.iter().map(|it| (*it).to_owned()).collect(),
    }
}

fn rollout(reason: Option<String>) -> Awaited {
    Awaited::AgentRollout {
        ready: 1,
        desired: 3,
        reason,
    }
}

/// Everything that can be awaited.
fn all() -> Vec<Awaited> {
    let names = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect();
    let deletion = |count: usize| {
        let names = ["a", "b", "c", "d", "e"].into_iter().take(count);
        Awaited::Deletion {
            ids: names
                .map(|it| ObjectId::new(&DEPLOYMENT, "mesh", it))
                .collect(),
            finalizers: Vec::new(),
        }
    };
    vec![
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
        Awaited::OtherControlPlanes(vec![ObjectId::new(&DEPLOYMENT, "canary", "istiod-canary")]),
        Awaited::PodsInNeed {
            pods: names(&["shop/a", "shop/b", "shop/c", "shop/d"]),
            reason: "starting".to_owned(),
        },
        Awaited::Stragglers(SlowestWebhook {
            name: None,
            timeout: Duration::from_secs(1),
        }),
        Awaited::Stragglers(SlowestWebhook {
            name: Some("kyverno".to_owned()),
            timeout: Duration::from_secs(10),
        }),
        nodes_away(&["n1"]),
        nodes_away(&["n1", "n2"]),
        agent_removal(None, &[], &[]),
        agent_removal(Some(2), &[], &[]),
        agent_removal(Some(1), &["n3"], &[]),
        agent_removal(Some(0), &[], &["example.test/hold"]),
        deletion(1),
        deletion(5),
    ]
}

#[test]
fn each_says_how_far_it_is_and_why_no_further() {
    let all = all();
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
        the CNI node agent stays, as it serves Deployment canary/istiod-canary too (switch their CNI off first: pilot.cni.enabled=false)
        pods that still need the CNI node agent: shop/a, shop/b, shop/c (+1 more) (starting)
        looking once more for pods that need the CNI node agent
        looking for pods that the webhook kyverno may hold for up to 10 s
        the CNI node agent stays, as n1 is not Ready (bring it back, or: kubectl delete node n1)
        the CNI node agent stays, as n1, n2 are not Ready (bring them back, or: kubectl delete node n1)
        removing istio-cni-node
        removing istio-cni-node, 2 pods left
        removing istio-cni-node, 1 pod left (n3 is not Ready; bring it back, or: kubectl delete node n3)
        removing istio-cni-node (kept by the finalizer example.test/hold: what set it has to take it off)
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
    assert_eq!(long.reason().map(|it| it.len()), Some(201));
    let cut = format!("istio-cni-node 1/3 nodes ({}…)", "x".repeat(200));
    assert_eq!(long.to_string(), cut);
}

#[test]
fn what_nodes_can_bring_about_depends_on_them() {
    assert!(nodes_away(&["n1"]).depends_on_nodes());
    assert!(agent_removal(None, &["n1"], &[]).depends_on_nodes());
    assert!(!agent_removal(Some(1), &[], &[]).depends_on_nodes());
    assert!(!rollout(None).depends_on_nodes());
}
