use expect_test::expect;

use super::*;
use crate::certificates::tests::{Authority, key};

/// What a secret with these keys and values asks for, in words.
fn told(values: &[(&str, &str)], now: &str) -> String {
    let values = values.iter();
    let values = values.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let content = SecretContent::new(values).unwrap();
    let (tls, problem) = Tls::of_secret(
        &SecretAnswer::Content(content),
        "pilot",
        now.parse().unwrap(),
    );
    match problem {
        Some(problem) => {
            assert_eq!(tls, Tls::AsBefore);
            problem.to_string()
        }
        None => match tls {
            Tls::With(_) => "served".to_owned(),
            other => format!("{other:?}"),
        },
    }
}

fn pair<'a>(certificate: &'a str, key: &'a str) -> [(&'static str, &'a str); 2] {
    [("tls-crt", certificate), ("tls-key", key)]
}

#[test]
fn a_users_certificate_is_served_or_it_is_said_what_is_wrong_with_it() {
    let (authority, own, other) = (Authority::root(), key(), key());
    let certificate = authority.sign(&own);
    let chain = format!("{certificate}{}", authority.pem());
    let now = "2030-06-01T00:00:00Z";
    let lines = [
        told(&pair(&certificate, own.pem()), now),
        told(&pair(&chain, own.pem()), now),
        told(&pair("", own.pem()), now),
        told(&pair(&chain, ""), now),
        told(&[("tls-crt", &certificate)], now),
        told(&[("tls-key", own.pem())], now),
        told(&pair("test-cert", "test-key"), now),
        told(&pair(&certificate, "test-key"), now),
        told(&pair(&certificate, other.pem()), now),
        told(&pair(&certificate, own.pem()), "2031-06-01T00:00:00Z"),
        told(&pair(&certificate, own.pem()), "2029-06-01T00:00:00Z"),
    ];
    expect![[r#"
        served
        served
        Off
        Off
        tls-secret-id: the secret has no key `tls-key`; run: juju update-secret; the ingress gateway stays as it is until then
        tls-secret-id: the secret has no key `tls-crt`; run: juju update-secret; the ingress gateway stays as it is until then
        tls-secret-id: `tls-crt` of the secret is no certificate in PEM; run: juju update-secret; the ingress gateway stays as it is until then
        tls-secret-id: `tls-key` of the secret is no private key in PEM without a passphrase; run: juju update-secret; the ingress gateway stays as it is until then
        tls-secret-id: `tls-key` of the secret is not the key of the first certificate in `tls-crt`; run: juju update-secret; the ingress gateway stays as it is until then
        tls-secret-id: `tls-crt` of the secret expired on 2031-01-01; run: juju update-secret; the ingress gateway stays as it is until then
        tls-secret-id: `tls-crt` of the secret is not valid before 2030-01-01T00:00:00Z; run: juju update-secret; the ingress gateway stays as it is until then"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn a_secret_that_cannot_be_read_is_a_problem_with_its_command() {
    let told = |answer| {
        let (_, problem) = Tls::of_secret(&answer, "pilot", Timestamp::UNIX_EPOCH);
        problem.unwrap().to_string()
    };
    let lines = [told(SecretAnswer::NotFound), told(SecretAnswer::NotGranted)];
    expect![[r#"
        tls-secret-id: there is no such secret: add it with juju add-secret, or set another one; the ingress gateway stays as it is until then
        tls-secret-id: this application may not read it; run: juju grant-secret <name> pilot; the ingress gateway stays as it is until then"#]].assert_eq(&lines.join("\n"));
}
