//! Versions of Kubernetes and of Istio, and the version in an image's tag.

use std::fmt;

/// A version of Kubernetes, as far as anything depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KubernetesVersion {
    /// Major version, 1.
    pub major: u32,
    /// Minor version, as 34 in 1.34.
    pub minor: u32,
}

impl KubernetesVersion {
    /// Reads a version such as `1.34`, `v1.34.2` or `v1.34.2-gke.100`; `None` for
    /// any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = minor_version(text)?;
        Some(Self { major, minor })
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

/// Major, minor and patch version of an Istio release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IstioVersion {
    /// Major version, 1.
    pub major: u32,
    /// Minor version, as 31 in 1.31.4.
    pub minor: u32,
    /// Patch version, as 4 in 1.31.4.
    pub patch: u32,
}

impl IstioVersion {
    /// Reads a tag such as `1.31.1`, `v1.31.1` or `1.31.1-distroless`; `None` when it is not a
    /// version.
    pub fn parse(tag: &str) -> Option<Self> {
        let numbers = Numbers::of(tag);
        let version = Self {
            major: numbers.get(0)?,
            minor: numbers.get(1)?,
            patch: numbers.get(2)?,
        };
        let ends_well = numbers.rest.is_empty() || numbers.rest.starts_with(['-', '+']);
        (numbers.count == 3 && ends_well).then_some(version)
    }
}

impl IstioVersion {
    /// Major and minor version.
    pub fn minor_version(self) -> (u32, u32) {
        (self.major, self.minor)
    }
}

impl fmt::Display for IstioVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Major and minor version of a tag such as `1.31.1`, `v1.31-alpha` or `1.31.1-distroless`;
/// `None` when the tag is not a version.
pub fn minor_version(tag: &str) -> Option<(u32, u32)> {
    let numbers = Numbers::of(tag);
    let is_version = numbers.count > 2 || numbers.rest.is_empty() || numbers.has_suffix();
    let minor = numbers.get(1).filter(|_| is_version)?;
    Some((numbers.get(0)?, minor))
}

/// The tag of an image reference; `None` when it has none.
pub fn tag(image: &str) -> Option<&str> {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    let last = name.rsplit('/').next()?;
    last.split_once(':').map(|(_, tag)| tag)
}

/// The leading numbers of a version, separated by periods.
struct Numbers<'a> {
    first: [Option<u32>; 3],
    /// How many there are.
    count: usize,
    /// What follows the last of them.
    rest: &'a str,
}

impl<'a> Numbers<'a> {
    fn of(text: &'a str) -> Self {
        let mut numbers = Self {
            first: [None; 3],
            count: 0,
            rest: text.strip_prefix('v').unwrap_or(text),
        };
        let mut next = Some(numbers.rest);
        while let Some((number, rest)) = next.and_then(leading_number) {
            if let Some(place) = numbers.first.get_mut(numbers.count) {
                *place = Some(number);
            }
            numbers.count += 1;
            numbers.rest = rest;
            next = rest.strip_prefix('.');
        }
        numbers
    }

    fn get(&self, index: usize) -> Option<u32> {
        self.first.get(index).copied().flatten()
    }

    /// Whether a suffix follows the numbers, as in `1.31-rc.1` or `1.31.x`.
    fn has_suffix(&self) -> bool {
        self.rest.starts_with(['.', '-', '+'])
    }
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_behind_ports_and_before_digests() {
        assert_eq!(tag("docker.io/istio/proxyv2:1.31.1"), Some("1.31.1"));
        assert_eq!(
            tag("registry.test:5000/istio/proxyv2:1.31.1@sha256:ab"),
            Some("1.31.1")
        );
        assert_eq!(tag("registry.test:5000/istio/proxyv2"), None);
        assert_eq!(tag("istio/proxyv2@sha256:ab"), None);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let version = |tag| IstioVersion::parse(tag).unwrap();
        assert!(version("1.9.9") < version("1.31.1"));
        assert!(version("1.31.1") < version("1.31.10"));
        assert_eq!(version("v1.31.1-distroless"), version("1.31.1"));
        assert_eq!(version("1.31.1+build.5").to_string(), "1.31.1");
    }

    #[test]
    fn other_tags_are_not_releases_of_istio() {
        for tag in [
            "latest",
            "",
            "1.31",
            "1.31.1.1",
            "1.31.x",
            "1.31.1x",
            "1.31-alpha.0",
            "1.31.99999999999",
            "sha-1.2.3",
        ] {
            assert_eq!(IstioVersion::parse(tag), None, "{tag}");
        }
    }

    #[test]
    fn a_kubernetes_version_may_have_more_behind_it() {
        let parse = |text| KubernetesVersion::parse(text).map(|it| it.to_string());
        for text in ["1.34", "v1.34", "1.34.2", "v1.34.2-gke.100", "1.34+"] {
            assert_eq!(parse(text).as_deref(), Some("1.34"), "{text}");
        }
        for text in ["1", "x.34", "", "v", "1.", "1.x", "1.34x"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_tag_shows_the_minor_version_if_it_is_a_version() {
        for tag in [
            "1.31.1",
            "v1.31-alpha",
            "1.31.1-distroless",
            "1.31",
            "1.31+a",
            "1.31.x",
        ] {
            assert_eq!(minor_version(tag), Some((1, 31)), "{tag}");
        }
        for tag in ["latest", "", "1", "1.31x", "build-1.31", "v1"] {
            assert_eq!(minor_version(tag), None, "{tag}");
        }
    }
}
