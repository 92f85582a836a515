//! Which tokens of end users are valid.
//!
//! Follows <https://istio.io/latest/docs/reference/config/security/request_authentication/>.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::{
    Duration, Kind,
    schema::{Rule, rules},
    selector::{ONE_WAY_TO_SELECT, PolicyTargetReference, WorkloadSelector},
    status::IstioStatus,
};

const ONE_KEY_SET: Rule = Rule {
    message: "only one of jwks or jwksUri can be set",
    rule: "(has(self.jwksUri) ? 1 : 0) + (has(self.jwks_uri) ? 1 : 0) + (has(self.jwks) ? 1 : 0) <= 1",
};
const HTTP_URL: Rule = Rule {
    message: "url must have scheme http:// or https://",
    rule: r#"url(self).getScheme() in ["http", "https"]"#,
};

/// Which JSON web tokens workloads accept.
///
/// A request with an invalid token is rejected. One without token passes; an authorization policy
/// decides whether it may.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = rules(&[ONE_WAY_TO_SELECT]))]
#[kube(
    group = "security.istio.io",
    version = "v1",
    kind = "RequestAuthentication",
    plural = "requestauthentications",
    shortname = "ra",
    namespaced,
    status = "IstioStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq"
)]
pub struct RequestAuthenticationSpec {
    /// The workloads it is for. If neither this nor `targetRefs` is set, all of the namespace; in
    /// the root namespace, all of the mesh.
    pub selector: Option<WorkloadSelector>,
    /// The resource it is for; `targetRefs` has taken its place.
    pub target_ref: Option<PolicyTargetReference>,
    /// The resources whose proxies it is for, at most 16. Waypoints heed only this, not `selector`.
    #[schemars(length(max = 16))]
    pub target_refs: Option<Vec<PolicyTargetReference>>,
    /// The issuers whose tokens are accepted, at most 4096. A rule looks only at requests with a
    /// token in one of its places; tokens in several places at once are not supported.
    #[schemars(length(max = 4096))]
    pub jwt_rules: Option<Vec<JwtRule>>,
}

impl Kind for RequestAuthentication {
    const VERSIONS: &'static [&'static str] = &["v1", "v1beta1"];
    const STORAGE_VERSION: &'static str = "v1";
}

/// Where tokens of one issuer are found, how they are checked and what is passed on.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = rules(&[ONE_KEY_SET]))]
pub struct JwtRule {
    /// Who issues the tokens: they must have this in their `iss` claim.
    #[schemars(length(min = 1))]
    pub issuer: Option<String>,
    /// Whom the tokens are for: one of these must be in the `aud` claim. Not checked if not set.
    #[schemars(inner(length(min = 1)))]
    pub audiences: Option<Vec<String>>,
    /// Where the issuer's keys are fetched, with the scheme `http` or `https`; not together with
    /// `jwks`. If neither is set, istiod asks the issuer by `OpenID` discovery.
    #[schemars(length(min = 1, max = 2048), transform = rules(&[HTTP_URL]))]
    pub jwks_uri: Option<String>,
    /// The former spelling of `jwksUri`.
    #[serde(rename = "jwks_uri")]
    #[schemars(length(min = 1, max = 2048), transform = rules(&[HTTP_URL]))]
    pub jwks_uri_former: Option<String>,
    /// The issuer's keys themselves, a JSON web key set; not together with `jwksUri`.
    pub jwks: Option<String>,
    /// Headers that may carry the token. If no place is named, the token is looked for in
    /// `Authorization` after `Bearer `, then in the parameter `access_token`.
    pub from_headers: Option<Vec<JwtHeader>>,
    /// Query parameters that may carry the token.
    #[schemars(inner(length(min = 1)))]
    pub from_params: Option<Vec<String>>,
    /// The header in which the payload of a valid token goes to the workload, as base64. Not passed
    /// on if not set.
    pub output_payload_to_header: Option<String>,
    /// Cookies that may carry the token.
    #[schemars(inner(length(min = 1)))]
    pub from_cookies: Option<Vec<String>>,
    /// Whether the token stays in the request; by default it is removed.
    pub forward_original_token: Option<bool>,
    /// Claims of a valid token that go to the workload in headers, each in one of its own;
    /// experimental.
    pub output_claim_to_headers: Option<Vec<ClaimToHeader>>,
    /// How long istiod, or the proxy where it fetches the keys itself, waits for them; 5 s by
    /// default.
    pub timeout: Option<Duration>,
    /// Claims whose text is a list with spaces between, so that policies see each word; `scope` and
    /// `permission` always are. At most 64.
    #[schemars(length(max = 64), inner(length(min = 1)))]
    pub space_delimited_claims: Option<Vec<String>>,
}

/// A header that may carry a token.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JwtHeader {
    /// The header's name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// What stands before the token, its space included, such as `Bearer `. A header without it
    /// does not count.
    pub prefix: Option<String>,
}

/// A claim that goes to the workload in a header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClaimToHeader {
    /// The header; a value sent by the client is replaced.
    #[schemars(length(min = 1), regex(pattern = "^[-_A-Za-z0-9]+$"))]
    pub header: String,
    /// The claim, with dots before one inside another: a text, a number or a truth value. Without
    /// it the header is left out.
    #[schemars(length(min = 1))]
    pub claim: String,
}
