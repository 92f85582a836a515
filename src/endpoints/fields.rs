//! Fields of what the other side of a relation says: they have the types of the schema, and are
//! checked for what Kubernetes and Istio take.

use juju::relation::Databag;
use serde_json::{Map, Value};

use crate::k8s::names::is_label;
use crate::text::quoted;

/// What a databag holds where each value is JSON, or else text as it is: so several libraries of charms
/// read it.
pub(super) fn json_values(databag: &Databag) -> Map<String, Value> {
    let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    let set = databag.iter().filter(|(_, text)| !text.is_empty());
    set.map(|(key, text)| (key.to_owned(), read(text)))
        .collect()
}

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

    /// A text, which has to be set.
    pub(super) fn required_text(&self, field: &str) -> Result<&str, String> {
        let text = self.present(field)?.as_str();
        text.ok_or_else(|| format!("`{field}` is not a text"))
    }

    /// A list of texts, which has to be set.
    pub(super) fn required_texts(&self, field: &str) -> Result<Vec<&str>, String> {
        texts(field, self.present(field)?)
    }

    /// A list of texts; `None` when it is not set.
    pub(super) fn texts(&self, field: &str) -> Result<Option<Vec<&str>>, String> {
        let value = self.0.get(field);
        value.map(|it| texts(field, it)).transpose()
    }

    fn present(&self, field: &str) -> Result<&Value, String> {
        let value = self.0.get(field);
        value.ok_or_else(|| format!("`{field}` is not set, and the interface asks for it"))
    }

    /// Names of headers, of which case says nothing; none when they are not set.
    pub(super) fn headers_in_lower_case(&self, field: &str) -> Result<Vec<String>, String> {
        self.texts(field)?;
        let names = self.headers(field)?.into_iter();
        Ok(names.map(|it| it.to_ascii_lowercase()).collect())
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

fn texts<'a>(field: &str, value: &'a Value) -> Result<Vec<&'a str>, String> {
    let items = value.as_array().map(|it| it.iter().map(Value::as_str));
    let texts = items.and_then(Iterator::collect);
    texts.ok_or_else(|| format!("`{field}` is not a list of texts"))
}

/// Whether a text is a token, as the names of headers are
/// (<https://www.rfc-editor.org/rfc/rfc9110#name-tokens>).
pub(super) fn is_header(name: &str) -> bool {
    let is_token = |it: char| it.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(it);
    !name.is_empty() && name.chars().all(is_token)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_json_is_read_as_such_and_the_rest_as_text() {
        let databag = Databag::from([
            ("list", "[\"a\", \"b\"]"),
            ("address", "http://a.b.svc:80"),
            ("quoted", "\"a\""),
            ("number", "80"),
            ("broken", "[\"a\""),
            ("empty", ""),
        ]);
        let values = json_values(&databag);
        let expected = json!({
            "list": ["a", "b"], "address": "http://a.b.svc:80", "quoted": "a", "number": 80,
            "broken": "[\"a\"",
        });
        assert_eq!(Value::Object(values.clone()), expected);
        let fields = Fields(&values);
        assert_eq!(fields.required_text("quoted"), Ok("a"));
        assert_eq!(fields.required_texts("list"), Ok(vec!["a", "b"]));
        assert_eq!(fields.texts("empty"), Ok(None));
        let errors = [
            fields.required_text("number").unwrap_err(),
            fields.required_text("empty").unwrap_err(),
            fields.required_texts("broken").unwrap_err(),
            fields.headers_in_lower_case("quoted").unwrap_err(),
        ];
        expect_test::expect![[r#"
            `number` is not a text
            `empty` is not set, and the interface asks for it
            `broken` is not a list of texts
            `quoted` is not a list of texts"#]]
        .assert_eq(&errors.join("\n"));
    }

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
