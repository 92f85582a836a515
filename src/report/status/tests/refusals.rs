//! What the API server answers, and what the user sees of it.

use kube::core::Status as Answer;
use kube::core::response::{StatusCause, StatusDetails};

use super::*;
use crate::cluster::error::Operation;

/// An answer to the applying of istiod's Deployment.
fn refusal(answer: Answer) -> ClusterError {
    let operation = Operation::new("applying", "Deployment mesh/istiod");
    ClusterError::new(&operation, kube::Error::Api(answer.boxed()))
}

fn answer(code: u16, reason: &str, text: &str) -> Answer {
    Answer::failure(text, reason).with_code(code)
}

/// Asserts what the user sees of an answer, and whether it is tried again.
#[track_caller]
fn check_answer(answer: Answer, name: &str, message: &str, again: bool) {
    let error = refusal(answer);
    let status = of_refusal(&error, "pilot");
    assert_eq!((status.name(), status.message()), (name, message));
    assert_eq!(error.is_transient(), again, "{error}");
}

#[test]
fn only_a_missing_right_needs_trust() {
    let mut shown = BTreeSet::new();
    for text in [
        r#"deployments.apps is forbidden: User "system:serviceaccount:mesh:pilot" cannot list resource "deployments" in API group "apps" at the cluster scope"#,
        r#"deployments.apps "istiod" is forbidden: User "system:serviceaccount:mesh:pilot" cannot patch resource "deployments" in API group "apps" in the namespace "mesh": RBAC: clusterrole.rbac.authorization.k8s.io "a" not found"#,
        r#"forbidden: User "system:serviceaccount:mesh:pilot" cannot get path "/version""#,
        "clusterroles.rbac.authorization.k8s.io \"istiod\" is forbidden: user \"pilot\" (groups=[\"a\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"]}",
    ] {
        let error = refusal(answer(403, "Forbidden", text));
        assert!(!error.is_transient(), "{error}");
        shown.insert(of_refusal(&error, "pilot").to_string());
    }
    let shown: Vec<_> = shown.into_iter().collect();
    expect![[r#"
        blocked: not allowed by the cluster; run: juju trust pilot --scope=cluster
        blocked: not allowed to get /version by the cluster; run: juju trust pilot --scope=cluster
        blocked: not allowed to list deployments.apps by the cluster; run: juju trust pilot --scope=cluster
        blocked: not allowed to patch deployments.apps by the cluster; run: juju trust pilot --scope=cluster"#]]
        .assert_eq(&shown.join("\n"));
}

#[test]
fn what_a_policy_refuses_is_named_with_its_words() {
    let policy = "deployments.apps \"istiod\" is forbidden: ValidatingAdmissionPolicy 'a' with \
                  binding 'b' denied request: User \"x\" cannot do so";
    for (code, text) in [
        // Gatekeeper.
        (
            403,
            r#"admission webhook "validation.gatekeeper.sh" denied the request: [repos] image"#,
        ),
        // A policy may talk as the authorizer does.
        (
            403,
            r#"admission webhook "a.b" denied the request: pods is forbidden: User "x" cannot"#,
        ),
        // Kyverno.
        (
            400,
            r#"admission webhook "validate.kyverno.svc-fail" denied the request: labels"#,
        ),
        (401, r#"admission webhook "a.b" denied the request: who?"#),
        (404, r#"admission webhook "a.b" denied the request: what?"#),
        (
            409,
            r#"admission webhook "a.b" denied the request: not now"#,
        ),
        (422, r#"admission webhook "a.b" denied the request: no"#),
        (
            403,
            r#"admission webhook "a.b" denied the request without explanation"#,
        ),
        (401, policy),
        (403, policy),
        (422, policy),
        (
            403,
            r#"pods "istiod" is forbidden: exceeded quota: a, requested: pods=1, used: pods=1"#,
        ),
        (
            403,
            r#"pods "istiod" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot"#,
        ),
        (
            403,
            r#"deployments.apps "istiod" is forbidden: unable to create new content in namespace"#,
        ),
        (403, "access denied"),
    ] {
        let message = format!("applying Deployment mesh/istiod: the cluster refuses it: {text}");
        let seen = shorten(&message, LONGEST_IN_STATUS);
        check_answer(answer(code, "Forbidden", text), "blocked", &seen, false);
    }
}

#[test]
fn a_policy_that_speaks_of_what_is_immutable_does_not_have_the_object_made_anew() {
    let text = "deployments.apps \"istiod\" is forbidden: ValidatingAdmissionPolicy 'a' with \
                binding 'b' denied request: labels are immutable";
    let cause = StatusCause {
        reason: String::new(),
        message: text.to_owned(),
        field: String::new(),
    };
    let details = StatusDetails {
        name: String::new(),
        group: String::new(),
        kind: String::new(),
        uid: String::new(),
        causes: vec![cause],
        retry_after_seconds: 0,
    };
    let error = refusal(answer(422, "Invalid", text).with_details(details));
    assert_eq!(error.kind(), &FailureKind::Denied(text.to_owned()));
}

#[test]
fn a_token_that_is_refused_does_not_need_trust() {
    let unauthorized = answer(401, "Unauthorized", "Unauthorized");
    let error = refusal(unauthorized);
    assert!(!error.is_transient(), "{error}");
    expect!["blocked: the API server does not accept the service account's token; delete this unit's pod, and it comes back with a new one"].assert_eq(&of_refusal(&error, "pilot").to_string());
}

#[test]
fn no_api_is_said_only_of_servers_that_are_away() {
    for (code, reason, text) in [
        (
            503,
            "ServiceUnavailable",
            "the server is currently unable to handle the request",
        ),
        // What stands before the server answers in its place.
        (
            502,
            "Failed to parse error data",
            "<html>Bad Gateway</html>",
        ),
        (504, "Failed to parse error data", "upstream timed out"),
    ] {
        let message = format!("no Kubernetes API: {text}");
        check_answer(answer(code, reason, text), "waiting", &message, true);
    }
}

#[test]
fn what_the_server_cannot_do_just_now_is_named_and_tried_again() {
    for (code, reason, text) in [
        (
            500,
            "InternalError",
            r#"Internal error occurred: failed calling webhook "a.b": failed to call webhook: EOF"#,
        ),
        (
            500,
            "InternalError",
            r#"admission webhook "a.b" denied the request: I am ill"#,
        ),
        (
            503,
            "",
            r#"admission webhook "a.b" denied the request: I am ill"#,
        ),
        (500, "", "etcdserver: request timed out"),
        (
            504,
            "Timeout",
            "Timeout: request did not complete within requested timeout",
        ),
        (429, "TooManyRequests", "too many requests"),
        (
            429,
            "TooManyRequests",
            r#"admission webhook "a.b" denied the request: too many"#,
        ),
        (
            403,
            "Forbidden",
            r#"deployments.apps "istiod" is forbidden: not yet ready to handle request"#,
        ),
        (409, "Conflict", "the object has been modified"),
        (410, "Expired", "too old resource version"),
    ] {
        let message = format!("applying Deployment mesh/istiod: {text}");
        check_answer(answer(code, reason, text), "waiting", &message, true);
    }
}

#[test]
fn objects_that_are_wrong_are_named() {
    for (code, text) in [
        (400, "strict decoding error: unknown field \"spec.a\""),
        (404, "namespaces \"mesh\" not found"),
        (413, "Request entity too large: limit is 3145728"),
        (
            422,
            "Deployment.apps \"istiod\" is invalid: spec.a: Required",
        ),
        (500, ".spec.a: field not declared in schema"),
        (418, "I'm a teapot"),
    ] {
        let message = format!("applying Deployment mesh/istiod: {text}");
        check_answer(answer(code, "", text), "blocked", &message, false);
    }
    let without_words = "applying Deployment mesh/istiod: refused without a reason (code 400)";
    check_answer(answer(400, "", ""), "blocked", without_words, false);
}

#[test]
fn the_log_has_what_the_status_leaves_out() {
    let long = "a".repeat(1000);
    let error = refusal(answer(403, "Forbidden", &long));
    let condition = Condition::from(&error);
    assert!(in_full(&condition).unwrap().ends_with(&long));
    let awaited = Awaited::Istiod {
        progress: IstiodProgress::Missing,
        refusal: None,
        reason: Some(long.clone()),
    };
    assert!(!awaited.to_string().contains(&long));
    let text = in_full(&Condition::StillWaiting(awaited)).unwrap();
    assert_eq!(text, format!("istiod not created yet: {long}"));
}
