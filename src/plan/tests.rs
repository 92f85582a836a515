mod definitions;
mod secrets;

use serde_json::{Value, json};

use super::ownership::{Ownership, may_delete, ownership};
use super::*;
use crate::istio::ISTIO_VERSION;
use crate::k8s::kind::CONFIG_MAP;

const INSTANCE: &str = "pilot-mesh";

fn identity() -> Identity {
    Identity::new("pilot", "mesh")
}

fn labels() -> Value {
    json!({
        "app.kubernetes.io/instance": INSTANCE,
        "app.kubernetes.io/managed-by": "istio-pilot",
        "app.kubernetes.io/part-of": "istio",
        "app.kubernetes.io/version": ISTIO_VERSION,
    })
}

fn as_wanted(objects: &[Object]) -> Wanted {
    Wanted::new(objects.to_vec(), &identity())
}

fn object(value: Value) -> Object {
    Object::from_value(value).unwrap()
}

/// A ConfigMap as it is wanted.
fn wanted(name: &str, data: &Value) -> Object {
    object(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "mesh", "labels": labels()},
        "data": data,
    }))
}

/// What the server makes of an object that the charm has applied.
fn applied(wanted: &Object, fields: &Value) -> Object {
    let mut value = wanted.value().clone();
    value["metadata"]["uid"] = json!("uid-1");
    value["metadata"]["managedFields"] = json!([{
        "manager": "istio-pilot", "operation": "Apply", "fieldsV1": fields,
    }]);
    object(value)
}

fn data_fields(keys: &[&str]) -> Value {
    let mut fields = json!({
        "f:metadata": {"f:labels": {
            "f:app.kubernetes.io/instance": {}, "f:app.kubernetes.io/managed-by": {},
            "f:app.kubernetes.io/part-of": {}, "f:app.kubernetes.io/version": {},
        }},
    });
    for key in keys {
        fields["f:data"][format!("f:{key}")] = json!({});
    }
    fields
}

fn live(objects: impl IntoIterator<Item = Object>) -> LiveObjects {
    objects
        .into_iter()
        .map(|it| (it.id().clone(), it))
        .collect()
}

fn planned(wanted: &[Object], live: &LiveObjects) -> Plan {
    plan(&as_wanted(wanted), &BTreeSet::new(), live, &identity())
}

#[track_caller]
fn check(plan: &Plan, expected: &str) {
    assert_eq!(plan.to_string().trim_end(), expected);
}

#[test]
fn what_is_not_there_is_created_and_what_is_equal_is_left() {
    let one = wanted("a", &json!({"k": "v"}));
    check(
        &planned(std::slice::from_ref(&one), &LiveObjects::new()),
        "+ ConfigMap mesh/a",
    );
    let there = live([applied(&one, &data_fields(&["k"]))]);
    assert!(planned(&[one], &there).is_empty());
}

#[test]
fn a_changed_a_missing_and_an_unwanted_field_are_drift() {
    let one = wanted("a", &json!({"changed": "new", "missing": "x"}));
    let before = wanted("a", &json!({"changed": "old", "unwanted": "y"}));
    let there = live([applied(&before, &data_fields(&["changed", "unwanted"]))]);
    check(
        &planned(&[one], &there),
        "~ ConfigMap mesh/a\n    .data.changed: \"old\" -> \"new\"\n    .data.missing: (none) -> \"x\"\n    .data.unwanted: \"y\" -> (none)",
    );
}

#[test]
fn fields_of_others_are_no_drift_but_a_taken_field_is() {
    let one = wanted("a", &json!({"k": "v"}));
    let mut extended = applied(&one, &data_fields(&["k"])).into_value();
    extended["data"]["theirs"] = json!("z");
    assert!(planned(std::slice::from_ref(&one), &live([object(extended)])).is_empty());
    let mut edited = applied(&one, &data_fields(&[])).into_value();
    edited["data"]["k"] = json!("edited");
    check(
        &planned(&[one], &live([object(edited)])),
        "~ ConfigMap mesh/a\n    .data.k: \"edited\" -> \"v\"",
    );
}

