use expect_test::{Expect, expect};
use juju::relation::Databag;
use juju::tls_certificates::Request;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::certificates::tests::{Authority, key};
use crate::certificates::{Certificate, SigningRequest};
use crate::intent::identity::Identity;
use crate::intent::options::check;
use crate::intent::values::Options;
use crate::intent::{Intent, Target};
use crate::simulated::Simulated;

/// A unit, a provider, and the databags between the two.
struct Play {
    keys: UnitKeys,
    now: Timestamp,
    options: Vec<(&'static str, &'static str)>,
    own: Databag,
    authority: Authority,
    /// What the provider has answered.
    certificates: Vec<Value>,
    errors: Vec<Value>,
    capabilities: Option<Value>,
    observed: Option<Observed>,
}

impl Play {
    /// In the summer of 2030, when what the authority signs is valid.
    fn new() -> Self {
        Self {
            keys: UnitKeys {
                current: Some(key()),
                previous: None,
            },
            now: "2030-06-01T00:00:00Z".parse().unwrap(),
            options: vec![("csr-domain-name", "a.example.test")],
            own: Databag::default(),
            authority: Authority::root(),
            certificates: Vec::new(),
            errors: Vec::new(),
            capabilities: None,
            observed: None,
        }
    }

    fn known(&self) -> Known<'_> {
        Known {
            keys: &self.keys,
            now: self.now,
        }
    }

    fn relation(&self) -> Relation {
        let mut remote = vec![
            (
                "certificates".to_owned(),
                json!(self.certificates).to_string(),
            ),
            ("request_errors".to_owned(), json!(self.errors).to_string()),
        ];
        if let Some(capabilities) = &self.capabilities {
            remote.push(("capabilities".to_owned(), capabilities.to_string()));
        }
        Relation {
            application: Some("authority".parse().unwrap()),
            remote_application: Some(remote.into_iter().collect()),
            own_unit: Some(self.own.clone()),
            ..Relation::new("certificates:3".parse().unwrap())
        }
    }

    fn intent(&self) -> Intent {
        let options: Options = self
            .options
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        let mut intent = Intent::nothing(Identity::new("pilot", "mesh"));
        intent.target = Target::Installed(check(&options).mesh.unwrap());
        Certificates.request(&[self.relation()], &self.known(), &mut intent);
        intent
    }

    /// A hook: what it publishes reaches the databag.
    fn hook(&mut self) {
        let intent = self.intent();
        let world = World {
            intent: &intent,
            observed: self.observed.as_ref(),
            leader: true,
            unit: None,
            known: self.known(),
        };
        if let Some(publication) = Certificates.publish_of_unit(&self.relation(), &world) {
            for (key, value) in publication.changes {
                self.own = [(key, value.unwrap())].into_iter().collect();
            }
        }
    }

    fn requests(&self) -> Vec<Request> {
        tls_certificates::requests(&self.own)
    }

    /// The provider answers the newest request with a certificate of that key.
    fn sign(&mut self, key: &PrivateKey) {
        let request = self.requests().pop().unwrap().certificate_signing_request;
        let certificate = self.authority.sign(key);
        self.certificates.push(json!({
            "certificate": certificate.trim(), "certificate_signing_request": request,
            "ca": self.authority.pem(), "chain": [certificate, self.authority.pem()],
        }));
    }

    fn sign_current(&mut self) {
        let key = self.keys.current.clone().unwrap();
        self.sign(&key);
    }

    /// The shell renews keys where that is needed.
    fn renew_keys(&mut self) {
        let new = || Ok::<_, ()>(key());
        self.keys = keys(&[self.relation()], &self.known(), new).unwrap();
    }

    /// What is served, and what is wrong.
    #[track_caller]
    fn check(&self, expected: &Expect) {
        let intent = self.intent();
        let served = match &intent.ingress.as_ref().unwrap().tls {
            Tls::With(certificate) => {
                let leaf = Certificate::from_pem(&certificate.chain).unwrap();
                assert_eq!(leaf.public_key, certificate.key.public_key());
                let is_current = self.keys.current.as_ref() == Some(&certificate.key);
                let whose = if is_current { "current" } else { "previous" };
                let length = certificate.chain.matches("BEGIN CERTIFICATE").count();
                format!("a chain of {length} with the {whose} key")
            }
            other => format!("{other:?}"),
        };
        let problems = intent.problems.iter();
        let problems = problems.map(|it| format!("\n{:?}: {it}", it.remedy));
        let requests = self.requests().len();
        expected.assert_eq(&format!(
            "{requests} requests; serves {served}{}",
            problems.collect::<String>()
        ));
    }
}

