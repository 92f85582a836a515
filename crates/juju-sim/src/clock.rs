//! Times as Juju prints them, and the random names it makes up.

use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

use k8s_openapi::jiff::Timestamp;

/// Seconds since 1970, UTC.
pub(crate) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        })
}

fn format(seconds: i64, format: &str) -> String {
    Timestamp::from_second(seconds)
        .unwrap_or_default()
        .strftime(format)
        .to_string()
}

/// `2026-11-23 17:13:54Z`, the form of `goal-state`.
pub(crate) fn long(seconds: i64) -> String {
    format(seconds, "%Y-%m-%d %H:%M:%SZ")
}

/// `17:13:54Z`, the form of the status header.
pub(crate) fn short(seconds: i64) -> String {
    format(seconds, "%H:%M:%SZ")
}

/// `17:13:54`, the form of the debug log.
pub(crate) fn log(seconds: i64) -> String {
    format(seconds, "%H:%M:%S")
}

fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Reading /dev/urandom does not fail on a Linux machine that can run a charm at all; with
    // zeroes the names would still be valid, only not unique.
    let _ = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    bytes
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A random UUID (version 4).
pub(crate) fn uuid() -> String {
    let mut bytes: [u8; 16] = random_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex(&bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    )
}

/// 32 hexadecimal digits, the random end of `JUJU_CONTEXT_ID`.
pub(crate) fn context_suffix() -> String {
    hex(&random_bytes::<16>())
}

/// A secret identifier: 20 characters of `0-9a-v`.
pub(crate) fn secret_id() -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    random_bytes::<20>()
        .iter()
        .map(|byte| char::from(DIGITS[usize::from(byte & 31)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_look_like_the_recorded_ones() {
        assert_eq!(long(1_795_454_034), "2026-11-23 17:13:54Z");
        assert_eq!(short(1_795_454_034), "17:13:54Z");
    }

    #[test]
    fn random_names_have_jujus_form() {
        assert_eq!(uuid().len(), 36);
        assert_ne!(uuid(), uuid());
        assert!(
            secret_id()
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'v').contains(&b))
        );
        assert_eq!(context_suffix().len(), 32);
    }
}
