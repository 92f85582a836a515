//! How the ingress gateway serves HTTPS.

use juju::secret::{SecretAnswer, SecretContent};
use k8s_openapi::jiff::Timestamp;

use super::options::TLS_SECRET_ID;
use super::problem::Problem;
use crate::certificates::{Certificate, PrivateKey};

/// How the ingress gateway serves HTTPS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: nobody asks for it.
    #[default]
    Off,
    /// With this certificate.
    With(ServerCertificate),
    /// As it did before: it is asked for, but there is no certificate that can be used.
    AsBefore,
}

/// What a server needs to serve HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerCertificate {
    /// The certificate and those that lead to its authority, in PEM.
    pub chain: String,
    /// Its key.
    pub key: PrivateKey,
}

/// The keys of a user's secret.
const CERTIFICATE: &str = "tls-crt";
const KEY: &str = "tls-key";

/// What a problem with the certificate means for the gateway.
pub const UNTIL_THEN: &str = "the ingress gateway stays as it is until then";

impl Tls {
    /// What a user's secret asks for. A problem says what is wrong with it, and how to mend that.
    pub fn of_secret(
        answer: &SecretAnswer,
        application: &str,
        now: Timestamp,
    ) -> (Self, Option<Problem>) {
        let read = match answer {
            SecretAnswer::Content(content) => of_content(content, now),
            SecretAnswer::NotFound => {
                Err("there is no such secret: add it with juju add-secret, or \
                                           set another one"
                    .to_owned())
            }
            SecretAnswer::NotGranted => Err(format!(
                "this application may not read it; run: juju grant-secret <name> {application}"
            )),
        };
        match read {
            Ok(tls) => (tls, None),
            Err(why) => {
                let message = format!("{why}; {UNTIL_THEN}");
                (
                    Self::AsBefore,
                    Some(Problem::of_option(TLS_SECRET_ID, message)),
                )
            }
        }
    }
}

fn of_content(content: &SecretContent, now: Timestamp) -> Result<Tls, String> {
    let value = |key| {
        let value = content.get(key);
        value.ok_or_else(|| format!("the secret has no key `{key}`; run: juju update-secret"))
    };
    let (chain, key) = (value(CERTIFICATE)?, value(KEY)?);
    // As the Python charm has it: with either of them empty, HTTPS is off.
    if chain.trim().is_empty() || key.trim().is_empty() {
        return Ok(Tls::Off);
    }
    let of = |key| move |why| format!("`{key}` of the secret {why}; run: juju update-secret");
    let certificate = Certificate::from_pem(chain).map_err(of(CERTIFICATE))?;
    let private = PrivateKey::from_pem(key).map_err(of(KEY))?;
    if certificate.public_key != private.public_key() {
        return Err(format!(
            "`{KEY}` of the secret is not the key of the first certificate in `{CERTIFICATE}`; run: \
             juju update-secret"
        ));
    }
    let when = if certificate.has_expired(now) {
        format!("expired on {}", certificate.last_day())
    } else if now < certificate.begins {
        format!("is not valid before {}", certificate.begins)
    } else {
        return Ok(Tls::With(ServerCertificate {
            chain: chain.to_owned(),
            key: private,
        }));
    };
    Err(format!(
        "`{CERTIFICATE}` of the secret {when}; run: juju update-secret"
    ))
}

#[cfg(test)]
mod tests;
