//! A time span, as fields on several pages of Istio's reference have it.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/virtual-service/>.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::{Rule, rules};

const AT_LEAST_A_MILLISECOND: Rule = Rule {
    message: "must be a valid duration greater than 1ms",
    rule: "duration(self) >= duration('1ms')",
};

/// A time span of at least one millisecond: numbers with the units `h`, `m`, `s` and `ms`, such as
/// `1m30s` or `0.5s`. The text is kept as it is, so that reading and writing an object changes
/// nothing.
///
/// Where Istio accepts shorter times, zero included, the field is a `String` in the same notation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(transform = rules(&[AT_LEAST_A_MILLISECOND]))]
pub struct Duration(String);

impl Duration {
    /// The duration as the API writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<std::time::Duration> for Duration {
    /// Counts in milliseconds; what is below one is lost.
    fn from(duration: std::time::Duration) -> Self {
        match (duration.as_secs(), duration.subsec_millis()) {
            (seconds, 0) => Self(format!("{seconds}s")),
            _ => Self(format!("{}ms", duration.as_millis())),
        }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
