//! What the API server means by a refusal. Its code alone does not say it, so its words are read too.

use kube::core::Status;

use super::{FailureKind, FieldConflict};

/// Sorts a refusal.
pub(super) fn kind(status: &Status) -> FailureKind {
    let message = words(status);
    let causes = status
        .details
        .as_ref()
        .map_or(&[][..], |it| it.causes.as_slice());
    let conflicts: Vec<_> = causes
        .iter()
        .filter(|it| it.reason == "FieldManagerConflict")
        .map(|it| FieldConflict {
            field: it.field.clone(),
            message: it.message.clone(),
        })
        .collect();
    match status.code {
        // Without a code it does not come from an API server that knows what it refuses.
        0 | 429 => FailureKind::Failing(message),
        // A policy refuses with the code that its author likes, so the words come first.
        400..=499 if is_denial(&message) => FailureKind::Denied(message),
        401 => FailureKind::Unauthenticated(message),
        403 if is_missing_right(&message) => FailureKind::Forbidden(message),
        // Admission plugins of a server that has just started.
        403 if message.ends_with("not yet ready to handle request") => {
            FailureKind::Failing(message)
        }
        403 => FailureKind::Denied(message),
        404 => FailureKind::NotFound(message),
        409 if !conflicts.is_empty() => FailureKind::Conflict(conflicts),
        409 | 410 => FailureKind::Outdated(message),
        422 if causes.iter().any(|it| it.message.contains("immutable"))
            || message.contains("cannot change roleRef") =>
        {
            FailureKind::Immutable(message)
        }
        400 | 413 | 422 => FailureKind::Invalid(message),
        // An unknown field in a server-side apply comes as 500 without a reason, for ever.
        500 if message.contains("field not declared in schema") => FailureKind::Invalid(message),
        502..=504 if is_away(status) => FailureKind::Unavailable(message),
        // Webhooks that do not answer, and etcd.
        500..=599 => FailureKind::Failing(message),
        _ => FailureKind::Unexpected(message),
    }
}

fn words(status: &Status) -> String {
    if status.message.is_empty() {
        format!("refused without a reason (code {})", status.code)
    } else {
        status.message.clone()
    }
}

/// Whether an admission webhook or a `ValidatingAdmissionPolicy` refused.
fn is_denial(message: &str) -> bool {
    message.starts_with("admission webhook \"") && message.contains(" denied the request")
        || message.contains(" is forbidden: ValidatingAdmissionPolicy '")
}

/// Whether the authorizer refused (`pods is forbidden: User "x" cannot list resource ...`), or
/// RBAC's check against escalation did. Admission plugins answer 403 too: quotas, Pod Security, a
/// namespace that is going; their words stand where the user does here.
fn is_missing_right(message: &str) -> bool {
    let Some((_, why)) = message.split_once("forbidden: ") else {
        return false;
    };
    why.starts_with("User \"") && why.contains(" cannot ")
        || why.starts_with("user \"") && why.contains("attempting to grant RBAC permissions")
}

/// The right that the authorizer misses, as `list deployments.apps`; `None` when its words name none.
pub fn missing_right(message: &str) -> Option<String> {
    let (_, missing) = message.split_once(" cannot ")?;
    let verb = missing.split(' ').next()?;
    let quoted = |before: &str| missing.split_once(before)?.1.split('"').next();
    let group = quoted(" API group \"").filter(|group| !group.is_empty());
    let resource = quoted(" resource \"").or_else(|| quoted(" path \""))?;
    Some(match group {
        Some(group) => format!("{verb} {resource}.{group}"),
        None => format!("{verb} {resource}"),
    })
}

/// Whether a gateway's code says that the server is away: not that it is there, and took too long
/// over the object.
fn is_away(status: &Status) -> bool {
    status.reason != "Timeout" && !is_denial(&status.message)
}