#[test]
fn a_certificate_is_requested_once_and_served_when_it_comes() {
    let mut play = Play::new();
    play.hook();
    play.check(&expect![[r#"
        1 requests; serves AsBefore
        Time: certificates:3 with authority: has not sent a certificate yet; the ingress gateway stays as it is until then"#]]);
    let first = play.requests();
    play.hook();
    assert_eq!(play.requests(), first);
    let request = SigningRequest::from_pem(&first[0].certificate_signing_request).unwrap();
    assert_eq!(request.subjects, ["a.example.test".parse().unwrap()]);
    play.sign_current();
    play.check(&expect![
        "1 requests; serves a chain of 2 with the current key"
    ]);
    play.hook();
    assert_eq!(play.requests(), first);
}

#[test]
fn a_certificate_is_for_the_address_of_the_service_where_nothing_else_is_named() {
    let mut play = Play::new();
    play.options.clear();
    play.hook();
    play.check(&expect![[r#"
        0 requests; serves AsBefore
        Time: certificates:3 with authority: no certificate is requested before the Service istio-ingressgateway-workload has an address: wait for it, or set csr-domain-name; the ingress gateway stays as it is until then"#]]);
    assert!(play.intent().ingress.unwrap().is_watched);
    let mut observed = Observed::default();
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "gateway"},
        "spec": {"type": "LoadBalancer"},
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
    });
    let service = crate::k8s::object::Object::from_value(service).unwrap();
    observed.gateway_service = Some(Some(service));
    play.observed = Some(observed);
    play.hook();
    play.check(&expect![[r#"
        1 requests; serves AsBefore
        Time: certificates:3 with authority: has not sent a certificate yet; the ingress gateway stays as it is until then"#]]);
    play.sign_current();
    // Names are asked for anew, and what is served stays until there is a certificate of them.
    play.options = vec![("csr-domain-name", "a.example.test, b.example.test")];
    play.hook();
    play.check(&expect![
        "2 requests; serves a chain of 2 with the current key"
    ]);
    play.sign_current();
    play.hook();
    play.check(&expect![
        "1 requests; serves a chain of 2 with the current key"
    ]);
}

#[test]
fn what_is_served_stays_until_a_renewal_is_there() {
    let mut play = Play::new();
    play.hook();
    play.sign_current();
    play.now += SignedDuration::from_hours(24 * 150);
    play.hook();
    play.check(&expect![
        "2 requests; serves a chain of 2 with the current key"
    ]);
    let asked = play.requests();
    play.hook();
    assert_eq!(play.requests(), asked);
    play.sign_current();
    let soon = play.certificates.last_mut().unwrap();
    soon["recommended_expiry_notification_time"] = json!(1);
    play.hook();
    play.check(&expect![
        "1 requests; serves a chain of 2 with the current key"
    ]);
    // A provider that does not answer: the certificate ends.
    play.now += SignedDuration::from_hours(24 * 150);
    play.hook();
    play.check(&expect![[r#"
        1 requests; serves AsBefore
        Time: certificates:3 with authority: has not sent a certificate yet; the ingress gateway stays as it is until then"#]]);
}

#[test]
fn the_providers_word_on_renewal_counts_if_it_can_be_kept() {
    for (hours, is_due) in [
        (24 * 300, true),
        (1, false),
        (24 * 400, false),
        (-1, false),
        (i64::MAX, false),
    ] {
        let mut play = Play::new();
        play.hook();
        play.sign_current();
        play.certificates[0]["recommended_expiry_notification_time"] = json!(hours);
        play.hook();
        assert_eq!(play.requests().len() == 2, is_due, "{hours}");
    }
}

#[test]
fn a_new_key_is_used_when_it_has_a_certificate_and_the_old_one_until_then() {
    let mut play = Play::new();
    play.hook();
    play.sign_current();
    for _ in 0..2 {
        let relation = play.relation();
        play.keys = replace_key(&[relation], &play.known(), key());
        play.hook();
        play.renew_keys();
        play.check(&expect![
            "2 requests; serves a chain of 2 with the previous key"
        ]);
    }
    play.sign_current();
    play.check(&expect![
        "2 requests; serves a chain of 2 with the current key"
    ]);
    play.hook();
    play.renew_keys();
    assert_eq!(play.keys.previous, None);
    play.check(&expect![
        "1 requests; serves a chain of 2 with the current key"
    ]);
}

#[test]
fn a_revoked_certificate_is_not_served_and_its_key_not_used_again() {
    let mut play = Play::new();
    play.hook();
    play.sign_current();
    play.certificates[0]["revoked"] = json!(true);
    let before = play.keys.clone();
    play.renew_keys();
    assert_ne!(play.keys.current, before.current);
    play.hook();
    play.check(&expect![[r#"
        1 requests; serves AsBefore
        Time: certificates:3 with authority: has not sent a certificate yet; the ingress gateway stays as it is until then"#]]);
    let once = play.keys.clone();
    play.renew_keys();
    assert_eq!(play.keys, once);
    play.sign_current();
    play.hook();
    play.check(&expect![
        "1 requests; serves a chain of 2 with the current key"
    ]);
}

#[test]
fn certificates_of_other_keys_and_authorities_are_not_served() {
    let mut play = Play::new();
    play.hook();
    play.sign(&key());
    play.check(&expect![[r#"
        1 requests; serves AsBefore
        Person: certificates:3 with authority: has sent a certificate that cannot be read, or not of the requested key: remove the relation, or mend the provider; the ingress gateway stays as it is until then"#]]);
    play.certificates[0]["certificate"] = json!("-----BEGIN CERTIFICATE-----\nMII\n");
    play.check(&expect![[r#"
        1 requests; serves AsBefore
        Person: certificates:3 with authority: has sent a certificate that cannot be read, or not of the requested key: remove the relation, or mend the provider; the ingress gateway stays as it is until then"#]]);
    play.certificates[0]["certificate"] = json!(5);
    play.check(&expect![[r#"
        1 requests; serves AsBefore
        Person: certificates:3 with authority: item 1 of `certificates` cannot be read: invalid type: integer `5`, expected a string; the ingress gateway stays as it is until then"#]]);
}

#[test]
fn a_refusal_is_told_in_the_providers_words() {
    let mut play = Play::new();
    play.hook();
    let request = play.requests()[0].certificate_signing_request.clone();
    let error = |code: i32, message: &str| json!({"csr": request, "error": {"code": code, "name": "X", "message": message}});
    play.errors = vec![error(102, "a.example.test is not ours")];
    play.check(&expect![[r#"
        1 requests; serves AsBefore
        Person: certificates:3 with authority: refuses a certificate: a.example.test is not ours (error 102); set csr-domain-name to what it takes; the ingress gateway stays as it is until then"#]]);
    play.errors = vec![error(201, "the server is away")];
    play.check(&expect![[r#"
        1 requests; serves AsBefore
        Time: certificates:3 with authority: refuses a certificate: the server is away (error 201); the ingress gateway stays as it is until then"#]]);
    play.errors = vec![json!({"csr": "another", "error": {"code": 102, "message": "no"}})];
    play.check(&expect![[r#"
        1 requests; serves AsBefore
        Time: certificates:3 with authority: has not sent a certificate yet; the ingress gateway stays as it is until then"#]]);
}

#[test]
fn what_the_provider_says_it_cannot_do_is_told() {
    let told = |options: &'static str, capabilities: Value| {
        let mut play = Play::new();
        play.options = vec![("csr-domain-name", options)];
        play.capabilities = Some(capabilities);
        play.hook();
        let problems = play.intent().problems;
        problems[0].to_string()
    };
    let lines = [
        told("192.0.2.1", json!({"supports_ip_sans": false})),
        told("*.example.test", json!({"supports_wildcard_dns": false})),
        told(
            "a.example.test",
            json!({"allowed_domains": ["b.test", "c.test"]}),
        ),
        told(
            "a.b.test",
            json!({"allowed_domains": ["b.test"], "supports_ip_sans": true}),
        ),
    ];
    expect![[r#"
        certificates:3 with authority: gives no certificates for addresses, such as 192.0.2.1: set csr-domain-name; the ingress gateway stays as it is until then
        certificates:3 with authority: gives no certificates for *.example.test: set csr-domain-name to names without a `*`; the ingress gateway stays as it is until then
        certificates:3 with authority: gives no certificates for a.example.test: set csr-domain-name to a name below b.test, c.test; the ingress gateway stays as it is until then
        certificates:3 with authority: has not sent a certificate yet; the ingress gateway stays as it is until then"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn a_users_secret_and_the_relation_together_are_a_problem_and_what_works_stays() {
    let mut play = Play::new();
    play.hook();
    play.sign_current();
    play.options
        .push(("tls-secret-id", "secret:jtev7r62i7q37irehseg"));
    play.check(&expect![[r#"
        1 requests; serves AsBefore
        Person: certificates:3 with authority: tls-secret-id is set too: reset the option, or remove the relation; the ingress gateway stays as it is until then"#]]);
    let mut intent = Simulated::new(&[]).intent;
    let before = intent.clone();
    Certificates.request(&[], &Known::NOTHING, &mut intent);
    assert_eq!(intent, before);
}

#[test]
fn a_unit_without_a_key_gets_one_of_its_own() {
    let mut play = Play::new();
    play.keys = UnitKeys::default();
    play.hook();
    assert_eq!(play.requests(), []);
    play.renew_keys();
    play.hook();
    assert_eq!(play.requests().len(), 1);
    // Without a relation nothing is made.
    let none = keys(&[], &Known::NOTHING, || Err("no key")).unwrap();
    assert_eq!(none, UnitKeys::default());
    assert_eq!(
        format!("{:?}", play.keys),
        "UnitKeys { current: Some(PrivateKey), previous: None }"
    );
}
