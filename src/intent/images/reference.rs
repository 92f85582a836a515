//! References of images, by the grammar that container runtimes and kubelets use.
//!
//! The grammar is that of the Go package `github.com/distribution/reference` (`reference.go`,
//! `regexp.go` and `normalize.go`). Crates that know it say only that a reference is invalid; here
//! people read what is wrong with it.

use std::fmt;

use crate::text::{code_point, quoted, unseen};

/// A reference that a container runtime accepts, in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    /// Registry, if it names one, and repository.
    pub(super) name: &'a str,
    pub(super) tag: Option<&'a str>,
    pub(super) digest: Option<&'a str>,
}

/// What is wrong with a reference. Its words continue a sentence that begins with the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Empty,
    Unseen(char),
    Space,
    Scheme,
    TooLong,
    EmptyPart,
    Host(String),
    Capitals(String),
    Component(String),
    Tag(String),
    Digest(String),
}

/// The longest name, in bytes. The OCI Distribution Specification counts the registry too
/// ("Pulling manifests"), and so some registries and clients do.
const LONGEST_NAME: usize = 255;

/// Reads a reference such as `docker.io/istio/pilot:1.31.4` or `busybox@sha256:…`.
///
/// # Errors
/// The first thing that no container runtime accepts.
pub(super) fn parse(text: &str) -> Result<Reference<'_>, Fault> {
    if text.is_empty() {
        return Err(Fault::Empty);
    }
    if let Some(fault) = blank(text) {
        return Err(fault);
    }
    if text.contains("://") {
        return Err(Fault::Scheme);
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    // A colon before the last slash belongs to the registry's port.
    let last = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest[last..].find(':') {
        Some(colon) => (&rest[..last + colon], Some(&rest[last + colon + 1..])),
        None => (rest, None),
    };
    if let Some(digest) = digest.filter(|it| !is_digest(it)) {
        return Err(Fault::Digest(digest.to_owned()));
    }
    check_name(name)?;
    if let Some(tag) = tag {
        check_tag(tag)?;
    }
    Ok(Reference { name, tag, digest })
}

/// The space, or what cannot be seen, in a text that may have neither.
pub(super) fn blank(text: &str) -> Option<Fault> {
    let space = text.contains(' ').then_some(Fault::Space);
    unseen(text).map(Fault::Unseen).or(space)
}

/// Checks a tag: `[\w][\w.-]{0,127}`.
///
/// # Errors
/// [`Fault::Tag`].
pub(super) fn check_tag(tag: &str) -> Result<(), Fault> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let follows = |byte: u8| word(byte) || byte == b'.' || byte == b'-';
    let good = (1..=128).contains(&tag.len())
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(follows);
    if good {
        Ok(())
    } else {
        Err(Fault::Tag(tag.to_owned()))
    }
}

/// Checks registry and repository. Without a registry it is a repository of Docker Hub.
fn check_name(name: &str) -> Result<(), Fault> {
    if name.len() > LONGEST_NAME {
        return Err(Fault::TooLong);
    }
    let path = match name.split_once('/') {
        Some((first, path)) if is_host(first) && names_registry(first) => path,
        Some((first, _)) if names_registry(first) && !is_component(first) => {
            return Err(if first.is_empty() {
                Fault::EmptyPart
            } else {
                Fault::Host(first.to_owned())
            });
        }
        _ => name,
    };
    // A runtime would take these digits for the identity of an image that it has.
    let is_identifier = |it: &str| it.len() == 64 && it.bytes().all(is_lower_hexadecimal);
    if is_identifier(name) {
        return Err(Fault::Component(name.to_owned()));
    }
    path.split('/').try_for_each(check_component)
}

/// Whether the first part of a name is a registry by its look. A part with capitals alone is one
/// for some runtimes and none for others, and people who write `Istio/pilot` mean no registry.
fn names_registry(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':'])
}

/// A host name, an IPv4 address or an IPv6 address in brackets, and perhaps a port.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rfind(']') {
        Some(end) => (&text[..=end], text[end + 1..].strip_prefix(':')),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let used = host.len() + port.map_or(0, |it| it.len() + 1);
    let is_port = |it: &str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit());
    let address = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let is_host = match address {
        Some(address) => {
            let usable = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
            !address.is_empty() && address.bytes().all(usable)
        }
        None => host.split('.').all(is_domain_component),
    };
    used == text.len() && is_host && port.is_none_or(is_port)
}

fn is_domain_component(part: &str) -> bool {
    let usable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !part.is_empty() && part.bytes().all(usable) && !part.starts_with('-') && !part.ends_with('-')
}

fn check_component(part: &str) -> Result<(), Fault> {
    if part.is_empty() {
        return Err(Fault::EmptyPart);
    }
    if is_component(part) {
        return Ok(());
    }
    Err(if is_component(&part.to_ascii_lowercase()) {
        Fault::Capitals(part.to_owned())
    } else {
        Fault::Component(part.to_owned())
    })
}

/// Lower-case letters and digits, with a period, one or two underscores or any number of hyphens
/// between them.
fn is_component(part: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let mut separators = part.split(is_letter).filter(|it| !it.is_empty());
    let is_separator = |it: &str| matches!(it, "." | "_" | "__") || it.bytes().all(|it| it == b'-');
    part.starts_with(is_letter) && part.ends_with(is_letter) && separators.all(is_separator)
}

/// An algorithm that runtimes know, a colon, and as many hexadecimal digits as it gives
/// (`github.com/opencontainers/go-digest`).
fn is_digest(text: &str) -> bool {
    let Some((algorithm, digits)) = text.split_once(':') else {
        return false;
    };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    digits.len() == length && digits.bytes().all(is_lower_hexadecimal)
}

fn is_lower_hexadecimal(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(formatter, "is empty; leave the key out for its default"),
            Self::Unseen(letter) => write!(
                formatter,
                "holds the invisible character {}; type it again",
                code_point(*letter)
            ),
            Self::Space => write!(formatter, "holds a space; write it without"),
            Self::Scheme => write!(formatter, "has a scheme; leave out what ends in ://"),
            Self::TooLong => write!(
                formatter,
                "is longer than {LONGEST_NAME} bytes before its tag"
            ),
            Self::EmptyPart => write!(
                formatter,
                "has an empty part: a slash at its beginning or end, or two in a row"
            ),
            Self::Host(host) => write!(
                formatter,
                "names the registry {}, which is neither a host nor an address, with a port of \
                 digits if it has one",
                quoted(host)
            ),
            Self::Capitals(part) => write!(
                formatter,
                "has capital letters in {}, where only a registry may have them",
                quoted(part)
            ),
            Self::Component(part) => write!(
                formatter,
                "has the part {}; a part has lower-case letters and digits, and between them '.', \
                 '_', '__' or '-'",
                quoted(part)
            ),
            Self::Tag(tag) if tag.is_empty() => write!(
                formatter,
                "has an empty tag; leave out the colon or write a tag behind it"
            ),
            Self::Tag(tag) => write!(
                formatter,
                "has the tag {}; a tag has at most 128 letters, digits, '_', '.' and '-', and does \
                 not begin with '.' or '-'",
                quoted(tag)
            ),
            Self::Digest(digest) => write!(
                formatter,
                "has {} behind the @, which is no digest (sha256: and 64 hexadecimal digits in \
                 lower case); credentials belong into an image pull secret",
                quoted(digest)
            ),
        }
    }
}

#[cfg(test)]
mod tests;
