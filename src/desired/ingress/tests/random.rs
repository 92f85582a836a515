//! Whatever the other side of a relation writes: nothing fails, and the objects of another relation
//! stay as they are.

use juju::relation::{Databag, Relation};
use k8s_openapi::jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::decide::{Facts, Secrets, decide};
use crate::endpoints::{self, Relations, World};
use crate::intent::identity::Identity;
use crate::intent::values::Options;
use crate::k8s::kind::VIRTUAL_SERVICE;

/// A databag of the other side, as it should be.
type Valid = (&'static str, &'static [(&'static str, &'static str)]);

const VALID: [Valid; 11] = [
    (
        "ingress",
        &[
            ("_supported_versions", "- v1\n"),
            (
                "data",
                "port: 80\nprefix: /other/\nrewrite: /\nservice: other\n",
            ),
        ],
    ),
    (
        "ingress",
        &[
            ("_supported_versions", "- v1\n- v2\n"),
            (
                "data",
                "namespace: shop\nport: 80\nprefix: /good/deeper\nservice: other\n",
            ),
        ],
    ),
    (
        "ingress",
        &[
            ("_supported_versions", "[\"v1\"]"),
            (
                "data",
                "{\"service\": \"good\", \"port\": 5556, \"prefix\": \"/good\"}",
            ),
        ],
    ),
    (
        "ingress-auth",
        &[
            ("_supported_versions", "- v1\n"),
            (
                "data",
                "allowed-request-headers:\n- cookie\nport: 8080\nservice: oidc\n",
            ),
        ],
    ),
    (
        "forward-auth",
        &[
            (
                "decisions_address",
                "http://oathkeeper.mesh.svc.cluster.local:4456/decisions",
            ),
            ("app_names", "[\"good\"]"),
            ("headers", "[\"X-User\"]"),
        ],
    ),
    (
        "certificates",
        &[
            (
                "certificates",
                "[{\"certificate\": \"C\", \"certificate_signing_request\": \"R\", \"ca\": \"A\", \"chain\": [\"C\"]}]",
            ),
            (
                "request_errors",
                "[{\"csr\": \"R\", \"error\": {\"code\": 101, \"message\": \"no\"}}]",
            ),
            ("capabilities", "{\"supports_ip_sans\": false}"),
        ],
    ),
    (
        "istio-request-auth",
        &[(
            "jwt_rules",
            "[{\"issuer\": \"https://dex\", \"jwks_uri\": \"https://dex/keys\", \"from_headers\": [{\"name\": \"a\"}]}]",
        )],
    ),
    (
        "istio-ingress-config",
        &[
            ("ext_authz_service_name", "opa.mesh.svc.cluster.local"),
            ("ext_authz_port", "9191"),
            ("ext_authz_protocol", "http"),
            ("include_headers_in_check", "[\"cookie\"]"),
        ],
    ),
    (
        "workload-tracing",
        &[(
            "receivers",
            "[{\"protocol\": {\"name\": \"otlp_grpc\", \"type\": \"grpc\"}, \"url\": \"tempo.cos.svc:4317\"}]",
        )],
    ),
    (
        "jwks-ca-cert",
        &[
            (
                "certificates",
                "[\"-----BEGIN CERTIFICATE-----\\nMA==\\n-----END CERTIFICATE-----\"]",
            ),
            ("version", "1"),
        ],
    ),
    ("istio-pilot", &[("_supported_versions", "- v1\n")]),
];

/// What stands where something else stood.
const JUNK: [&str; 16] = [
    "",
    "\0",
    "\n",
    "'",
    "\"",
    "{",
    "[",
    "- ",
    ": ",
    "&a *a",
    "!!binary",
    "null",
    "true",
    "-1",
    "99999999999999999999",
    "\u{202e}é",
];

/// One edit of a text: where, how much goes, and what comes.
#[derive(Clone, Debug)]
struct Edit {
    at: Index,
    length: usize,
    junk: Index,
}

impl Edit {
    fn apply(&self, text: &str) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        let at = self.at.index(letters.len() + 1);
        let end = letters.len().min(at + self.length);
        letters.splice(at..end, self.junk.get(&JUNK).chars());
        letters.into_iter().collect()
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let parts = (any::<Index>(), 0..12_usize, any::<Index>());
    parts.prop_map(|(at, length, junk)| Edit { at, length, junk })
}

fn relation(id: &str, application: &str, bag: Databag) -> Relation {
    Relation {
        application: Some(application.parse().unwrap()),
        remote_application: Some(bag),
        own_application: Some(Databag::default()),
        own_unit: Some(Databag::default()),
        ..Relation::new(id.parse().unwrap())
    }
}

/// The route of the relation that is well.
fn good() -> Relation {
    let data = "port: 80\nprefix: /good\nservice: good\n";
    let bag = Databag::from([("_supported_versions", "- v1\n"), ("data", data)]);
    relation("ingress:1", "good", bag)
}

fn facts(endpoint: &'static str, bag: Databag) -> Facts {
    let mut relations = Relations::from([("ingress", vec![good()])]);
    let other = relation(&format!("{endpoint}:2"), "other", bag);
    relations.entry(endpoint).or_default().push(other);
    Facts {
        forces_upgrade: false,
        identity: Identity::new("pilot", "mesh"),
        leader: true,
        options: Options::new(),
        relations,
        unit: None,
        secrets: Secrets::default(),
        now: Timestamp::default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn junk_of_one_relation_is_its_own_problem(
        valid in any::<Index>(),
        edits in proptest::collection::vec((any::<Index>(), edit()), 0..5),
    ) {
        let (endpoint, bag) = valid.get(&VALID);
        let mut values: Vec<(String, String)> = bag
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        for (which, edit) in &edits {
            let which = which.index(values.len());
            values[which].1 = edit.apply(&values[which].1);
        }
        let facts = facts(endpoint, values.into_iter().collect());
        let intent = decide(&facts);
        let world = World {
            intent: &intent,
            observed: None,
            leader: true,
            unit: None,
            known: facts.known(),
        };
        let own = |it: &endpoints::Publication| it.relation.to_string();
        let published = endpoints::publications(&facts.relations, &world);
        prop_assert!(published.iter().map(own).any(|it| it == "ingress:1"));
        // Whatever comes before it, the route of the other relation leads where it did.
        let objects = objects(&intent).unwrap();
        let mut services = objects.iter().filter(|it| it.is(&VIRTUAL_SERVICE));
        let service = services.find(|it| it.id().name == "good").unwrap();
        let last = service.at("/spec/http").unwrap().as_array().unwrap().last().unwrap();
        let host = &last["route"][0]["destination"]["host"];
        prop_assert_eq!(host, "good.mesh.svc.cluster.local");
        prop_assert_eq!(&last["match"][0]["uri"]["prefix"], "/good");
    }
}
