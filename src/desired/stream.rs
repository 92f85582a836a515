//! Objects as text for people and for `kubectl`.

use serde_json::Value;

use super::RenderError;
use crate::desired::yaml;
use crate::k8s::object::Object;

/// The objects as one YAML stream, in their order, each after a line `---`.
///
/// Words that are not text in YAML 1.1, such as `on`, are quoted: kubectl reads that version, and a
/// model may have such a name.
pub fn to_yaml_stream(objects: &[Object]) -> String {
    let mut stream = String::new();
    for object in objects {
        stream.push_str("---\n");
        yaml::append(&mut stream, object.value());
    }
    stream
}

/// The objects as one JSON array, in their order, indented, with a line break at the end.
///
/// # Errors
/// When an object has no JSON form; rendered objects always have one.
pub fn to_json(objects: &[Object]) -> Result<String, RenderError> {
    let values: Vec<&Value> = objects.iter().map(Object::value).collect();
    let mut text = serde_json::to_string_pretty(&values).map_err(RenderError::NoJsonForm)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde::Deserialize as _;
    use serde_json::json;

    use super::*;

    fn config_map(value: &str) -> Object {
        Object::from_value(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "a"},
            "data": {"key": value},
        }))
        .unwrap()
    }

    proptest! {
        #[test]
        fn a_stream_is_read_back_as_it_was(texts in vec(any::<String>(), 0..4)) {
            check_stream(&texts);
        }
    }

    #[test]
    fn text_of_several_lines_is_read_back_too() {
        let long = "word ".repeat(40);
        check_stream(&[
            "two\nlines\n",
            " lead\n\n",
            "end \n",
            "---\n",
            "a: b",
            "\u{85}",
            &long,
        ]);
    }

    fn check_stream<T: AsRef<str>>(texts: &[T]) {
        let objects: Vec<_> = texts.iter().map(|text| config_map(text.as_ref())).collect();
        let stream = to_yaml_stream(&objects);
        let read: Vec<_> = serde_yaml::Deserializer::from_str(&stream)
            .map(|document| Value::deserialize(document).unwrap())
            .filter(|value| !value.is_null())
            .collect();
        let values: Vec<_> = objects
            .iter()
            .map(|object| object.value().clone())
            .collect();
        assert_eq!(read, values, "{stream}");
        let read: Vec<Value> = serde_json::from_str(&to_json(&objects).unwrap()).unwrap();
        assert_eq!(read, values);
    }
}
