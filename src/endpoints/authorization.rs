//! Who checks requests to the ingress gateway: what the endpoints `ingress-auth` and `forward-auth`
//! ask for, settled among both, as only one service can.
//!
//! From the moment of a relation on, no request passes unchecked: until one of them has said which
//! service checks them, the gateway stays closed.

use juju::relation::Relation;

use super::{Relations, forward_auth, ingress_auth, of};
use crate::intent::Intent;
use crate::intent::ingress::{Authorization, Authorizer};
use crate::intent::problem::Problem;

/// What a problem means as long as nobody checks requests.
const CLOSED: &str = "; the ingress gateway is closed until then";

/// What a problem says of a relation whose other side has written nothing.
pub(super) const NOT_SAID: &str = "does not say yet which service checks requests";

/// A relation, with the service that checks requests.
type Candidate<'a> = (&'a Relation, Authorizer);

/// Adds to the intent who checks requests: the service of the oldest relation that names one which
/// can be used. So neither a mistake nor another relation changes who does.
pub(super) fn settle(relations: &Relations, intent: &mut Intent) {
    let namespace = intent.identity.namespace().to_owned();
    let by_ingress_auth = of(relations, &ingress_auth::IngressAuth).iter();
    let by_forward_auth = of(relations, &forward_auth::ForwardAuth).iter();
    let read = by_ingress_auth
        .map(|it| (it, ingress_auth::authorizer(it, &namespace)))
        .chain(by_forward_auth.map(|it| (it, forward_auth::authorizer(it))));
    let (mut candidates, mut problems) = (Vec::<Candidate<'_>>::new(), Vec::new());
    let mut is_asked = false;
    for (relation, authorizer) in read {
        is_asked = true;
        match authorizer {
            Ok(authorizer) => candidates.push((relation, authorizer)),
            Err(problem) => problems.push(problem),
        }
    }
    candidates.sort_by_key(|(relation, _)| relation.id.number());
    let mut candidates = candidates.into_iter();
    let first = candidates.next();
    if let Some((first, _)) = &first {
        problems.extend(candidates.map(|(relation, _)| second(relation, first)));
    } else {
        let messages = problems.iter_mut().map(|it| &mut it.message);
        messages.for_each(|it| it.push_str(CLOSED));
    }
    intent.problems.extend(problems);
    intent.ingress.get_or_insert_default().authorization = match first {
        Some((_, authorizer)) => Authorization::By(authorizer),
        None if is_asked => Authorization::Unknown,
        None => Authorization::Nobody,
    };
}

/// What is wrong with a relation that is not the first to name a service.
fn second(relation: &Relation, first: &Relation) -> Problem {
    let why = format!(
        "only one application can check requests, and {first} does: remove one of the two relations"
    );
    Problem::of_request(relation, &why)
}

#[cfg(test)]
mod tests;
