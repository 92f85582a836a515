//! Fields of what the other side of a relation says: they have the types of the schema, and are
//! checked for what Kubernetes and Istio take.

use serde_json::{Map, Value};

use crate::k8s::names::is_label;
use crate::text::quoted;

/// What the other side says. A message of an error names the field and goes on from the relation.
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl Fields<'_> {
    /// The name of a service or a namespace; `None` when it is not set.
    pub(super) fn label(&self, field: &str) -> Result<Option<String>, String> {
        let Some(text) = self.0.get(field).and_then(Value::as_str) else {
            return Ok(None);
        };
        if is_label(text) {
            return Ok(Some(text.to_owned()));
        }
        Err(format!(
            "`{field}` is {}, which is no name of Kubernetes: lower-case letters, digits and '-', at \
             most 63 characters",
            quoted(text)
        ))
    }

    /// A port, which may be written as a number without a fraction.
    pub(super) fn port(&self, field: &str) -> Result<u16, String> {
        let value = self.0.get(field);
        let number = value.and_then(Value::as_f64).unwrap_or_default();
        // A number without a fraction is written without a point.
        let text = number.to_string();
        let port = text.parse().ok().filter(|it| *it > 0);
        port.ok_or_else(|| format!("`{field}` is {text}, and ports are numbers from 1 to 65535"))
    }

    /// Part of a path; `None` when it is not set.
    pub(super) fn path(&self, field: &str) -> Result<Option<String>, String> {
        let Some(text) = self.0.get(field).and_then(Value::as_str) else {
            return Ok(None);
        };
        if text.chars().any(char::is_control) {
            return Err(format!(
                "`{field}` has a control character, which no path has"
            ));
        }
        Ok(Some(text.to_owned()))
    }

    /// Names of headers; none when they are not set.
    pub(super) fn headers(&self, field: &str) -> Result<Vec<String>, String> {
        let items = self.0.get(field).and_then(Value::as_array);
        let names = items.into_iter().flatten().filter_map(Value::as_str);
        let names: Vec<String> = names.map(str::to_owned).collect();
        match names.iter().find(|it| !is_header(it)) {
            Some(name) => Err(format!(
                "`{field}` names {}, which is no name of a header",
                quoted(name)
            )),
            None => Ok(names),
        }
    }
}

/// Whether a text is a token, as the names of headers are
/// (<https://www.rfc-editor.org/rfc/rfc9110#name-tokens>).
fn is_header(name: &str) -> bool {
    let is_token = |it: char| it.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(it);
    !name.is_empty() && name.chars().all(is_token)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_kubernetes_and_istio_take_is_read_and_the_rest_is_named() {
        let data = json!({
            "service": "dex-auth", "port": 5556.0, "prefix": "/it's \"fine\"", "headers": ["X-Token"],
            "capital": "Dex", "far": 65536, "none": 0, "control": "/a\nb", "spaces": ["a b"],
        });
        let fields = Fields(data.as_object().unwrap());
        assert_eq!(fields.label("service"), Ok(Some("dex-auth".to_owned())));
        assert_eq!(fields.label("missing"), Ok(None));
        assert_eq!(fields.port("port"), Ok(5556));
        let prefix = Ok(Some("/it's \"fine\"".to_owned()));
        assert_eq!(fields.path("prefix"), prefix);
        assert_eq!(fields.headers("headers"), Ok(vec!["X-Token".to_owned()]));
        assert_eq!(fields.headers("missing"), Ok(Vec::new()));
        let errors = [
            fields.label("capital").unwrap_err(),
            fields.port("far").unwrap_err(),
            fields.port("none").unwrap_err(),
            fields.path("control").unwrap_err(),
            fields.headers("spaces").unwrap_err(),
        ];
        expect_test::expect![[r#"
            `capital` is 'Dex', which is no name of Kubernetes: lower-case letters, digits and '-', at most 63 characters
            `far` is 65536, and ports are numbers from 1 to 65535
            `none` is 0, and ports are numbers from 1 to 65535
            `control` has a control character, which no path has
            `spaces` names 'a b', which is no name of a header"#]].assert_eq(&errors.join("\n"));
    }
}
