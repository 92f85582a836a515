//! What this unit has asked a provider for, and what it got.

use juju::relation::Relation;
use juju::tls_certificates::{Capabilities, Issued, Provided, RefusalReason, Request, requests};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::keys::UnitKeys;
use crate::certificates::{Certificate, PrivateKey, SigningRequest, Subject, chain};
use crate::endpoints::Known;
use crate::intent::problem::Problem;
use crate::intent::tls::{ServerCertificate, Tls, UNTIL_THEN};

/// What this unit has asked for, and what it got.
pub(super) struct Exchange<'a> {
    /// The requests, the oldest first.
    requests: Vec<SigningRequest>,
    provided: Provided,
    keys: &'a UnitKeys,
    now: Timestamp,
}

/// A certificate that answers one of our requests.
struct Answer<'a> {
    request: &'a SigningRequest,
    key: &'a PrivateKey,
    certificate: Certificate,
    others: Vec<Certificate>,
    renewal: Timestamp,
    is_revoked: bool,
}

impl Answer<'_> {
    fn is_usable(&self, now: Timestamp) -> bool {
        !self.is_revoked && !self.certificate.has_expired(now)
    }
}

impl<'a> Exchange<'a> {
    pub(super) fn of(relation: &Relation, known: &Known<'a>) -> Self {
        let written = relation.own_unit.iter().flat_map(requests);
        let read =
            written.filter_map(|it| SigningRequest::from_pem(&it.certificate_signing_request).ok());
        let provided = relation.remote_application.as_ref();
        Self {
            requests: read.collect(),
            provided: provided.map(Provided::read).unwrap_or_default(),
            keys: known.keys,
            now: known.now,
        }
    }

    /// How the gateway serves HTTPS, and what is wrong. `service` is the one whose address a
    /// certificate is for, where the options name nothing else.
    pub(super) fn tls(&self, relation: &Relation, service: Option<&str>) -> (Tls, Option<Problem>) {
        let problem = self.problem(relation);
        if let Some(answer) = self.served() {
            let served = ServerCertificate {
                chain: chain(&answer.certificate, &answer.others),
                key: answer.key.clone(),
            };
            return (Tls::With(served), problem);
        }
        let mut problem = problem.unwrap_or_else(|| self.waits(relation, service));
        problem.message = format!("{}; {UNTIL_THEN}", problem.message);
        (Tls::AsBefore, Some(problem))
    }

    /// The requests that the databag should hold: that of the certificate which is served, and one
    /// for what should be served, where that is another. `None` when none can be made.
    pub(super) fn requests(&self, subjects: &[Subject]) -> Option<Vec<Request>> {
        let key = self.keys.current.as_ref()?;
        let served = self.served();
        let wanted = if let Some(pending) = self.pending(key, subjects) {
            pending.clone()
        } else {
            let replaces = self.newest(key).map(|it| it.certificate);
            let replaces = replaces.as_ref().map(Certificate::pem);
            SigningRequest::new(key, subjects, replaces).ok()?
        };
        let kept = served.map(|it| it.request.pem().to_owned());
        let mut texts: Vec<String> = kept.into_iter().collect();
        if !texts.iter().any(|it| it == wanted.pem()) {
            texts.push(wanted.pem().to_owned());
        }
        let requests = texts
            .into_iter()
            .map(|certificate_signing_request| Request {
                certificate_signing_request,
                ca: false,
            });
        Some(requests.collect())
    }

    /// The keys after this one becomes the current one. What is served keeps its key.
    pub(super) fn with_key(&self, key: PrivateKey) -> UnitKeys {
        let served = self.served();
        UnitKeys {
            current: Some(key),
            previous: served.map(|it| it.key.clone()),
        }
    }

    /// The keys without one that is needed no longer.
    pub(super) fn needed_keys(&self) -> UnitKeys {
        let served = self.served();
        let previous = self.keys.previous.as_ref();
        UnitKeys {
            current: self.keys.current.clone(),
            previous: previous
                .filter(|it| served.is_some_and(|served| served.key == *it))
                .cloned(),
        }
    }

    /// Whether this unit needs another key: it has none, or a certificate of it was revoked, as one
    /// does with keys that somebody else may have.
    pub(super) fn needs_key(&self) -> bool {
        let Some(key) = &self.keys.current else {
            return true;
        };
        self.answers().any(|it| it.is_revoked && it.key == key)
    }

