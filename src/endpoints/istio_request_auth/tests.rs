use expect_test::{Expect, expect};

use super::*;
use crate::intent::identity::Identity;

/// A relation with an application that has written this as its rules.
fn relation(number: u32, application: &str, rules: &str) -> Relation {
    Relation {
        application: Some(application.parse().unwrap()),
        remote_application: Some(Databag::from([(RULES, rules)])),
        ..Relation::new(format!("istio-request-auth:{number}").parse().unwrap())
    }
}

fn asked(relations: &[Relation]) -> Intent {
    let mut intent = Intent::nothing(Identity::new("pilot", "mesh"));
    IstioRequestAuth.request(relations, &Known::NOTHING, &mut intent);
    intent
}

/// The applications with the issuers of their rules, and the problems, a line each.
#[track_caller]
fn check(relations: &[Relation], expected: &Expect) {
    let intent = asked(relations);
    let tokens = intent.ingress.unwrap().tokens.into_iter();
    let mut lines: Vec<String> = tokens
        .map(|(application, tokens)| match tokens {
            Tokens::Unknown => format!("{application}: unknown\n"),
            Tokens::CheckedBy(rules) => {
                let issuers: Vec<_> = rules.iter().map(|it| it.issuer.as_str()).collect();
                format!("{application}: {}\n", issuers.join(" "))
            }
        })
        .collect();
    let problems = intent.problems.iter();
    lines.extend(problems.map(|it| format!("{:?}: {it}\n", it.remedy)));
    expected.assert_eq(&lines.concat());
}

/// What the library writes for a rule of which all is set, and for one with an issuer only.
const BY_LIBRARY: &str = concat!(
    r#"[{"issuer": "https://dex.example/dex", "jwks_uri": "https://dex.example/keys", "#,
    r#""audiences": ["a", "b"], "forward_original_token": true, "#,
    r#""claim_to_headers": [{"header": "kubeflow-userid", "claim": "email"}], "#,
    r#""from_headers": [{"name": "Authorization", "prefix": "Bearer "}, "#,
    r#"{"name": "x-token", "prefix": null}]}, "#,
    r#"{"issuer": "https://other.example", "jwks_uri": null, "audiences": null, "#,
    r#""forward_original_token": null, "claim_to_headers": null, "from_headers": null}]"#
);

#[test]
fn what_the_library_writes_is_read() {
    let intent = asked(&[relation(1, "grafana", BY_LIBRARY)]);
    assert_eq!(intent.problems, []);
    let application = "grafana".parse().unwrap();
    let place = |header: &str, prefix: Option<&str>| Place {
        header: header.to_owned(),
        prefix: prefix.map(str::to_owned),
    };
    let whole = TokenRule {
        issuer: "https://dex.example/dex".to_owned(),
        keys: Some("https://dex.example/keys".to_owned()),
        audiences: vec!["a".to_owned(), "b".to_owned()],
        forward: Some(true),
        claims: vec![Claim {
            header: "kubeflow-userid".to_owned(),
            claim: "email".to_owned(),
        }],
        places: vec![
            place("Authorization", Some("Bearer ")),
            place("x-token", None),
        ],
    };
    let least = TokenRule {
        issuer: "https://other.example".to_owned(),
        keys: None,
        audiences: Vec::new(),
        forward: None,
        claims: Vec::new(),
        places: Vec::new(),
    };
    let tokens = intent.ingress.unwrap().tokens;
    let expected = Tokens::CheckedBy(vec![whole, least]);
    assert_eq!(tokens.get(&application), Some(&expected));
    assert_eq!(tokens.len(), 1);
}

