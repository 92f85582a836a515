//! Ports, and how a rule names one.

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
    /// The number.
    pub number: Option<u32>,
}
