//! Who may do what with a workload.
//!
//! Follows <https://istio.io/latest/docs/reference/config/security/authorization-policy/>.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::{
    Kind,
    schema::{Rule, at_most_one_of, rules},
    selector::{ONE_WAY_TO_SELECT, PolicyTargetReference, WorkloadSelector},
    status::IstioStatus,
};

const ACCOUNTS_STAND_ALONE: Rule = Rule {
    message: "Cannot set serviceAccounts with namespaces or principals",
    rule: "(has(self.serviceAccounts) || has(self.notServiceAccounts)) ? (!has(self.principals) &&\n!has(self.notPrincipals) && !has(self.namespaces) && !has(self.notNamespaces)) : true",
};

/// Which requests to workloads are allowed or denied.
///
/// `CUSTOM` policies are asked first, then `DENY`, then `ALLOW`. If a workload has an `ALLOW`
/// policy, a request that none of them matches is denied; an empty spec therefore denies
/// everything.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = at_most_one_of(&["provider"]), transform = rules(&[ONE_WAY_TO_SELECT]))]
#[kube(
    group = "security.istio.io",
    version = "v1",
    kind = "AuthorizationPolicy",
    plural = "authorizationpolicies",
    shortname = "ap",
    namespaced,
    status = "IstioStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    printcolumn(name = "Action", type_ = "string", json_path = ".spec.action"),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
pub struct AuthorizationPolicySpec {
    /// The workloads it is for. If neither this nor `targetRefs` is set, all of the namespace; in
    /// the root namespace, all of the mesh.
    pub selector: Option<WorkloadSelector>,
    /// The resource it is for; `targetRefs` has taken its place.
    pub target_ref: Option<PolicyTargetReference>,
    /// The resources whose proxies it is for, at most 16. Waypoints heed only this, not `selector`.
    #[schemars(length(max = 16))]
    pub target_refs: Option<Vec<PolicyTargetReference>>,
    /// The requests it is about: those that one of the rules matches, at most 512. Without any, no
    /// request matches; an empty rule matches every request.
    #[schemars(length(max = 512))]
    pub rules: Option<Vec<AuthorizationRule>>,
    /// What happens with a matching request; `ALLOW` by default.
    pub action: Option<Action>,
    /// Who decides; only with the action `CUSTOM`.
    pub provider: Option<ExtensionProvider>,
}

impl Kind for AuthorizationPolicy {
    const VERSIONS: &'static [&'static str] = &["v1", "v1beta1"];
    const STORAGE_VERSION: &'static str = "v1";
}

/// What happens with a request that a policy matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Action {
    /// It is allowed.
    Allow,
    /// It is denied.
    Deny,
    /// It is marked for the audit log, which needs a plugin; it is neither allowed nor denied.
    Audit,
    /// The provider decides.
    Custom,
}

/// An authorizer of the mesh's configuration.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExtensionProvider {
    /// Its name among `extensionProviders` of the mesh configuration. A workload can have only one.
    pub name: Option<String>,
}

/// Matches a request if `from`, `to` and `when` do; one that is not set always does.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationRule {
    /// Who sends it: one of these, at most 512.
    #[schemars(length(max = 512))]
    pub from: Option<Vec<RuleFrom>>,
    /// What it asks for: one of these.
    pub to: Option<Vec<RuleTo>>,
    /// What else must be true: all of these.
    pub when: Option<Vec<Condition>>,
}

/// A sender of requests, in the list of a rule.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleFrom {
    /// The sender.
    pub source: Option<Source>,
}

/// An operation, in the list of a rule.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleTo {
    /// The operation.
    pub operation: Option<Operation>,
}

/// Who sends a request: every list that is set must match, by one of its items.
///
/// Texts match exactly, or by what stands before or after a `*`; `*` alone matches anything.
/// Identities, namespaces, accounts and trust domains of peers need mutual TLS.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = rules(&[ACCOUNTS_STAND_ALONE]))]
pub struct Source {
    /// Identities of peers: `<trust domain>/ns/<namespace>/sa/<service account>`.
    pub principals: Option<Vec<String>>,
    /// Identities of peers that do not match.
    pub not_principals: Option<Vec<String>>,
    /// Identities from tokens: `<issuer>/<subject>`.
    pub request_principals: Option<Vec<String>>,
    /// Identities from tokens that do not match.
    pub not_request_principals: Option<Vec<String>>,
    /// Namespaces of peers.
    pub namespaces: Option<Vec<String>>,
    /// Namespaces of peers that do not match.
    pub not_namespaces: Option<Vec<String>>,
    /// Addresses, or ranges of them, that the connection comes from.
    pub ip_blocks: Option<Vec<String>>,
    /// Addresses, or ranges of them, that do not match.
    pub not_ip_blocks: Option<Vec<String>>,
    /// Addresses of the client, as `X-Forwarded-For` or the PROXY protocol tell them; needs
    /// `numTrustedProxies` at the gateway.
    pub remote_ip_blocks: Option<Vec<String>>,
    /// Addresses of the client that do not match.
    pub not_remote_ip_blocks: Option<Vec<String>>,
    /// Service accounts of peers: `<namespace>/<name>`, or the name alone in the policy's
    /// namespace. No `*` is possible; at most 16, not together with principals or namespaces.
    #[schemars(length(max = 16), inner(length(max = 320)))]
    pub service_accounts: Option<Vec<String>>,
    /// Service accounts of peers that do not match, in the same form; at most 16.
    #[schemars(length(max = 16), inner(length(max = 320)))]
    pub not_service_accounts: Option<Vec<String>>,
    /// Trust domains of peers.
    pub trust_domains: Option<Vec<String>>,
    /// Trust domains of peers that do not match.
    pub not_trust_domains: Option<Vec<String>>,
}

/// What a request asks for: every list that is set must match, by one of its items.
///
/// Texts match as those of a source do. All but the ports are for HTTP alone.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Hosts as the request names them; case does not matter.
    pub hosts: Option<Vec<String>>,
    /// Hosts that do not match.
    pub not_hosts: Option<Vec<String>>,
    /// Ports of the workload.
    pub ports: Option<Vec<String>>,
    /// Ports that do not match.
    pub not_ports: Option<Vec<String>>,
    /// HTTP methods; `POST` for gRPC.
    pub methods: Option<Vec<String>>,
    /// HTTP methods that do not match.
    pub not_methods: Option<Vec<String>>,
    /// Paths, or templates with `{*}` for one segment and, as the last of them, `{**}` for any
    /// number; `/package.service/method` for gRPC.
    pub paths: Option<Vec<String>>,
    /// Paths that do not match.
    pub not_paths: Option<Vec<String>>,
}

/// What else must be true of a request.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// The attribute, such as `request.headers[x-token]`; those of
    /// <https://istio.io/latest/docs/reference/config/security/conditions/>.
    pub key: String,
    /// Values of which one must match; needed if there is no `notValues`.
    pub values: Option<Vec<String>>,
    /// Values that do not match.
    pub not_values: Option<Vec<String>>,
}
