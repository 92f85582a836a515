//! The endpoint `jwks-ca-cert` (interface `certificate_transfer`): authorities that istiod trusts when it
//! asks issuers of tokens for their keys, beside those of its image.
//!
//! Version 1 of the interface has a list of certificates in the application's databag; version 0 has a
//! chain in that of each unit, which the Python library charmlibs-interfaces-certificate-transfer (1.1.0)
//! reads where there is nothing else.

use juju::relation::{Bag, Databag, DatabagChanges, OwnBag, Relation};

use super::fields::{Fields, json_values};
use super::{Endpoint, Known, Publication, World};
use crate::certificates::single;
use crate::intent::Intent;
use crate::intent::problem::Problem;

/// The key of the certificates in version 1.
const CERTIFICATES: &str = "certificates";

/// The key of the certificates in version 0.
const CHAIN: &str = "chain";

/// The key of the version of the interface, on both sides.
const VERSION: &str = "version";

/// How many bytes the certificates of all relations may have together: half of what Kubernetes stores
/// in one object.
const MOST: usize = 512 * 1024;

/// The endpoint.
pub(super) struct JwksCaCert;

impl Endpoint for JwksCaCert {
    fn name(&self) -> &'static str {
        "jwks-ca-cert"
    }

    fn reads(&self) -> &'static [Bag] {
        &[
            Bag::RemoteApplication,
            Bag::RemoteUnits,
            Bag::OwnApplication,
        ]
    }

    fn request(&self, relations: &[Relation], _: &Known<'_>, intent: &mut Intent) {
        let trusted = &mut intent.extensions.get_or_insert_default().key_authorities;
        for relation in relations {
            match certificates(relation) {
                Ok(certificates) => {
                    let mut all = trusted.clone();
                    all.extend(certificates);
                    if all.iter().map(String::len).sum::<usize>() <= MOST {
                        *trusted = all;
                        continue;
                    }
                    let why = format!(
                        "its certificates and those of older relations have more than {MOST} bytes \
                         together, and none of its own is trusted: send fewer"
                    );
                    intent.problems.push(Problem::of_request(relation, &why));
                }
                Err(problem) => intent.problems.push(problem),
            }
        }
    }

    fn publish(&self, relation: &Relation, world: &World<'_>) -> Vec<Publication> {
        if !world.leader {
            return Vec::new();
        }
        let wanted = DatabagChanges::from([(VERSION.to_owned(), Some("1".to_owned()))]);
        vec![Publication::new(relation, OwnBag::Application, &wanted)]
    }
}

/// The certificates of a relation.
fn certificates(relation: &Relation) -> Result<Vec<String>, Problem> {
    let nothing = Databag::default();
    let application = relation.remote_application.as_ref().unwrap_or(&nothing);
    let units = relation.remote_units.iter().flatten();
    let of_units = units.map(|(_, databag)| (databag, CHAIN));
    let databags = [(application, CERTIFICATES)].into_iter().chain(of_units);
    let mut written = databags.filter(|(databag, key)| databag.get(key).is_some());
    let Some((databag, key)) = written.next() else {
        let why = "has not sent a certificate yet";
        return Err(Problem::not_yet(relation, why));
    };
    read(databag, key).map_err(|why| Problem::of_request(relation, &why))
}

/// Each of the list, which may be empty.
fn read(databag: &Databag, key: &str) -> Result<Vec<String>, String> {
    let values = json_values(databag);
    let mut certificates = Vec::new();
    for (index, text) in Fields(&values).required_texts(key)?.into_iter().enumerate() {
        let read = single(text);
        certificates.extend(read.map_err(|why| format!("item {} of `{key}` {why}", index + 1))?);
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests;
