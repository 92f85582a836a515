//! From stale pods to workloads, and what may be restarted.

use super::super::keeper::Keeper;
use super::super::workload::{Choice, Restart, Workload, has_rollouts, kinds_to_read, workloads};
use super::*;
use crate::k8s::kind::{DAEMON_SET, DEPLOYMENT, JOB, REPLICA_SET, STATEFUL_SET};

/// The workloads of pods that all have istio-init while the CNI is on.
fn found(pods: &[Value], objects: &[Value]) -> Vec<Workload> {
    let pods: Vec<_> = pods.iter().filter_map(|pod| stale_pod(pod, ON)).collect();
    let keepers: Vec<_> = objects.iter().map(keeper).collect();
    workloads(&pods, &keepers)
}

/// What is read of an object.
fn keeper(object: &Value) -> Keeper {
    let mut kinds = [REPLICA_SET, JOB, DEPLOYMENT, STATEFUL_SET, DAEMON_SET].into_iter();
    let kind = kinds.find(|kind| object["kind"] == kind.kind).unwrap();
    Keeper::new(&kind, serde_json::from_value(object.clone()).unwrap())
}

fn owned(name: &str, owners: &Value) -> Value {
    let pod = pod(name, "istio-init", "1.31.1");
    changed(pod, &[("/metadata/ownerReferences", owners.clone())])
}

fn kept(api_version: &str, kind: &str, name: &str) -> Value {
    owned(
        &format!("{name}-0"),
        &json!([owner(api_version, kind, name)]),
    )
}

fn live(api_version: &str, kind: &str, name: &str, owners: &Value, spec: &Value) -> Value {
    json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {"name": name, "namespace": "shop", "ownerReferences": owners},
        "spec": spec,
    })
}

#[test]
fn pods_are_put_together_as_the_workload_at_the_top() {
    let pods = [
        pod("cart-1", "istio-init", "1.31.1"),
        pod("cart-2", "istio-init", "1.29.2"),
        kept("apps/v1", "StatefulSet", "db"),
        kept("apps/v1", "DaemonSet", "log"),
        kept("batch/v1", "Job", "report-28"),
        owned("debug", &json!([])),
        pod("current", "istio-validation", "1.31.1"),
    ];
    let deployment = json!([owner("apps/v1", "Deployment", "cart")]);
    let cron_job = json!([owner("batch/v1", "CronJob", "report")]);
    let objects = [
        live(
            "apps/v1",
            "ReplicaSet",
            "cart-7d9f",
            &deployment,
            &json!({}),
        ),
        live("batch/v1", "Job", "report-28", &cron_job, &json!({})),
    ];
    let found = found(&pods, &objects);
    let expected = [
        "NAMESPACE  WORKLOAD         PODS  WHY                           RESTART",
        "shop       Pod/debug        1     has istio-init                no: a bare pod; delete and \
         create it yourself",
        "shop       DaemonSet/log    1     has istio-init                yes",
        "shop       Deployment/cart  2     has istio-init, proxy 1.29.2  yes",
        "shop       StatefulSet/db   1     has istio-init                yes",
        "shop       CronJob/report   1     has istio-init                no: its next run gets what \
         is new",
    ];
    assert_eq!(to_table(&found), expected.join("\n"));
    let list: Value = serde_json::from_str(&to_json(&found)).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 5);
    let cart = json!({
        "namespace": "shop", "kind": "Deployment", "name": "cart", "pods": 2,
        "why": ["has istio-init", "proxy 1.29.2"], "restart": true,
    });
    assert_eq!(list[2], cart);
}

#[test]
fn only_kinds_that_keep_stale_pods_are_read() {
    let stale = |values: &[Value]| {
        values
            .iter()
            .filter_map(|pod| stale_pod(pod, ON))
            .collect::<Vec<_>>()
    };
    let kinds = |values: &[Value]| {
        let kinds = kinds_to_read(&stale(values));
        kinds.iter().map(|it| it.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&[]), Vec::<&str>::new());
    assert_eq!(kinds(&[owned("a", &json!([]))]), Vec::<&str>::new());
    let deployment = pod("a", "istio-init", "1.31.1");
    assert_eq!(kinds(&[deployment]), ["Deployment", "ReplicaSet"]);
    assert_eq!(kinds(&[kept("batch/v1", "Job", "a")]), ["Job"]);
    // Another project's kind of the same name.
    assert_eq!(
        kinds(&[kept("apps.kruise.io/v1", "StatefulSet", "a")]),
        Vec::<&str>::new()
    );
}

