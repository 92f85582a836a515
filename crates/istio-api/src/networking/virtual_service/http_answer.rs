//! Answers of the proxy itself, and changes to requests.
//!
//! Follows <https://istio.io/latest/docs/reference/config/networking/virtual-service/>.

use k8s_openapi::ByteString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::schema::at_most_one_of;

/// A redirect to the client. What is not set stays as in the request.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = at_most_one_of(&["port", "derivePort"]))]
pub struct HttpRedirect {
    /// The path, as a whole; not with `prefixRewrite`.
    pub uri: Option<String>,
    /// The host.
    pub authority: Option<String>,
    /// The port; not with `derivePort`.
    pub port: Option<u32>,
    /// Where the port comes from; not with `port`.
    pub derive_port: Option<RedirectPortSelection>,
    /// The scheme, `http` or `https`.
    pub scheme: Option<String>,
    /// The status; 301 by default.
    pub redirect_code: Option<u32>,
    /// What takes the place of the prefix that the route matched; not with `uri`.
    pub prefix_rewrite: Option<String>,
}

/// Where the port of a redirect comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RedirectPortSelection {
    /// From the scheme: 80 for HTTP, 443 for HTTPS.
    FromProtocolDefault,
    /// From the request.
    FromRequestPort,
}

/// An answer of the proxy itself.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpDirectResponse {
    /// The status, such as 503.
    pub status: u32,
    /// The body; none if not set.
    pub body: Option<HttpBody>,
}

/// The body of an answer, in at most one of two ways.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = at_most_one_of(&["string", "bytes"]))]
pub struct HttpBody {
    /// As text.
    pub string: Option<String>,
    /// As bytes, in base64.
    #[schemars(with = "Option<String>", extend("format" = "byte"))]
    pub bytes: Option<ByteString>,
}

/// Changes to the request on the way.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRewrite {
    /// The path; if the route matched a prefix, what takes the prefix's place.
    pub uri: Option<String>,
    /// The host.
    pub authority: Option<String>,
    /// A change of the path by a regular expression; not with `uri`.
    pub uri_regex_rewrite: Option<RegexRewrite>,
}

/// A change of the path by a regular expression.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegexRewrite {
    /// What is replaced (RE2).
    pub r#match: Option<String>,
    /// What takes its place; `\1` and so on stand for what the groups matched.
    pub rewrite: Option<String>,
}
