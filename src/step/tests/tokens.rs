//! Routes to applications whose tokens are checked.

use expect_test::expect;
use serde_json::json;

use super::check;
use super::ingress::route;
use crate::intent::ingress::Ingress;
use crate::intent::ingress::route::Route;
use crate::intent::tokens::{TokenRule, Tokens};
use crate::k8s::kind::{DEPLOYMENT, REQUEST_AUTHENTICATION, VIRTUAL_SERVICE};
use crate::simulated::Simulated;
use crate::step::deadlines::Timeouts;

/// An application with a route below that of `a`.
fn deep() -> Route {
    Route {
        application: Some("deep".parse().unwrap()),
        ..Route::of_prefix("ingress:2", "deep", "/a/deep")
    }
}

/// Another hook, in which `deep` has its tokens checked.
fn ask(cluster: &mut Simulated, routes: Vec<Route>, tokens: Tokens) {
    cluster.intent.ingress = Some(Ingress {
        routes,
        tokens: [("deep".parse().unwrap(), tokens)].into(),
        ..Ingress::default()
    });
    cluster.begin_hook(Timeouts::default());
}

fn check_tokens(cluster: &mut Simulated, tokens: Tokens) {
    ask(cluster, vec![route("a"), deep(), route("b")], tokens);
}

fn check_nothing(cluster: &mut Simulated) {
    check_tokens(cluster, Tokens::Unknown);
    cluster.intent.ingress.as_mut().unwrap().tokens.clear();
}

fn rules() -> Tokens {
    Tokens::CheckedBy(vec![TokenRule {
        issuer: "https://a".to_owned(),
        keys: None,
        audiences: Vec::new(),
        forward: None,
        claims: Vec::new(),
        places: Vec::new(),
    }])
}

/// Which services the gateway sends requests to, of each route.
fn open(cluster: &Simulated) -> Vec<String> {
    let services = cluster.live.values().filter(|it| it.is(&VIRTUAL_SERVICE));
    let line = |it: &serde_json::Value| {
        let host = it["route"][0]["destination"]["host"].as_str().unwrap();
        host.split('.').next().unwrap().to_owned()
    };
    let services = services.map(|it| {
        let lines = it.at("/spec/http").unwrap().as_array().unwrap().iter();
        let lines: Vec<_> = lines.map(line).collect();
        format!("{}: {}", it.id().name, lines.join(", "))
    });
    services.collect()
}

#[test]
fn a_route_comes_after_what_checks_tokens_and_goes_before_anything_else() {
    let mut cluster = Simulated::settled(&[]);
    check_tokens(&mut cluster, rules());
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply RequestAuthentication request-auth-deep-pilot, 2 VirtualService
        Off: apply 2 VirtualService
        Off: active: CNI off
    "#]],
    );
    assert_eq!(open(&cluster), ["a: deep, a", "b: b", "deep: deep"]);
    check_tokens(&mut cluster, Tokens::Unknown);
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete 2 VirtualService
        Off: apply VirtualService a
        Off: delete RequestAuthentication request-auth-deep-pilot
        Off: active: CNI off
    "#]],
    );
    assert_eq!(open(&cluster), ["a: a", "b: b"]);
    check_tokens(&mut cluster, rules());
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply RequestAuthentication request-auth-deep-pilot
        Off: apply 2 VirtualService
        Off: active: CNI off
    "#]],
    );
    // Somebody deletes the rules.
    cluster.live.retain(|id, _| !id.is(&REQUEST_AUTHENTICATION));
    cluster.begin_hook(Timeouts::default());
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete 2 VirtualService
        Off: apply RequestAuthentication request-auth-deep-pilot, VirtualService a
        Off: apply 2 VirtualService
        Off: active: CNI off
    "#]],
    );
    assert_eq!(open(&cluster), ["a: deep, a", "b: b", "deep: deep"]);
    check_nothing(&mut cluster);
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete RequestAuthentication request-auth-deep-pilot
        Off: active: CNI off
    "#]],
    );
    assert_eq!(open(&cluster), ["a: deep, a", "b: b", "deep: deep"]);
}

