use k8s_openapi::jiff::SignedDuration;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    date_time_ymd,
};

use super::*;

/// An authority that signs certificates for tests.
pub(crate) struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// The year in which everything that is signed here is valid.
const YEAR: i32 = 2030;

fn parameters(name: &str, is_authority: bool) -> CertificateParams {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    // 365 days.
    parameters.not_before = date_time_ymd(YEAR, 1, 1);
    parameters.not_after = date_time_ymd(YEAR + 1, 1, 1);
    if is_authority {
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    parameters
}

impl Authority {
    /// One that has signed itself.
    pub(crate) fn root() -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let parameters = parameters("root", true);
        let certificate = parameters.self_signed(&key).unwrap().pem();
        Self {
            certificate,
            issuer: Issuer::new(parameters, key),
        }
    }

    /// One that this one has signed.
    pub(crate) fn intermediate(&self, name: &str) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let parameters = parameters(name, true);
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap().pem();
        Self {
            certificate,
            issuer: Issuer::new(parameters, key),
        }
    }

    /// Its certificate.
    pub(crate) fn pem(&self) -> &str {
        &self.certificate
    }

    /// A certificate of that key, valid in the year 2030.
    pub(crate) fn sign(&self, key: &PrivateKey) -> String {
        let certificate = parameters("leaf", false).signed_by(&*key.pair, &self.issuer);
        certificate.unwrap().pem()
    }
}

/// A key, which is made quickly.
pub(crate) fn key() -> PrivateKey {
    PrivateKey::generate(Algorithm::Ecdsa).unwrap()
}

fn subjects(text: &str) -> Vec<Subject> {
    text.split(' ').map(|it| it.parse().unwrap()).collect()
}

#[test]
fn a_key_is_read_in_each_of_its_forms_and_never_shown() {
    for algorithm in [Algorithm::Rsa, Algorithm::Ecdsa] {
        let key = PrivateKey::generate(algorithm).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let read = PrivateKey::from_pem(key.pem()).unwrap();
        assert_eq!(read.public_key(), key.public_key());
        assert_eq!(format!("{key:?}"), "PrivateKey");
    }
    // openssl genrsa -traditional; openssl ecparam -name prime256v1 -genkey.
    let openssl = [
        (Algorithm::Rsa, include_str!("testdata/rsa.pem")),
        (Algorithm::Ecdsa, include_str!("testdata/ec.pem")),
    ];
    for (algorithm, text) in openssl {
        let key = PrivateKey::from_pem(text).unwrap();
        assert_eq!((key.algorithm(), key.pem()), (algorithm, text));
    }
    let junk = "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n";
    let errors = ["", "hunter2", junk].map(|it| PrivateKey::from_pem(it).unwrap_err().to_string());
    assert_eq!(
        errors,
        [
            "is no private key in PEM without a passphrase",
            "is no private key in PEM without a passphrase",
            "is no private key that can be used",
        ]
    );
}

#[test]
fn a_request_is_for_its_subjects_and_read_again() {
    let subjects = subjects("b.example.test *.a.example.test 192.0.2.1 2001:db8::1");
    let key = key();
    let request = SigningRequest::new(&key, &subjects, None).unwrap();
    let read = SigningRequest::from_pem(request.pem()).unwrap();
    assert_eq!(read, request);
    assert_eq!(read.public_key, key.public_key());
    assert_eq!(read.subjects.len(), 4);
    // A renewal is another request.
    let again = SigningRequest::new(&key, &subjects, None).unwrap();
    let renewal = SigningRequest::new(&key, &subjects, Some("old")).unwrap();
    let name = |it: &SigningRequest| unique_part(it.pem());
    assert_eq!(name(&again), name(&request));
    assert_ne!(name(&renewal), name(&request));
    assert!(SigningRequest::from_pem("hunter2").is_err());
}

/// The subject of a request, as bytes.
fn unique_part(pem: &str) -> Vec<u8> {
    use x509_parser::certification_request::X509CertificationRequest;
    use x509_parser::prelude::FromDer as _;
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
    let (_, request) = X509CertificationRequest::from_der(&pem.contents).unwrap();
    request.certification_request_info.subject.as_raw().to_vec()
}