#[test]
fn what_has_no_rollouts_is_only_listed() {
    let restart = |pod: Value, objects: &[Value]| found(&[pod], objects).remove(0).restart;
    let rollout = json!([owner("argoproj.io/v1alpha1", "Rollout", "cart")]);
    let argo = live("apps/v1", "ReplicaSet", "cart-7d9f", &rollout, &json!({}));
    let plain = live("apps/v1", "ReplicaSet", "cart-7d9f", &json!([]), &json!({}));
    let cart = || pod("cart-1", "istio-init", "1.31.1");
    let texts = [
        restart(cart(), &[argo]),
        restart(cart(), &[plain]),
        restart(kept("apps.kruise.io/v1", "StatefulSet", "db"), &[]),
        restart(kept("v1", "ReplicationController", "old"), &[]),
        restart(kept("batch/v1", "Job", "once"), &[]),
    ];
    for restart in texts {
        assert!(matches!(restart, Restart::No(_)), "{restart}");
    }
}

#[test]
fn a_workload_that_would_keep_its_pods_is_not_restarted() {
    let db = |strategy: &Value| {
        let spec = json!({"updateStrategy": strategy});
        let objects = [live("apps/v1", "StatefulSet", "db", &json!([]), &spec)];
        found(&[kept("apps/v1", "StatefulSet", "db")], &objects)
            .remove(0)
            .restart
    };
    assert!(db(&json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})).is_possible());
    let held = db(&json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}));
    assert!(held.to_string().contains("partition"), "{held}");
    let by_hand = db(&json!({"type": "OnDelete"}));
    assert!(by_hand.to_string().contains("OnDelete"), "{by_hand}");
    let owners = json!([owner("apps/v1", "Deployment", "cart")]);
    let objects = [
        live("apps/v1", "ReplicaSet", "cart-7d9f", &owners, &json!({})),
        live(
            "apps/v1",
            "Deployment",
            "cart",
            &json!([]),
            &json!({"paused": true}),
        ),
    ];
    let paused = found(&[pod("cart-1", "istio-init", "1.31.1")], &objects)
        .remove(0)
        .restart;
    assert!(
        paused.to_string().contains("kubectl rollout resume"),
        "{paused}"
    );
}

#[test]
fn a_long_list_ends_with_how_many_more_there_are() {
    let pods: Vec<_> = (0..260)
        .map(|number| owned(&format!("p{number:03}"), &json!([])))
        .collect();
    let found = found(&pods, &[]);
    let table = to_table(&found);
    assert!(table.ends_with("\n(+60 more)"), "{table}");
    assert_eq!(table.lines().count(), 202);
    let list: Value = serde_json::from_str(&to_json(&found)).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 200);
    assert_eq!(to_table(&[]), "");
}

#[test]
fn the_longest_names_still_fit_into_a_result() {
    let name = |number: usize| format!("{number:0>253}");
    let namespace = "n".repeat(63);
    let notebook = json!([owner("kubeflow.org/v1", "Notebook", &name(0))]);
    let pods: Vec<_> = (0..260)
        .map(|number| kept("apps/v1", "StatefulSet", &name(number)))
        .map(|pod| changed(pod, &[("/metadata/namespace", json!(namespace))]))
        .collect();
    let objects: Vec<_> = (0..260)
        .map(|number| {
            live(
                "apps/v1",
                "StatefulSet",
                &name(number),
                &notebook,
                &json!({}),
            )
        })
        .map(|object| changed(object, &[("/metadata/namespace", json!(namespace))]))
        .collect();
    let found = found(&pods, &objects);
    let (table, list) = (to_table(&found), to_json(&found));
    assert!(table.len() < 128 * 1024, "{}", table.len());
    assert!(list.len() < 128 * 1024, "{}", list.len());
    let (lines, more) = table.rsplit_once("\n(+").unwrap();
    let more: usize = more.strip_suffix(" more)").unwrap().parse().unwrap();
    assert!(more > 60, "cut by length, not by number");
    assert_eq!(lines.lines().count(), 1 + 260 - more);
}

