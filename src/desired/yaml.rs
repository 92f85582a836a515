//! Writes YAML: the text of rendered objects, and the YAML texts inside them.
//!
//! The output means the same to readers of YAML 1.1, such as `kubectl` and istiod, and of YAML 1.2.
//! A text is written plain only where neither version could read it as anything else; a text of
//! several lines is a literal block, and any other one is in double quotes, as in JSON.
//!
//! This is our own code because writing with a library took half the time of `istio-pilot render`:
//! for the same megabyte `serde-saphyr` needs three times as long, and `serde_yaml` six times.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// By how many spaces the inside of a map or a literal block is indented.
const INDENTATION: usize = 2;

/// Texts that some version of YAML reads as a boolean or as null
/// (<https://yaml.org/type/bool.html>, <https://yaml.org/type/null.html>), in lower case.
///
/// Everything else that is not text begins with a digit, a sign, a dot or other punctuation.
const RESERVED: [&str; 9] = ["false", "n", "no", "null", "off", "on", "true", "y", "yes"];

/// Writes a value as one YAML document, with a line break at its end.
pub(super) fn to_string(value: &Value) -> String {
    // A text that grows is copied, and where it is large each of its copies costs the allocator
    // megabytes of its own.
    let mut out = String::with_capacity(length_of(value) * 5 / 4);
    append(&mut out, value);
    out
}

/// How long all texts of a value are together, in bytes.
fn length_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(length_of).sum(),
        Value::Object(map) => map.values().map(length_of).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Appends a value as one YAML document, with a line break at its end.
pub(super) fn append(out: &mut String, value: &Value) {
    match value {
        Value::Object(map) if !map.is_empty() => write_map(out, map, 0, false),
        Value::Array(list) if !list.is_empty() => write_list(out, list, 0),
        scalar => {
            write_scalar(out, scalar, 0);
            out.push('\n');
        }
    }
}

/// Appends a JSON text, with those characters escaped that YAML does not allow as they are.
///
/// JSON escapes only the C0 controls. YAML 1.2 (section 5.1) allows fewer characters, and YAML 1.1
/// reads some of the others as line breaks. All of them are in the basic multilingual plane.
pub(crate) fn push_escaped(out: &mut String, json: &str) {
    for character in json.chars() {
        if is_printable(character) {
            out.push(character);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        }
    }
}

fn is_printable(character: char) -> bool {
    !matches!(
        character,
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

/// Writes a map whose keys begin in column `column`. The first key of a map in a list follows the
/// dash on its line.
fn write_map(out: &mut String, map: &Map<String, Value>, column: usize, mut after_dash: bool) {
    for (key, value) in map {
        if !std::mem::take(&mut after_dash) {
            indent(out, column);
        }
        write_text(out, key);
        out.push(':');
        match value {
            Value::Object(map) if !map.is_empty() => {
                out.push('\n');
                write_map(out, map, column + INDENTATION, false);
            }
            // The dashes are directly below the key.
            Value::Array(list) if !list.is_empty() => {
                out.push('\n');
                write_list(out, list, column);
            }
            scalar => {
                out.push(' ');
                write_scalar(out, scalar, column);
                out.push('\n');
            }
        }
    }
}

/// Writes a list whose dashes are in column `column`.
fn write_list(out: &mut String, list: &[Value], column: usize) {
    for item in list {
        indent(out, column);
        match item {
            Value::Object(map) if !map.is_empty() => {
                out.push_str("- ");
                write_map(out, map, column + INDENTATION, true);
            }
            Value::Array(list) if !list.is_empty() => {
                out.push_str("-\n");
                write_list(out, list, column + INDENTATION);
            }
            scalar => {
                out.push_str("- ");
                write_scalar(out, scalar, column);
                out.push('\n');
            }
        }
    }
}

/// Writes a scalar, which takes further lines only as a literal block, after a key or dash in
/// column `column`. The caller writes the last line break.
fn write_scalar(out: &mut String, value: &Value, column: usize) {
    match value {
        Value::String(text) if is_block(text) => write_block(out, text, column + INDENTATION),
        Value::String(text) => write_text(out, text),
        // An empty list or map, a number, a boolean or null: the same as in JSON.
        other => out.push_str(&other.to_string()),
    }
}

/// Whether a text is written as a literal block: it has several lines, none of which ends in
/// invisible blanks, and no character that needs an escape.
fn is_block(text: &str) -> bool {
    let Some(content) = text.find('\n').map(|_| text.trim_end_matches('\n')) else {
        return false;
    };
    !content.is_empty()
        && content.chars().all(is_readable)
        && content.lines().all(|line| !line.ends_with(' '))
}

fn is_readable(character: char) -> bool {
    character == '\n' || (!character.is_control() && is_printable(character))
}

/// Writes a literal block. The number after the bar is for readers that would otherwise take
/// leading blanks for indentation; the sign says how many line breaks at the end count.
fn write_block(out: &mut String, text: &str, column: usize) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push_str(&INDENTATION.to_string());
    }
    let content = text.trim_end_matches('\n');
    match text.len() - content.len() {
        0 => out.push('-'),
        1 => {}
        _ => out.push('+'),
    }
    for line in content.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            indent(out, column);
            out.push_str(line);
        }
    }
    // The caller writes the last line break.
    let further = text.len() - content.len();
    out.extend(std::iter::repeat_n('\n', further.saturating_sub(1)));
}

/// Writes a text on one line.
fn write_text(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else {
        push_escaped(out, &Value::from(text).to_string());
    }
}

/// Whether a text may be written plain.
///
/// This is narrower than YAML: the text begins with a letter, an underscore or a slash, and is all
/// printable ASCII.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    let fits_inside = |pair: &[u8]| match pair {
        [b':', b' '] | [b' ', b'#'] => false,
        [_, second] => matches!(second, b' '..=b'~'),
        _ => true,
    };
    (first.is_ascii_alphabetic() || matches!(first, b'_' | b'/'))
        && !matches!(last, b' ' | b':')
        && bytes.windows(2).all(fits_inside)
        && !RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn indent(out: &mut String, columns: usize) {
    out.extend(std::iter::repeat_n(' ', columns));
}

#[cfg(test)]
mod tests;