#[test]
fn list_items_are_matched_by_key_with_the_servers_defaults() {
    let service = |ports: Value| {
        object(json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "s", "namespace": "mesh", "labels": labels()},
            "spec": {"ports": ports},
        }))
    };
    let fields = json!({
        "f:metadata": data_fields(&[])["f:metadata"],
        "f:spec": {"f:ports": {
            "k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}, "f:name": {}},
            "k:{\"port\":90,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}, "f:name": {}},
        }},
    });
    let there = |ports: Value| live([applied(&service(ports), &fields)]);
    let both = there(json!([
        {"port": 80, "protocol": "TCP", "name": "a"}, {"port": 90, "protocol": "TCP", "name": "b"},
    ]));
    let same = service(json!([{"port": 80, "name": "a"}, {"port": 90, "name": "b"}]));
    assert!(planned(&[same], &both).is_empty());
    let fewer = service(json!([{"port": 80, "name": "c"}]));
    let text = planned(&[fewer], &both).to_string();
    assert!(
        text.contains(".spec.ports[port=80,protocol=TCP].name: \"a\" -> \"c\""),
        "{text}"
    );
    assert!(
        text.contains(".spec.ports[port=90,protocol=TCP]: {"),
        "{text}"
    );
    let turned = service(json!([{"port": 90, "name": "b"}, {"port": 80, "name": "a"}]));
    assert!(
        !planned(&[turned], &both).is_empty(),
        "the order of list items has a meaning"
    );
}

/// Comparing both ways at every level would double the work with each of them, and never end here.
#[test]
fn deep_values_are_compared_once() {
    let deep = (0..60).fold(json!("leaf"), |inner, _| json!({ "in": inner }));
    let one = wanted("a", &json!({"k": deep}));
    let there = live([applied(&one, &data_fields(&["k"]))]);
    assert!(planned(&[one], &there).is_empty());
}

#[test]
fn objects_of_others_are_obstacles_and_never_part_of_a_change() {
    let one = wanted("a", &json!({"k": "v"}));
    let mut foreign = applied(&one, &data_fields(&["k"])).into_value();
    foreign["metadata"]["labels"] = json!({"app.kubernetes.io/managed-by": "Helm"});
    foreign["metadata"]["annotations"] = json!({"meta.helm.sh/release-name": "mesh"});
    let plan = planned(&[one], &live([object(foreign)]));
    check(
        &plan,
        "! ConfigMap mesh/a belongs to the Helm release mesh; remove it first",
    );
    assert!(plan.upserts.is_empty() && plan.deletions.is_empty());
}

#[test]
fn an_object_belongs_to_whom_its_labels_say() {
    let with = |labels: Value| {
        object(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "namespace": "mesh", "labels": labels},
        }))
    };
    let istioctl = |namespace: &str| {
        json!({
            "operator.istio.io/managed": "Reconcile",
            "install.operator.istio.io/owning-resource-namespace": namespace,
        })
    };
    assert_eq!(ownership(&with(labels()), &identity()), Ownership::Ours);
    assert_eq!(
        ownership(&with(istioctl("mesh")), &identity()),
        Ownership::Adopted
    );
    for foreign in [istioctl("elsewhere"), json!({}), json!({"app": "istiod"})] {
        let found = ownership(&with(foreign.clone()), &identity());
        assert!(
            matches!(found, Ownership::Foreign(_)),
            "{foreign}: {found:?}"
        );
    }
}

#[test]
fn what_must_close_goes_before_everything_and_definitions_after_all() {
    let gateway = |name: &str| {
        let gateway = json!({
            "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
            "metadata": {"name": name, "namespace": "mesh", "labels": labels()},
        });
        applied(&object(gateway), &data_fields(&[]))
    };
    let config = applied(&wanted("a", &json!({})), &data_fields(&[]));
    let there = live([config, gateway("public")]);
    let urgencies = |wanted: &Wanted| {
        let plan = plan(wanted, &BTreeSet::new(), &there, &identity());
        let deletions = plan.deletions.iter();
        deletions
            .map(|it| format!("{} {:?}", it.id.kind, it.urgency))
            .collect::<Vec<_>>()
    };
    let open = Wanted::default();
    assert_eq!(urgencies(&open), ["Gateway InWave", "ConfigMap InWave"]);
    let closed = Wanted::default().closing(&CONFIG_MAP);
    assert_eq!(
        urgencies(&closed),
        ["ConfigMap CloseFirst", "Gateway InWave"]
    );
}