#[test]
fn what_is_asked_for_later_closes_what_is_open() {
    let mut cluster = Simulated::settled(&[]);
    check_nothing(&mut cluster);
    cluster.run();
    check_tokens(&mut cluster, rules());
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete 2 VirtualService
        Off: apply RequestAuthentication request-auth-deep-pilot, VirtualService a
        Off: apply 2 VirtualService
        Off: active: CNI off
    "#]],
    );
    assert_eq!(open(&cluster), ["a: deep, a", "b: b", "deep: deep"]);
}

#[test]
fn rules_that_the_cluster_does_not_take_hold_no_route_of_another_application() {
    let mut cluster = Simulated::settled(&[]);
    cluster.refuses.insert("request-auth-deep-pilot".to_owned());
    check_tokens(&mut cluster, rules());
    check(
        &mut cluster,
        &expect![[r#"
        Off: apply RequestAuthentication request-auth-deep-pilot, 2 VirtualService: refused
        Off: apply 2 VirtualService
        Off: blocked: applying RequestAuthentication mesh/request-auth-deep-pilot: the cluster refuses it: a policy says no
    "#]],
    );
    assert_eq!(open(&cluster), ["a: a", "b: b"]);
}

#[test]
fn rules_that_belong_to_others_or_are_going_check_nothing() {
    let mut settled = Simulated::settled(&[]);
    check_tokens(&mut settled, rules());
    settled.run();
    let mut foreign = settled.clone();
    foreign.change(&REQUEST_AUTHENTICATION, |it| {
        it["metadata"]["managedFields"][0]["manager"] = json!("kubectl");
        it["metadata"]["labels"] = json!({});
    });
    foreign.begin_hook(Timeouts::default());
    check(
        &mut foreign,
        &expect![[r#"
        Off: delete 2 VirtualService
        Off: apply VirtualService a
        Off: blocked: RequestAuthentication mesh/request-auth-deep-pilot belongs to somebody else (field manager kubectl); remove it first
    "#]],
    );
    assert_eq!(open(&foreign), ["a: a", "b: b"]);
    settled.change(&REQUEST_AUTHENTICATION, |it| {
        it["metadata"]["deletionTimestamp"] = json!("2030-01-01T00:00:00Z");
    });
    let (_, assessment) = settled.assess();
    let names = assessment.plan.deletions.iter().map(|it| &it.id.name);
    assert_eq!(names.collect::<Vec<_>>(), ["a", "deep"]);
}

#[test]
fn another_application_keeps_its_own_route_to_the_same_service() {
    let mut cluster = Simulated::settled(&[]);
    let mut other = Route::of_prefix("istio-ingress-route:3", "deep", "/other");
    other.name = "other".to_owned();
    ask(&mut cluster, vec![other.clone(), deep()], rules());
    cluster.run();
    assert_eq!(open(&cluster), ["deep: deep", "other: deep"]);
    ask(&mut cluster, vec![other, deep()], Tokens::Unknown);
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete VirtualService deep
        Off: delete RequestAuthentication request-auth-deep-pilot
        Off: active: CNI off
    "#]],
    );
    assert_eq!(open(&cluster), ["other: deep"]);
}

#[test]
fn what_is_not_checked_closes_although_istiod_is_not_ready() {
    let mut cluster = Simulated::settled(&[]);
    check_tokens(&mut cluster, rules());
    cluster.run();
    cluster.change(&DEPLOYMENT, |it| {
        it["status"]["availableReplicas"] = json!(0);
    });
    check_tokens(&mut cluster, Tokens::Unknown);
    check(
        &mut cluster,
        &expect![[r#"
        Off: delete 2 VirtualService
        Off: wait: istiod 0/1 ready
    "#]],
    );
    assert_eq!(open(&cluster), ["b: b"]);
}
