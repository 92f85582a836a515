//! The endpoint `istio-request-auth` (interface `istio_request_auth`): which tokens of users requests
//! to the ingress gateway may carry.
//!
//! The other side writes its rules as JSON (`charmlibs.interfaces.istio_request_auth` 0.0.3), and
//! hears nothing. A request with a token that no rule takes is refused; one without a token passes, as
//! far as the rules go. From the moment of the relation on, no request reaches the application before
//! its rules are there: it may rely on headers that only they keep clients from writing.

use juju::relation::{Bag, Databag, Relation};
use serde::Deserialize;

use super::fields::is_header;
use super::{Endpoint, Known, Publication, World};
use crate::intent::Intent;
use crate::intent::problem::Problem;
use crate::intent::tokens::{Claim, Place, TokenRule, Tokens};
use crate::k8s::names::is_subdomain;

/// The key of the rules.
const RULES: &str = "jwt_rules";

/// What a problem means as long as it is not known how tokens are checked.
const CLOSED: &str = "; no request to its routes passes until then";

/// The endpoint.
pub(super) struct IstioRequestAuth;

impl Endpoint for IstioRequestAuth {
    fn name(&self) -> &'static str {
        "istio-request-auth"
    }

    fn reads(&self) -> &'static [Bag] {
        &[Bag::RemoteApplication]
    }

    fn request(&self, relations: &[Relation], _: &Known<'_>, intent: &mut Intent) {
        let tokens = &mut intent.ingress.get_or_insert_default().tokens;
        for relation in relations {
            // It is known, as its databag has been read.
            let Some(application) = relation.application.clone() else {
                continue;
            };
            let read = rules(relation);
            let known = tokens.remove(&application);
            let together = match (&read, known) {
                (Ok(rules), None) => Tokens::CheckedBy(rules.clone()),
                (Ok(rules), Some(Tokens::CheckedBy(mut others))) => {
                    others.extend_from_slice(rules);
                    Tokens::CheckedBy(others)
                }
                (Err(_), _) | (_, Some(Tokens::Unknown)) => Tokens::Unknown,
            };
            tokens.insert(application, together);
            if let Err(mut problem) = read {
                problem.message.push_str(CLOSED);
                intent.problems.push(problem);
            }
        }
    }

    fn publish(&self, _: &Relation, _: &World<'_>) -> Vec<Publication> {
        Vec::new()
    }
}

/// The rules of a relation.
fn rules(relation: &Relation) -> Result<Vec<TokenRule>, Problem> {
    let databag = relation.remote_application.as_ref();
    let written = read(databag.unwrap_or(&Databag::default()));
    let written = written.map_err(|why| Problem::of_request(relation, &why))?;
    if written.is_empty() {
        let why = "does not say yet which tokens are valid";
        return Err(Problem::not_yet(relation, why));
    }
    let rules = written.into_iter().enumerate().map(|(index, rule)| {
        let why = |why| format!("rule {} of `{RULES}` {why}", index + 1);
        rule.check().map_err(why)
    });
    let rules = rules.collect::<Result<_, _>>();
    rules.map_err(|why| Problem::of_request(relation, &why))
}

fn read(databag: &Databag) -> Result<Vec<WrittenRule>, String> {
    let text = databag.get(RULES).unwrap_or("null");
    let rules: Result<Option<_>, _> = serde_json::from_str(text);
    let rules = rules.map_err(|error| format!("`{RULES}` cannot be read: {error}"))?;
    Ok(rules.unwrap_or_default())
}

/// A rule as the other side writes it. A list that is not set is `null` there, or missing.
#[derive(Deserialize)]
struct WrittenRule {
    issuer: String,
    jwks_uri: Option<String>,
    audiences: Option<Vec<String>>,
    forward_original_token: Option<bool>,
    claim_to_headers: Option<Vec<WrittenClaim>>,
    from_headers: Option<Vec<WrittenPlace>>,
}

#[derive(Deserialize)]
struct WrittenClaim {
    header: String,
    claim: String,
}

#[derive(Deserialize)]
struct WrittenPlace {
    name: String,
    prefix: Option<String>,
}

impl WrittenRule {
    /// Checks what the API server and istiod would: one rule that they refuse would hold them all.
    fn check(self) -> Result<TokenRule, String> {
        if self.issuer.is_empty() {
            return Err("has an empty `issuer`".to_owned());
        }
        match &self.jwks_uri {
            Some(keys) if !is_address(keys) => {
                return Err("has a `jwks_uri` that is no address with http or https".to_owned());
            }
            None if !is_address(&self.issuer) => {
                return Err(
                    "has no `jwks_uri`, and its `issuer` is no address that could be asked for keys"
                        .to_owned(),
                );
            }
            _ => {}
        }
        let audiences = self.audiences.unwrap_or_default();
        if audiences.iter().any(String::is_empty) {
            return Err("has an empty text in `audiences`".to_owned());
        }
        let claims = self.claim_to_headers.unwrap_or_default();
        if claims
            .iter()
            .any(|it| !is_plain(&it.header) || it.claim.is_empty())
        {
            return Err(
                "has an item in `claim_to_headers` without a claim, or without a header of letters, \
                 digits, '-' and '_'"
                    .to_owned(),
            );
        }
        let places = self.from_headers.unwrap_or_default();
        if places.iter().any(|it| !is_header(&it.name)) {
            return Err("has an item in `from_headers` that names no header".to_owned());
        }
        let claim = |WrittenClaim { header, claim }| Claim { header, claim };
        let place = |WrittenPlace { name, prefix }| Place {
            header: name,
            prefix,
        };
        Ok(TokenRule {
            issuer: self.issuer,
            keys: self.jwks_uri,
            audiences,
            forward: self.forward_original_token,
            claims: claims.into_iter().map(claim).collect(),
            places: places.into_iter().map(place).collect(),
        })
    }
}

/// Whether the API server takes a text as an address with the scheme http or https, at most 2048
/// bytes long (the rules of `jwksUri`).
fn is_address(text: &str) -> bool {
    let rest = ["http://", "https://"]
        .into_iter()
        .find_map(|it| text.strip_prefix(it));
    let Some(rest) = rest.filter(|_| text.len() <= 2048) else {
        return false;
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let is_port = port.parse().is_ok_and(|it: u16| it > 0);
    is_subdomain(&host.to_ascii_lowercase()) && is_port && is_escaped(path)
}

/// Whether a part of an address has only characters that may be there, and only whole escapes.
fn is_escaped(path: &str) -> bool {
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let is_whole = match byte {
            b'%' => (0..2).all(|_| bytes.next().is_some_and(|it| it.is_ascii_hexdigit())),
            _ => byte.is_ascii_graphic(),
        };
        if !is_whole {
            return false;
        }
    }
    true
}

/// Whether a header may carry a claim (the pattern of `outputClaimToHeaders`).
fn is_plain(header: &str) -> bool {
    let is_part = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_');
    !header.is_empty() && header.bytes().all(is_part)
}

#[cfg(test)]
mod tests;
