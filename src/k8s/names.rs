//! What Kubernetes objects may be called (RFC 1123,
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>).

/// Whether a text is a DNS label, as the names of namespaces are: lower-case letters, digits and
/// hyphens, no hyphen at the ends, at most 63 bytes.
pub fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_part(text)
}

/// Whether a text is a DNS subdomain, as the names of most objects are: such parts with periods
/// between them, at most 253 bytes.
pub fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_part)
}

fn is_part(part: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !part.is_empty() && part.bytes().all(inside) && !part.starts_with('-') && !part.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_labels_and_other_names_may_have_periods() {
        for good in ["a", "0", "istio-system", "a--b"] {
            assert!(is_label(good) && is_subdomain(good), "{good}");
        }
        for bad in [
            "", "A_B", "a_b", "A", "-a", "a-", "ä", "a b", "a/b", "..", "a..b",
        ] {
            assert!(!is_label(bad) && !is_subdomain(bad), "{bad}");
        }
        assert!(!is_label("a.b") && is_subdomain("a.b"));
        assert!(is_label(&"a".repeat(63)) && !is_label(&"a".repeat(64)));
        assert!(is_subdomain(&"a".repeat(253)) && !is_subdomain(&"a".repeat(254)));
    }
}
