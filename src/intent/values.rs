//! The values of options, as Juju holds them.

use serde_json::{Map, Value};

use super::problem::Problem;
use crate::text::{code_point, quoted, unseen};

/// The options as Juju holds them: name to value, unset ones missing or null.
pub type Options = Map<String, Value>;

/// The option's text without the spaces around it; `None` when unset. A character in it that nobody
/// can see is a problem: the text cannot be what its author thinks.
pub(super) fn text(
    options: &Options,
    option: &'static str,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    let text = raw_text(options, option, problems)?;
    if let Some(letter) = unseen(&text) {
        let message = format!(
            "{} holds the invisible character {}; type the value again",
            quoted(&text),
            code_point(letter)
        );
        problems.push(Problem::of_option(option, message));
        return None;
    }
    Some(text.trim_matches(' ').to_owned())
}

/// The option's truth value; `None` when unset.
pub(super) fn flag(
    options: &Options,
    option: &'static str,
    problems: &mut Vec<Problem>,
) -> Option<bool> {
    match options.get(option) {
        None | Some(Value::Null) => None,
        Some(Value::Bool(value)) => Some(*value),
        Some(_) => {
            problems.push(Problem::of_option(option, "must be true or false"));
            None
        }
    }
}

/// The option's text as it is; `None` when unset.
pub(super) fn raw_text(
    options: &Options,
    option: &'static str,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    match options.get(option) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => {
            problems.push(Problem::of_option(option, "must be text"));
            None
        }
    }
}