#[test]
fn only_what_this_application_applied_is_pruned() {
    let made = applied(&wanted("old", &json!({})), &data_fields(&[]));
    check(&planned(&[], &live([made.clone()])), "- ConfigMap mesh/old");
    let spoil = |change: &dyn Fn(&mut Value)| {
        let mut value = made.value().clone();
        change(&mut value);
        object(value)
    };
    let copied = spoil(&|it| it["metadata"]["managedFields"][0]["manager"] = json!("kubectl"));
    let derived = spoil(&|it| it["metadata"]["ownerReferences"] = json!([{"kind": "Service"}]));
    let sibling =
        spoil(&|it| it["metadata"]["labels"]["app.kubernetes.io/instance"] = json!("other"));
    for other in [copied, derived, sibling] {
        assert!(!may_delete(&other, &identity()), "{other:?}");
        assert!(planned(&[], &live([other])).is_empty());
    }
}

#[test]
fn held_objects_are_neither_changed_nor_deleted() {
    let changed = applied(&wanted("a", &json!({"k": "old"})), &data_fields(&["k"]));
    let unwanted = applied(&wanted("b", &json!({})), &data_fields(&[]));
    let held = [changed.id().clone(), unwanted.id().clone()].into();
    let wanted = [wanted("a", &json!({"k": "new"}))];
    assert!(
        plan(
            &as_wanted(&wanted),
            &held,
            &live([changed, unwanted]),
            &identity()
        )
        .is_empty()
    );
}

#[test]
fn removal_goes_backwards_and_leaves_definitions() {
    let of = |api_version: &str, kind: &str| {
        let value = json!({
            "apiVersion": api_version, "kind": kind,
            "metadata": {"name": "x", "namespace": "mesh", "labels": labels()},
        });
        applied(&object(value), &json!({}))
    };
    let all = live([
        of("v1", "ServiceAccount"),
        of("apps/v1", "Deployment"),
        of("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        of(
            "admissionregistration.k8s.io/v1",
            "MutatingWebhookConfiguration",
        ),
    ]);
    check(
        &plan(&Wanted::default(), &BTreeSet::new(), &all, &identity()),
        "- MutatingWebhookConfiguration mesh/x\n- Deployment mesh/x\n- ServiceAccount mesh/x",
    );
}

fn webhook(policy: Option<&str>) -> Object {
    let mut value = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "istio-validator-mesh", "labels": labels()},
        "webhooks": [{"name": "w"}],
    });
    if let Some(policy) = policy {
        value["webhooks"][0]["failurePolicy"] = json!(policy);
    }
    object(value)
}

#[test]
fn failure_policy_is_sent_until_istiod_has_set_it() {
    let fields = |ours: bool| {
        let mut webhook = json!({".": {}, "f:name": {}});
        if ours {
            webhook["f:failurePolicy"] = json!({});
        }
        json!({
            "f:metadata": data_fields(&[])["f:metadata"],
            "f:webhooks": {"k:{\"name\":\"w\"}": webhook},
        })
    };
    let wanted = webhook(Some("Ignore"));
    let first = planned(std::slice::from_ref(&wanted), &LiveObjects::new());
    assert_eq!(first.upserts[0].object, wanted);
    let ours = live([applied(&webhook(Some("Ignore")), &fields(true))]);
    assert!(planned(std::slice::from_ref(&wanted), &ours).is_empty());
    let istiods = live([applied(&webhook(Some("Fail")), &fields(false))]);
    assert!(planned(std::slice::from_ref(&wanted), &istiods).is_empty());
    // When something else changes, the policy still stays out.
    let mut labelled = wanted;
    labelled.set_label("new", "label");
    let plan = planned(&[labelled], &istiods);
    assert_eq!(plan.upserts[0].object.at("/webhooks/0/failurePolicy"), None);
}

