//! Versions of Istio, as images' tags tell them.

use std::fmt;

/// Major, minor and patch version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IstioVersion(u32, u32, u32);

impl IstioVersion {
    /// Reads a tag such as `1.31.1`, `v1.31.1` or `1.31.1-distroless`; `None` when it is no
    /// version.
    pub fn parse(tag: &str) -> Option<Self> {
        let tag = tag.strip_prefix('v').unwrap_or(tag);
        let numbers = tag.split(['-', '+']).next()?;
        let mut numbers = numbers.split('.').map(str::parse);
        let mut next = || numbers.next()?.ok();
        let version = Self(next()?, next()?, next()?);
        numbers.next().is_none().then_some(version)
    }
}

impl fmt::Display for IstioVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The tag of an image reference; `None` when it has none.
pub fn tag(image: &str) -> Option<&str> {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    let last = name.rsplit('/').next()?;
    last.split_once(':').map(|(_, tag)| tag)
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
    fn other_tags_are_no_versions() {
        for tag in [
            "latest",
            "",
            "1.31",
            "1.31.1.1",
            "1.31.x",
            "1.31-alpha.0",
            "sha-1.2.3",
        ] {
            assert_eq!(IstioVersion::parse(tag), None, "{tag}");
        }
    }
}
