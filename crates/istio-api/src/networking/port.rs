//! Ports, and how a rule names one.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/virtual-service/>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::schema::Rule;

pub(super) const IS_PORT: Rule = Rule {
    message: "port must be between 1-65535",
    rule: "0 < self && self <= 65535",
};

/// A port by its number.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PortSelector {
    /// The number, from 1 to 65535.
    pub number: Option<u32>,
}
