//! What checks the tokens of requests.

use std::collections::BTreeMap;

use istio_api::security::RequestAuthentication;
use istio_api::security::request_authentication::{
    ClaimToHeader, JwtHeader, JwtRule, RequestAuthenticationSpec,
};
use istio_api::selector::WorkloadSelector;
use juju::names::ApplicationName;

use crate::desired::gateway::SELECTOR;
use crate::intent::identity::Identity;
use crate::intent::tokens::{Claim, Place, TokenRule};
use crate::istio::names::request_authentication;

/// The rules of one application, at the gateway's pods.
pub(super) fn authentication(
    application: &ApplicationName,
    rules: &[TokenRule],
    identity: &Identity,
) -> RequestAuthentication {
    let (label, of_gateway) = SELECTOR;
    let labels = BTreeMap::from([(label.to_owned(), of_gateway.to_owned())]);
    let specification = RequestAuthenticationSpec {
        selector: Some(WorkloadSelector {
            match_labels: Some(labels),
        }),
        jwt_rules: Some(rules.iter().map(rule).collect()),
        ..RequestAuthenticationSpec::default()
    };
    let name = request_authentication(application.as_str(), identity.application());
    let mut authentication = RequestAuthentication::new(&name, specification);
    authentication.metadata.namespace = Some(identity.namespace().to_owned());
    authentication
}

fn rule(rule: &TokenRule) -> JwtRule {
    let TokenRule {
        issuer,
        keys,
        audiences,
        forward,
        claims,
        places,
    } = rule;
    let claim = |it: &Claim| ClaimToHeader {
        header: it.header.clone(),
        claim: it.claim.clone(),
    };
    let place = |it: &Place| JwtHeader {
        name: it.header.clone(),
        prefix: it.prefix.clone(),
    };
    JwtRule {
        issuer: Some(issuer.clone()),
        jwks_uri: keys.clone(),
        audiences: some(audiences.clone()),
        forward_original_token: *forward,
        output_claim_to_headers: some(claims.iter().map(claim).collect()),
        from_headers: some(places.iter().map(place).collect()),
        ..JwtRule::default()
    }
}

/// A list, which is left out where it is empty.
fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|it| !it.is_empty())
}