    /// The certificate to serve: of the newest request that has one.
    fn served(&self) -> Option<Answer<'_>> {
        self.answers().filter(|it| it.is_usable(self.now)).last()
    }

    /// The newest certificate of a key, usable or not.
    fn newest(&self, key: &PrivateKey) -> Option<Answer<'_>> {
        self.answers().filter(|it| it.key == key).last()
    }

    /// The newest request of that key for those subjects that is still to be answered, or whose
    /// certificate needs no renewal.
    fn pending(&self, key: &PrivateKey, subjects: &[Subject]) -> Option<&SigningRequest> {
        let mut sorted = subjects.to_vec();
        sorted.sort();
        let public_key = key.public_key();
        let fits = |it: &&SigningRequest| it.subjects == sorted && it.public_key == public_key;
        let request = self.requests.iter().rfind(fits)?;
        let answer = self.answers().find(|it| it.request == request);
        let is_over = answer.is_some_and(|it| !it.is_usable(self.now) || self.now >= it.renewal);
        (!is_over).then_some(request)
    }

    /// The certificates of our requests and keys, in the order of the requests.
    fn answers(&self) -> impl Iterator<Item = Answer<'_>> {
        self.requests.iter().filter_map(|it| self.answer(it))
    }

    /// What the provider last answered to a request.
    fn issued(&self, request: &SigningRequest) -> Option<&Issued> {
        let mut certificates = self.provided.certificates.iter();
        certificates.rfind(|it| it.answers(request.pem()))
    }

    fn answer<'s>(&'s self, request: &'s SigningRequest) -> Option<Answer<'s>> {
        let issued = self.issued(request)?;
        let certificate = Certificate::from_pem(&issued.certificate).ok()?;
        let key = self.keys.with(&certificate.public_key)?;
        let others = issued.chain.iter().flatten().chain([&issued.ca]);
        let hours = issued.recommended_expiry_notification_time;
        let recommended = hours.and_then(|it| {
            let before = SignedDuration::try_from_hours(it)?;
            certificate.expires.checked_sub(before).ok()
        });
        // One that recommends more than the whole validity would be asked again and again.
        let recommended = recommended.filter(|it| *it > certificate.begins);
        Some(Answer {
            request,
            key,
            others: others
                .filter_map(|it| Certificate::from_pem(it).ok())
                .collect(),
            renewal: recommended.unwrap_or_else(|| certificate.renewal()),
            is_revoked: issued.revoked == Some(true),
            certificate,
        })
        .filter(|it| !it.certificate.is_authority)
    }

    /// Why nothing is served although nothing is known to be wrong.
    fn waits(&self, relation: &Relation, service: Option<&str>) -> Problem {
        let not_yet = |why: &str| Problem::not_yet(relation, why);
        let Some(request) = self.requests.last() else {
            return match service {
                Some(service) => not_yet(&format!(
                    "no certificate is requested before the Service {service} has an address: wait \
                     for it, or set csr-domain-name"
                )),
                None => not_yet("no certificate is requested yet"),
            };
        };
        let issued = self.issued(request);
        let is_revoked = issued.is_some_and(|it| it.revoked == Some(true));
        match self.answer(request) {
            _ if is_revoked => not_yet("has revoked the certificate, and not sent another yet"),
            Some(Answer { certificate, .. }) => not_yet(&format!(
                "has not renewed the certificate, which expired on {}",
                certificate.last_day()
            )),
            None if issued.is_some() => Problem::of_request(
                relation,
                "has sent a certificate that cannot be read, or not of the requested key: remove the \
                 relation, or mend the provider",
            ),
            None => not_yet("has not sent a certificate yet"),
        }
    }

    /// What is wrong; `None` while all is well, and while nothing is known to be wrong.
    fn problem(&self, relation: &Relation) -> Option<Problem> {
        let newest = self.requests.last();
        let refusals = self.provided.refusals.iter();
        let refusal = newest.and_then(|it| {
            let mut of_request = refusals.filter(|refusal| refusal.csr.trim() == it.pem());
            of_request.next_back()
        });
        if let Some(refusal) = refusal {
            return Some(refused(relation, &refusal.error));
        }
        let limits = self.provided.capabilities.as_ref();
        if let (Some(limits), Some(request)) = (limits, newest)
            && let Some(why) = beyond(limits, &request.subjects)
        {
            return Some(Problem::of_request(relation, &why));
        }
        let unreadable = self.provided.unreadable.first()?;
        Some(Problem::of_request(relation, unreadable))
    }
}

fn refused(relation: &Relation, reason: &RefusalReason) -> Problem {
    let RefusalReason { code, message } = reason;
    let why = format!("refuses a certificate: {message} (error {code})");
    if reason.is_passing() {
        Problem::not_yet(relation, &why)
    } else {
        Problem::of_request(
            relation,
            &format!("{why}; set csr-domain-name to what it takes"),
        )
    }
}

/// What is asked for beyond what the provider says that it can do.
fn beyond(limits: &Capabilities, subjects: &[Subject]) -> Option<String> {
    let no_addresses = limits.supports_ip_sans == Some(false);
    let no_wildcards = limits.supports_wildcard_dns == Some(false);
    let is_allowed = |name: &str| {
        let domains = limits.allowed_domains.as_ref();
        domains.is_none_or(|domains| {
            let is_below = |it: &String| name == it || name.ends_with(&format!(".{it}"));
            domains.is_empty() || domains.iter().any(is_below)
        })
    };
    subjects.iter().find_map(|subject| match subject {
        Subject::Address(address) if no_addresses => Some(format!(
            "gives no certificates for addresses, such as {address}: set csr-domain-name"
        )),
        Subject::Domain(name) if no_wildcards && name.starts_with('*') => Some(format!(
            "gives no certificates for {name}: set csr-domain-name to names without a `*`"
        )),
        Subject::Domain(name) if !is_allowed(name) => Some(format!(
            "gives no certificates for {name}: set csr-domain-name to a name below {}",
            limits
                .allowed_domains
                .iter()
                .flatten()
                .cloned()
                .collect::<Vec<_>>()
                .join(", ")
        )),
        _ => None,
    })
}
