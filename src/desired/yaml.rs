//! Writes YAML: the text of rendered objects, and what stands inside them as text.
//!
//! What is written means the same to readers of YAML 1.1, such as `kubectl` and istiod, and of
//! YAML 1.2. A text stands bare only where neither could take it for anything else, as a literal
//! block where it has several lines, and otherwise in double quotes, as in JSON.
//!
//! Own code, because with the libraries writing took half the time of `istio-pilot render`: for the
//! same megabyte `serde-saphyr` needs three times as long, and `serde_yaml` six times.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Spaces by which the inside of a map or a literal block stands further right.
const INDENTATION: usize = 2;

/// Texts that some version of YAML takes for a truth value or for nothing
/// (<https://yaml.org/type/bool.html>, <https://yaml.org/type/null.html>), in lower case.
///
/// Everything else that is not text begins with a digit, a sign, a dot or a sign of its own.
const RESERVED: [&str; 9] = ["false", "n", "no", "null", "off", "on", "true", "y", "yes"];

/// Writes a value as one YAML document, with a line break at its end.
pub(super) fn to_string(value: &Value) -> String {
    let mut out = String::new();
    append(&mut out, value);
    out
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

/// Escapes in a JSON text what may not stand in YAML as it is, and pushes it.
///
/// JSON escapes the C0 controls only; YAML 1.2 (section 5.1) allows less, and YAML 1.1 takes some
/// of the rest for line breaks. What is escaped here lies in the basic multilingual plane.
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

/// Writes a map whose keys stand in column `column`. The first key of a map in a list follows the
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
            // The dashes stand below the key.
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

/// Writes a list whose dashes stand in column `column`.
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

/// Writes what takes no lines of its own but those of a literal block, in the place of a value
/// whose key or dash stands in column `column`. The last line break is left to the caller.
fn write_scalar(out: &mut String, value: &Value, column: usize) {
    match value {
        Value::String(text) if is_block(text) => write_block(out, text, column + INDENTATION),
        Value::String(text) => write_text(out, text),
        // An empty list or map, a number, a truth value or nothing: the same in JSON.
        other => out.push_str(&other.to_string()),
    }
}

/// Whether a text is written as a literal block: several lines, none of which ends in blanks that
/// nobody would see, and no character that needs an escape.
fn is_block(text: &str) -> bool {
    let Some(content) = text.find('\n').map(|_| text.trim_end_matches('\n')) else {
        return false;
    };
    let readable = |it: char| it == '\n' || (!it.is_control() && is_printable(it));
    !content.is_empty()
        && content.chars().all(readable)
        && content.lines().all(|line| !line.ends_with(' '))
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
    // The caller breaks the last line.
    let further = text.len() - content.len();
    out.extend(std::iter::repeat_n('\n', further.saturating_sub(1)));
}

/// Writes a text on one line.
fn write_text(out: &mut String, text: &str) {
    if is_bare(text) {
        out.push_str(text);
    } else {
        push_escaped(out, &Value::from(text).to_string());
    }
}

/// Whether a text may stand as it is.
///
/// Narrower than YAML: it begins with a letter, an underscore or a slash, and is all printable
/// ASCII.
fn is_bare(text: &str) -> bool {
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
