//! Changes to headers, and what browsers may do.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/virtual-service/>.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::StringMatch;
use crate::{Duration, schema::nullable};

/// Changes to headers.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Headers {
    /// Of the request, before it goes on.
    pub request: Option<HeaderOperations>,
    /// Of the answer, before it goes back.
    pub response: Option<HeaderOperations>,
}

/// Changes to the headers of a message.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeaderOperations {
    /// Headers that get these values, in place of theirs.
    pub set: Option<BTreeMap<String, String>>,
    /// Headers that get these values besides theirs, with commas between.
    pub add: Option<BTreeMap<String, String>>,
    /// Headers that are removed.
    pub remove: Option<Vec<String>>,
}

/// What browsers may do with answers to other sites: cross-origin resource sharing.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CorsPolicy {
    /// The former way to say `allowOrigins`, with exact texts or `*`; deprecated.
    pub allow_origin: Option<Vec<String>>,
    /// The sites that may ask: those that one of these matches. An answer names the site that
    /// asked.
    pub allow_origins: Option<Vec<StringMatch>>,
    /// The methods that they may use.
    pub allow_methods: Option<Vec<String>>,
    /// The headers that they may send.
    pub allow_headers: Option<Vec<String>>,
    /// The headers that they may read.
    pub expose_headers: Option<Vec<String>>,
    /// How long browsers may remember this, such as `1h`; their own choice if not set.
    pub max_age: Option<Duration>,
    /// Whether they may send cookies and the like; false by default.
    #[schemars(transform = nullable)]
    pub allow_credentials: Option<bool>,
    /// What happens with a browser's question for a site that may not ask; `FORWARD` by default.
    pub unmatched_preflights: Option<UnmatchedPreflights>,
}

/// What happens with a browser's question (preflight request) for a site that may not ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UnmatchedPreflights {
    /// As `FORWARD`.
    Unspecified,
    /// The service answers it.
    Forward,
    /// The proxy answers it.
    Ignore,
}
