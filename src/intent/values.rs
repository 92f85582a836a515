//! The values of options, as Juju holds them.

use serde_json::{Map, Value};

use super::problem::Problem;

/// The options as Juju holds them: name to value, unset ones missing or null.
pub type Options = Map<String, Value>;

/// The option's text without the spaces around it; `None` when unset.
pub(super) fn text(
    options: &Options,
    option: &'static str,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    match options.get(option) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.trim_matches(' ').to_owned()),
        Some(_) => {
            problems.push(Problem::of_option(option, "must be text"));
            None
        }
    }
}
