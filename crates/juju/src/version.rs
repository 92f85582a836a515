//! The version of the Juju agent that runs the charm.

use std::fmt;

/// A Juju version, such as `4.0.15`, `3.6.14.1` or `4.0-beta1`.
///
/// Only the leading numbers are compared; what follows is kept as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JujuVersion {
    /// The 4 of `4.0.15`.
    pub major: u32,
    /// The 0 of `4.0.15`.
    pub minor: u32,
    /// The 15 of `4.0.15`; 0 where there is none, as in `4.0-beta1`.
    pub patch: u32,
    text: String,
}

impl JujuVersion {
    /// Reads a version; `None` when it does not start with two numbers.
    pub fn parse(text: &str) -> Option<Self> {
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        let mut numbers = numbers.split('.');
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        let patch = numbers
            .next()
            .and_then(|number| number.parse().ok())
            .unwrap_or(0);
        Some(Self {
            major,
            minor,
            patch,
            text: text.to_owned(),
        })
    }

    /// Whether this version is `major.minor.patch` or newer. A pre-release counts as its release.
    pub fn is_at_least(&self, major: u32, minor: u32, patch: u32) -> bool {
        (self.major, self.minor, self.patch) >= (major, minor, patch)
    }
}

impl fmt::Display for JujuVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_and_tags_do_not_disturb() {
        let numbers = |text| {
            let version = JujuVersion::parse(text).unwrap();
            assert_eq!(version.to_string(), text);
            (version.major, version.minor, version.patch)
        };
        assert_eq!(numbers("4.0.15"), (4, 0, 15));
        assert_eq!(numbers("3.6.14.1"), (3, 6, 14));
        assert_eq!(numbers("4.0-beta1"), (4, 0, 0));
        assert_eq!(numbers("3.6-rc1.2"), (3, 6, 0));
        assert_eq!(JujuVersion::parse("edge"), None);
        assert_eq!(JujuVersion::parse("4"), None);
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let version = JujuVersion::parse("3.6.2").unwrap();
        assert!(version.is_at_least(3, 6, 2));
        assert!(version.is_at_least(2, 9, 40));
        assert!(!version.is_at_least(3, 6, 3));
        assert!(!version.is_at_least(4, 0, 0));
    }
}
