//! What checks the tokens of requests.

use super::*;
use crate::intent::tokens::{Claim, Place, TokenRule};

fn rule(issuer: &str) -> TokenRule {
    TokenRule {
        issuer: issuer.to_owned(),
        keys: None,
        audiences: Vec::new(),
        forward: None,
        claims: Vec::new(),
        places: Vec::new(),
    }
}

#[test]
fn tokens_are_checked_by_one_resource_of_each_application() {
    let whole = TokenRule {
        keys: Some("https://a/keys".to_owned()),
        audiences: vec!["b".to_owned()],
        forward: Some(true),
        claims: vec![Claim {
            header: "x-user".to_owned(),
            claim: "email".to_owned(),
        }],
        places: vec![
            Place {
                header: "authorization".to_owned(),
                prefix: Some("Bearer ".to_owned()),
            },
            Place {
                header: "x-token".to_owned(),
                prefix: None,
            },
        ],
        ..rule("https://a")
    };
    let rules = Tokens::CheckedBy(vec![whole, rule("https://c")]);
    let ingress = Ingress {
        tokens: [("app".parse().unwrap(), rules)].into(),
        ..Ingress::default()
    };
    let expected = json!({
        "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication",
        "metadata": {"name": "request-auth-app-pilot", "namespace": "mesh"},
        "spec": {
            "selector": {"matchLabels": {"istio": "ingressgateway"}},
            "jwtRules": [
                {
                    "issuer": "https://a", "jwksUri": "https://a/keys", "audiences": ["b"],
                    "forwardOriginalToken": true,
                    "outputClaimToHeaders": [{"header": "x-user", "claim": "email"}],
                    "fromHeaders": [
                        {"name": "authorization", "prefix": "Bearer "}, {"name": "x-token"},
                    ],
                },
                {"issuer": "https://c"},
            ],
        },
    });
    let objects = objects_of(ingress);
    assert_eq!(objects[0], expected);
    assert_eq!(objects[1]["kind"], "Gateway");
}