#[test]
fn what_a_controller_adds_to_a_selector_is_left_and_told() {
    let expression = |key: &str| json!({"key": key, "operator": "DoesNotExist"});
    let with = |expressions: &[Value]| {
        let mut value = webhook(Some("Ignore")).into_value();
        value["kind"] = json!("MutatingWebhookConfiguration");
        value["metadata"]["name"] = json!("istio-sidecar-injector-mesh");
        value["webhooks"][0]["namespaceSelector"] = json!({"matchExpressions": expressions});
        object(value)
    };
    let wanted = with(&[expression("a"), expression("b")]);
    let changed_by = |manager: &str, expressions: &[Value]| {
        let fields = |ours: &Value| {
            let mut fields = json!({
                "f:metadata": data_fields(&[])["f:metadata"],
                "f:webhooks": {"k:{\"name\":\"w\"}": {
                    ".": {}, "f:name": {}, "f:failurePolicy": {},
                }},
            });
            if let Some(ours) = ours.as_object() {
                fields["f:webhooks"]["k:{\"name\":\"w\"}"]["f:namespaceSelector"] = json!(ours);
            }
            fields
        };
        // What is changed on the way leaves no trace.
        let owned = json!({"f:matchExpressions": {}});
        if manager.is_empty() {
            return live([applied(&with(expressions), &fields(&owned))]);
        }
        let mut value = applied(&with(expressions), &fields(&Value::Null)).into_value();
        let entries = value["metadata"]["managedFields"].as_array_mut().unwrap();
        entries.push(json!({"manager": manager, "operation": "Update", "fieldsV1": {}}));
        live([object(value)])
    };
    let told = |live: &LiveObjects| {
        let plan = planned(std::slice::from_ref(&wanted), live);
        let told = plan.skipped.iter().map(|(_, why)| why.clone());
        (plan.upserts.len(), told.collect::<String>())
    };
    let more = [
        expression("a"),
        expression("b"),
        expression("control-plane"),
    ];
    let why = "adds to its selectors, so that it is called for less";
    let on_the_way = format!("a webhook or policy of this cluster {why}");
    assert_eq!(told(&changed_by("", &more)), (0, on_the_way));
    // Taken over once.
    assert_eq!(
        told(&changed_by("enforcer", &more)),
        (1, format!("enforcer {why}"))
    );
    for (manager, expressions) in [
        ("kubectl-edit", &more[..]),
        ("istioctl", &more),
        ("enforcer", &more[1..]),
        ("enforcer", &[]),
    ] {
        let live = changed_by(manager, expressions);
        assert_eq!(told(&live), (1, String::new()), "{manager}");
    }
    assert_eq!(told(&changed_by("", &more[..2])), (0, String::new()));
}

#[test]
fn fields_of_replaced_tools_pass_to_this_charm() {
    let mut value = wanted("a", &json!({"k": "v", "theirs": "x"})).into_value();
    value["metadata"]["managedFields"] = json!([
        {"manager": "istio-operator", "operation": "Apply", "fieldsV1": {"f:data": {"f:theirs": {}}}},
        {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:data": {"f:k": {}}}},
    ]);
    let there = live([object(value)]);
    let plan = planned(&[wanted("a", &json!({"k": "v"}))], &there);
    assert!(plan.upserts[0].adopts);
    assert!(
        plan.to_string().contains(".data.theirs: \"x\" -> (none)"),
        "{plan}"
    );
    let fields = super::adoption::adopted_managed_fields(there.values().next().unwrap()).unwrap();
    let managers: Vec<_> = fields
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["manager"])
        .collect();
    assert_eq!(managers, ["kubectl-edit", "istio-pilot"]);
}

/// A cluster role as an application of that namespace applies it.
fn cluster_role(name: &str, instance: &str) -> Object {
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/instance": instance}},
    });
    applied(&object(role), &json!({}))
}

#[test]
fn two_applications_with_one_instance_never_own_each_others_objects() {
    let (first, second) = (
        Identity::new("istio-pilot", "kubeflow"),
        Identity::new("istio", "pilot-kubeflow"),
    );
    assert_eq!(first.instance(), second.instance());
    let role = cluster_role("istiod-clusterrole-kubeflow", first.instance());
    assert_eq!(ownership(&role, &first), Ownership::Ours);
    assert!(may_delete(&role, &first) && !may_delete(&role, &second));
    assert!(matches!(ownership(&role, &second), Ownership::Foreign(_)));
    // The node agent's names are the same in every namespace: what they bind tells.
    let agents = cluster_role("istio-cni", first.instance());
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {
            "name": "istio-cni", "labels": {"app.kubernetes.io/instance": first.instance()},
        },
        "roleRef": {"kind": "ClusterRole", "name": "istio-cni"},
        "subjects": [{"kind": "ServiceAccount", "name": "istio-cni", "namespace": "kubeflow"}],
    });
    let all = live([agents, applied(&object(binding), &json!({})), role]);
    let removal = |identity| plan(&Wanted::default(), &BTreeSet::new(), &all, identity);
    assert_eq!(removal(&second), Plan::default());
    assert_eq!(removal(&first).deletions.len(), 3);
}

