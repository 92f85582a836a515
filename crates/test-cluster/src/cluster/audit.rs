//! The requests that the API server recorded.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// Records each finished request, without bodies.
pub(super) const POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
";

/// One request to the API server, as its audit log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRequest {
    /// Who sent it: `admin` for the cluster's kubeconfig,
    /// `system:serviceaccount:<namespace>:<name>` for a service account.
    pub user: String,
    /// The Kubernetes verb, such as `get`, `list`, `watch`, `create`, `patch`.
    pub verb: String,
    /// Path and query.
    pub uri: String,
    /// Resource such as `deployments`, with its subresource as in `pods/status`; empty for paths
    /// such as `/version`.
    pub resource: String,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// Name of the object; empty for lists.
    pub name: String,
    /// HTTP status of the answer.
    pub status: u16,
}

impl AuditRequest {
    /// Whether it stores nothing, and says what would be stored.
    pub fn is_dry_run(&self) -> bool {
        self.uri.contains("dryRun=All")
    }

    /// Whether the verb is one that changes objects. Dry runs and access reviews count too: their
    /// verbs are the same.
    pub fn is_write(&self) -> bool {
        !matches!(
            self.verb.as_str(),
            "get" | "list" | "watch" | "head" | "options"
        )
    }
}

/// Reads an audit log from a byte on, in the order in which requests were answered.
pub(super) fn read(log: &Path, begin: u64) -> Result<Vec<AuditRequest>> {
    let text = read_from(log, begin).with_context(|| format!("cannot read {}", log.display()))?;
    // A watch is recorded when it starts and when it ends, under one id.
    let mut seen = BTreeSet::new();
    let mut requests = Vec::new();
    // The last line may still be being written.
    for line in text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
    {
        let event: Value = serde_json::from_str(line).context("the audit log is not JSON")?;
        let id = field(&event, "/auditID");
        if seen.insert(id) {
            requests.push(request(&event));
        }
    }
    Ok(requests)
}

fn read_from(file: &Path, begin: u64) -> Result<String> {
    let mut file = File::open(file)?;
    file.seek(SeekFrom::Start(begin))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

fn request(event: &Value) -> AuditRequest {
    let mut resource = field(event, "/objectRef/resource");
    let subresource = field(event, "/objectRef/subresource");
    if !subresource.is_empty() {
        resource.push('/');
        resource.push_str(&subresource);
    }
    AuditRequest {
        user: field(event, "/user/username"),
        verb: field(event, "/verb"),
        uri: field(event, "/requestURI"),
        resource,
        namespace: field(event, "/objectRef/namespace"),
        name: field(event, "/objectRef/name"),
        status: event
            .pointer("/responseStatus/code")
            .and_then(Value::as_u64)
            .and_then(|code| u16::try_from(code).ok())
            .unwrap_or_default(),
    }
}

fn field(event: &Value, pointer: &str) -> String {
    let value = event.pointer(pointer).and_then(Value::as_str);
    value.unwrap_or_default().to_owned()
}