#[test]
fn a_workload_that_something_else_keeps_is_restarted_itself() {
    let notebook = json!([owner("kubeflow.org/v1", "Notebook", "nb")]);
    let pods = [kept("apps/v1", "StatefulSet", "nb")];
    let objects = [live("apps/v1", "StatefulSet", "nb", &notebook, &json!({}))];
    let found = found(&pods, &objects);
    assert_eq!(found[0].id.to_string(), "StatefulSet shop/nb");
    assert!(found[0].restart.is_possible());
    assert!(to_table(&found).contains("StatefulSet/nb (of Notebook/nb)"));
}

#[test]
fn a_deployment_shows_what_keeps_it_too() {
    let deployment = json!([owner("apps/v1", "Deployment", "cart")]);
    let revision = json!([owner("serving.knative.dev/v1", "Revision", "cart-1")]);
    let objects = [
        live(
            "apps/v1",
            "ReplicaSet",
            "cart-7d9f",
            &deployment,
            &json!({}),
        ),
        live("apps/v1", "Deployment", "cart", &revision, &json!({})),
    ];
    let found = found(&[pod("cart-1", "istio-init", "1.31.1")], &objects);
    let owner = found[0].owner.as_ref().map(ToString::to_string);
    assert_eq!(owner.as_deref(), Some("Revision/cart-1"));
    assert!(found[0].restart.is_possible());
}

/// Validation has failed.
fn failed() -> Value {
    json!({"phase": "Pending", "initContainerStatuses": [{
        "name": "istio-validation", "ready": false, "restartCount": 3, "image": "i", "imageID": "",
        "state": {"terminated": {"exitCode": 126}},
    }]})
}

#[test]
fn what_does_not_run_at_all_is_restarted_first() {
    let pods = [
        kept("apps/v1", "DaemonSet", "log"),
        kept("apps/v1", "StatefulSet", "db"),
        changed(
            kept("apps/v1", "DaemonSet", "node"),
            &[("/status", failed())],
        ),
        owned("debug", &json!([])),
    ];
    let choice = |most| {
        let choice = Choice::among(found(&pods, &[]), most);
        let names = |workloads: &[Workload]| {
            let names: Vec<_> = workloads.iter().map(|it| it.id.name.clone()).collect();
            names.join(" ")
        };
        assert_eq!(choice.all().len(), 4);
        [choice.chosen, choice.beyond, choice.others].map(|workloads| names(&workloads))
    };
    assert_eq!(choice(None), ["node log db", "", "debug"]);
    assert_eq!(choice(Some(1)), ["node", "log db", "debug"]);
    assert_eq!(choice(Some(9)), ["node log db", "", "debug"]);
}

#[test]
fn a_failed_pod_holds_the_rollouts_of_its_stateful_set() {
    let restart = |policy: &str| {
        let pod = changed(
            kept("apps/v1", "StatefulSet", "db"),
            &[("/status", failed())],
        );
        let spec = json!({"podManagementPolicy": policy});
        let objects = [live("apps/v1", "StatefulSet", "db", &json!([]), &spec)];
        let mut found = found(&[pod], &objects);
        assert!(found[0].has_failed());
        found.remove(0).restart
    };
    let held = restart("OrderedReady");
    assert!(held.to_string().contains("delete that pod"), "{held}");
    assert!(restart("Parallel").is_possible());
}

#[test]
fn metadata_is_all_that_is_read_of_what_has_no_rollouts() {
    let metadata = json!({
        "kind": "ReplicaSet",
        "metadata": {
            "name": "cart-7d9f", "namespace": "shop",
            "ownerReferences": [owner("apps/v1", "Deployment", "cart")],
        },
    });
    let keeper = keeper(&metadata);
    assert_eq!(keeper.id.to_string(), "ReplicaSet shop/cart-7d9f");
    assert_eq!(keeper.owner.unwrap().to_string(), "Deployment/cart");
    assert!(!has_rollouts(&REPLICA_SET) && !has_rollouts(&JOB) && has_rollouts(&DEPLOYMENT));
}