#[test]
fn a_label_that_juju_overwrites_is_neither_drift_nor_another_owner() {
    let one = wanted("a", &json!({"k": "v"}));
    let mut overwritten = applied(&one, &data_fields(&["k"])).into_value();
    overwritten["metadata"]["labels"]["app.kubernetes.io/managed-by"] = json!("juju");
    let overwritten = object(overwritten);
    assert_eq!(ownership(&overwritten, &identity()), Ownership::Ours);
    assert!(may_delete(&overwritten, &identity()));
    let there = live([overwritten]);
    assert!(planned(std::slice::from_ref(&one), &there).is_empty());
    check(&planned(&[], &there), "- ConfigMap mesh/a");
}

#[test]
fn an_object_that_has_lost_its_label_is_still_ours_by_its_name() {
    let lose = |object: &Object| {
        let mut value = object.value().clone();
        value["metadata"]["labels"] = json!({});
        self::object(value)
    };
    // Changed by hand, so that the label belongs to somebody else.
    let change = |object: &Object| {
        let mut value = object.value().clone();
        let label = "app.kubernetes.io/instance";
        value["metadata"]["labels"][label] = json!("other");
        let entries = value["metadata"]["managedFields"].as_array_mut().unwrap();
        let ours = &mut entries[0]["fieldsV1"]["f:metadata"]["f:labels"];
        ours.as_object_mut().unwrap().remove(&format!("f:{label}"));
        entries.push(json!({
            "manager": "kubectl-label", "operation": "Update",
            "fieldsV1": {"f:metadata": {"f:labels": {format!("f:{label}"): {}}}},
        }));
        self::object(value)
    };
    let one = wanted("values", &json!({"k": "v"}));
    let made = applied(&one, &data_fields(&["k"]));
    for spoiled in [lose(&made), change(&made)] {
        assert_eq!(ownership(&spoiled, &identity()), Ownership::Ours);
        let there = live([spoiled]);
        assert_eq!(planned(std::slice::from_ref(&one), &there).upserts.len(), 1);
        check(&planned(&[], &there), "- ConfigMap mesh/values");
    }
    // A name that anybody may give says nothing.
    let made = applied(&wanted("a", &json!({})), &data_fields(&[]));
    for spoiled in [lose(&made), change(&made)] {
        assert!(!may_delete(&spoiled, &identity()));
    }
}

#[test]
fn whoever_owns_an_object_is_named() {
    let described = |labels: Value, manager: &str| {
        let mut value = cluster_role("istiod-clusterrole-elsewhere", INSTANCE).into_value();
        value["metadata"]["labels"] = labels;
        value["metadata"]["managedFields"][0]["manager"] = json!(manager);
        match ownership(&object(value), &identity()) {
            Ownership::Foreign(whose) => whose,
            other => format!("{other:?}"),
        }
    };
    let instance = |of: &str| json!({"app.kubernetes.io/instance": of});
    let lines = [
        described(instance(INSTANCE), "istio-pilot"),
        described(instance("pilot-other"), "istio-pilot"),
        described(instance("pilot-other"), "kubectl"),
        described(json!({}), "kubectl"),
        described(json!({"app.kubernetes.io/managed-by": "Helm"}), "helm"),
    ];
    expect_test::expect![[r#"
        another application pilot-mesh
        the application pilot-other
        somebody else (field manager kubectl)
        somebody else (field manager kubectl)
        Helm (label app.kubernetes.io/managed-by)"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn a_plan_with_something_in_the_way_is_not_empty() {
    let obstacle = || Obstacle {
        id: ObjectId::new(&CONFIG_MAP, "mesh", "a"),
        whose: "somebody".to_owned(),
    };
    assert!(Plan::default().is_empty());
    let of_control_plane = Plan {
        obstacles: vec![obstacle()],
        ..Plan::default()
    };
    let of_relations = Plan {
        in_the_way: vec![obstacle()],
        ..Plan::default()
    };
    assert!(!of_control_plane.is_empty() && !of_relations.is_empty());
}