#[test]
fn a_request_has_a_common_name_if_one_is_short_enough() {
    let long = format!("{}.{}.test", "a".repeat(40), "b".repeat(40));
    let key = key();
    for (text, common) in [(format!("{long} short.test"), true), (long, false)] {
        let request = SigningRequest::new(&key, &subjects(&text), None).unwrap();
        let subject = unique_part(request.pem());
        let has = subject.windows(10).any(|it| it == b"short.test");
        assert_eq!(has, common, "{text}");
    }
}

#[test]
fn subjects_are_names_and_addresses() {
    for good in [
        "a",
        "A.Example.test",
        "*.example.test",
        "192.0.2.1",
        "2001:db8::1",
        "3com.test",
    ] {
        assert!(good.parse::<Subject>().is_ok(), "{good}");
    }
    for bad in [
        "",
        "a b",
        "*",
        "*.*.test",
        "a.*.test",
        "192.0.2",
        "192.0.2.256",
        "a_b",
        "-a",
        "ä.test",
    ] {
        assert!(bad.parse::<Subject>().is_err(), "{bad}");
    }
    assert_eq!("A.test".parse(), Ok(Subject::Domain("a.test".to_owned())));
}

#[test]
fn a_certificate_says_when_it_ends_and_whose_it_is() {
    let (root, key) = (Authority::root(), key());
    let certificate = Certificate::from_pem(&root.sign(&key)).unwrap();
    assert_eq!(certificate.public_key, key.public_key());
    assert_eq!(certificate.last_day(), "2031-01-01");
    assert!(!certificate.is_authority && Certificate::from_pem(root.pem()).unwrap().is_authority);
    let end = certificate.expires;
    assert!(certificate.has_expired(end));
    assert!(!certificate.has_expired(end - SignedDuration::from_secs(1)));
    let third = end.duration_since(certificate.renewal()).as_hours() / 24;
    assert_eq!(third, 121);
    let junk = "-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n";
    for bad in ["", "test-cert", junk, key.pem()] {
        assert!(Certificate::from_pem(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_chain_leads_from_the_certificate_to_its_authority_in_whatever_order_it_comes() {
    let root = Authority::root();
    let first = root.intermediate("first");
    let second = first.intermediate("second");
    let leaf = second.sign(&key());
    let read = |texts: &[&str]| -> Vec<Certificate> {
        let read = texts.iter().map(|it| Certificate::from_pem(it).unwrap());
        read.collect()
    };
    let certificate = Certificate::from_pem(&leaf).unwrap();
    let whole: String = [&leaf, second.pem(), first.pem(), root.pem()]
        .map(|it| format!("{}\n", it.trim()))
        .concat();
    let orders: [&[&str]; 3] = [
        &[&leaf, second.pem(), first.pem(), root.pem()],
        &[root.pem(), first.pem(), second.pem(), &leaf],
        &[first.pem(), root.pem(), second.pem(), root.pem()],
    ];
    for order in orders {
        assert_eq!(chain(&certificate, &read(order)), whole);
    }
    // What does not belong to it is left out, and nothing is asked for ever.
    let other = Authority::root();
    let apart = chain(&certificate, &read(&[first.pem(), &leaf]));
    assert_eq!(apart, format!("{}\n", leaf.trim()));
    let own = Certificate::from_pem(other.pem()).unwrap();
    assert_eq!(
        chain(&own, &read(&[other.pem()])),
        format!("{}\n", own.pem())
    );
}

#[test]
fn certificates_are_taken_out_of_a_text_and_nothing_else_is() {
    let (first, second) = (Authority::root().certificate, Authority::root().certificate);
    let key = include_str!("testdata/ec.pem");
    let plain = |text: &str| text.replace("\r\n", "\n");
    let found = single(&format!("# of us\n{first}{key}\n\n{second}")).unwrap();
    assert_eq!(found, [plain(&first), plain(&second)]);
    let broken = first.replacen("MI", "NI", 1);
    let cut = "-----BEGIN CERTIFICATE-----\nMIIB";
    for bad in ["", "CA", key, cut, &broken, &format!("{first}{broken}")] {
        single(bad).unwrap_err();
    }
}