#[test]
fn until_there_are_rules_it_is_unknown_how_tokens_are_checked() {
    let silent = Relation {
        remote_application: Some(Databag::default()),
        ..relation(1, "silent", "")
    };
    check(
        &[
            silent,
            relation(2, "none", "null"),
            relation(3, "empty", "[]"),
            relation(4, "good", r#"[{"issuer": "https://a"}]"#),
        ],
        &expect![[r#"
            empty: unknown
            good: https://a
            none: unknown
            silent: unknown
            Time: istio-request-auth:1 with silent: does not say yet which tokens are valid; no request to its routes passes until then
            Time: istio-request-auth:2 with none: does not say yet which tokens are valid; no request to its routes passes until then
            Time: istio-request-auth:3 with empty: does not say yet which tokens are valid; no request to its routes passes until then
        "#]],
    );
    check(&[], &expect![[r#""#]]);
}

#[test]
fn an_application_has_the_rules_of_all_its_relations_or_none() {
    let rule = |issuer: &str| format!(r#"[{{"issuer": "https://{issuer}"}}]"#);
    check(
        &[
            relation(1, "both", &rule("first")),
            relation(2, "both", &rule("second")),
            relation(3, "one", &rule("first")),
            relation(4, "one", "[]"),
            relation(5, "other", "[]"),
            relation(6, "other", &rule("second")),
        ],
        &expect![[r#"
            both: https://first https://second
            one: unknown
            other: unknown
            Time: istio-request-auth:4 with one: does not say yet which tokens are valid; no request to its routes passes until then
            Time: istio-request-auth:5 with other: does not say yet which tokens are valid; no request to its routes passes until then
        "#]],
    );
}

#[test]
fn what_istio_would_refuse_is_named() {
    let rule = |rest: &str| format!(r#"[{{"issuer": "https://a"}}, {{{rest}}}]"#);
    let keys = |address: &str| rule(&format!(r#""issuer": "a", "jwks_uri": "{address}""#));
    let rules = [
        "jwt".to_owned(),
        r#"{"issuer": "https://a"}"#.to_owned(),
        r#"[{"jwks_uri": "https://a"}]"#.to_owned(),
        r#"[{"issuer": 7}]"#.to_owned(),
        rule(r#""issuer": """#),
        rule(r#""issuer": "accounts""#),
        keys("ftp://a"),
        keys("https://"),
        keys("https://a:x/y"),
        keys("https://a:0"),
        keys("https://user@a"),
        keys("https://a/%zz"),
        keys("https://a/b c"),
        keys(&format!("https://a/{}", "b".repeat(2048))),
        rule(r#""issuer": "https://a", "audiences": ["a", ""]"#),
        rule(r#""issuer": "https://a", "claim_to_headers": [{"header": "a b", "claim": "c"}]"#),
        rule(r#""issuer": "https://a", "claim_to_headers": [{"header": "a", "claim": ""}]"#),
        rule(r#""issuer": "https://a", "from_headers": [{"name": ""}]"#),
    ];
    let relations = (1..).zip(&rules);
    let relations = relations.map(|(number, rules)| relation(number, "app", rules));
    check(
        &relations.collect::<Vec<_>>(),
        &expect![[r#"
        app: unknown
        Person: istio-request-auth:1 with app: `jwt_rules` cannot be read: expected value at line 1 column 1; no request to its routes passes until then
        Person: istio-request-auth:2 with app: `jwt_rules` cannot be read: invalid type: map, expected a sequence at line 1 column 0; no request to its routes passes until then
        Person: istio-request-auth:3 with app: `jwt_rules` cannot be read: missing field `issuer` at line 1 column 26; no request to its routes passes until then
        Person: istio-request-auth:4 with app: `jwt_rules` cannot be read: invalid type: integer `7`, expected a string at line 1 column 13; no request to its routes passes until then
        Person: istio-request-auth:5 with app: rule 2 of `jwt_rules` has an empty `issuer`; no request to its routes passes until then
        Person: istio-request-auth:6 with app: rule 2 of `jwt_rules` has no `jwks_uri`, and its `issuer` is no address that could be asked for keys; no request to its routes passes until then
        Person: istio-request-auth:7 with app: rule 2 of `jwt_rules` has a `jwks_uri` that is no address with http or https; no request to its routes passes until then
        Person: istio-request-auth:8 with app: rule 2 of `jwt_rules` has a `jwks_uri` that is no address with http or https; no request to its routes passes until then
        Person: istio-request-auth:9 with app: rule 2 of `jwt_rules` has a `jwks_uri` that is no address with http or https; no request to its routes passes until then
        Person: istio-request-auth:10 with app: rule 2 of `jwt_rules` has a `jwks_uri` that is no address with http or https; no request to its routes passes until then
        Person: istio-request-auth:11 with app: rule 2 of `jwt_rules` has a `jwks_uri` that is no address with http or https; no request to its routes passes until then
        Person: istio-request-auth:12 with app: rule 2 of `jwt_rules` has a `jwks_uri` that is no address with http or https; no request to its routes passes until then
        Person: istio-request-auth:13 with app: rule 2 of `jwt_rules` has a `jwks_uri` that is no address with http or https; no request to its routes passes until then
        Person: istio-request-auth:14 with app: rule 2 of `jwt_rules` has a `jwks_uri` that is no address with http or https; no request to its routes passes until then
        Person: istio-request-auth:15 with app: rule 2 of `jwt_rules` has an empty text in `audiences`; no request to its routes passes until then
        Person: istio-request-auth:16 with app: rule 2 of `jwt_rules` has an item in `claim_to_headers` without a claim, or without a header of letters, digits, '-' and '_'; no request to its routes passes until then
        Person: istio-request-auth:17 with app: rule 2 of `jwt_rules` has an item in `claim_to_headers` without a claim, or without a header of letters, digits, '-' and '_'; no request to its routes passes until then
        Person: istio-request-auth:18 with app: rule 2 of `jwt_rules` has an item in `from_headers` that names no header; no request to its routes passes until then
    "#]],
    );
}

#[test]
fn addresses_are_taken_as_the_api_server_takes_them() {
    for good in [
        "https://dex.example/dex/keys",
        "http://dex.kubeflow.svc.cluster.local:5556/dex/keys?a=b%20c#d",
        "https://10.1.2.3:8443",
        "https://Dex.example?a",
    ] {
        let rule = format!(r#"[{{"issuer": "a", "jwks_uri": "{good}"}}]"#);
        assert_eq!(asked(&[relation(1, "app", &rule)]).problems, [], "{good}");
    }
}
