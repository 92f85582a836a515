//! Paths, hosts and names that an application writes.

use crate::k8s::names::{is_label, is_subdomain};
use crate::text::quoted;

/// A path from the root.
pub(super) fn absolute(path: &str) -> Result<String, String> {
    if path.starts_with('/') && !path.chars().any(char::is_control) {
        return Ok(path.to_owned());
    }
    Err(format!(
        "has the path {}, which does not begin with a slash",
        quoted(path)
    ))
}

/// A domain name in lower case.
pub(super) fn domain_name(host: &str) -> Result<String, String> {
    let lower = host.to_lowercase();
    if is_subdomain(&lower) {
        return Ok(lower);
    }
    Err(format!(
        "names the host {}, which is no domain name",
        quoted(host)
    ))
}

/// The name of a service or a namespace.
pub(super) fn label<'a>(field: &str, text: &'a str) -> Result<&'a str, String> {
    if is_label(text) {
        return Ok(text);
    }
    Err(format!(
        "has the `{field}` {}, which is no name of Kubernetes: lower-case letters, digits and '-', at \
         most 63 characters",
        quoted(text)
    ))
}
