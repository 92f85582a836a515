//! The command lines of hook tools: gnuflag, the flag package that Juju uses.
//!
//! Flags may stand anywhere before `--`. Long flags take `--name value` and `--name=value`, short
//! ones `-n value` and `-nvalue`, and short switches may be joined. A switch takes a value only
//! as `--switch=true`.

use std::collections::BTreeMap;

use super::Failure;

/// A flag: all its names, and whether it takes a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flag {
    names: &'static [&'static str],
    takes_value: bool,
}

pub(super) const fn value(names: &'static [&'static str]) -> Flag {
    Flag {
        names,
        takes_value: true,
    }
}

pub(super) const fn switch(names: &'static [&'static str]) -> Flag {
    Flag {
        names,
        takes_value: false,
    }
}

pub(super) const FORMAT: Flag = value(&["format"]);
pub(super) const OUTPUT: Flag = value(&["output", "o"]);
pub(super) const RELATION: Flag = value(&["relation", "r"]);

#[derive(Debug, Default)]
pub(super) struct Arguments {
    /// By the flag's first name: the value and the flag as it was written.
    flags: BTreeMap<&'static str, (String, String)>,
    pub(super) positional: Vec<String>,
}

impl Arguments {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.flags.get(name).map(|(value, _)| value.as_str())
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// The refusal of a flag's value.
    pub(super) fn invalid(&self, name: &str, reason: &str) -> Failure {
        let (value, written) = self
            .flags
            .get(name)
            .map_or(("", name), |(value, written)| (value, written));
        Failure::usage(format!(
            "invalid value \"{value}\" for option {written}: {reason}"
        ))
    }

    /// Refuses what is left beyond `count` arguments.
    pub(super) fn at_most(&self, count: usize) -> Result<(), Failure> {
        match self.positional.get(count..) {
            None | Some([]) => Ok(()),
            Some(rest) => {
                let rest: Vec<_> = rest.iter().map(|text| format!("\"{text}\"")).collect();
                Err(Failure::usage(format!(
                    "unrecognized args: [{}]",
                    rest.join(" ")
                )))
            }
        }
    }

    pub(super) fn argument(&self, index: usize) -> Option<&str> {
        self.positional.get(index).map(String::as_str)
    }
}

/// Takes a command line apart.
///
/// # Errors
/// Unknown flags, missing values, switches that are neither true nor false.
pub(super) fn parse(flags: &[Flag], arguments: &[String]) -> Result<Arguments, Failure> {
    let mut parsed = Arguments::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            parsed.positional.extend(rest.cloned());
            break;
        }
        if let Some(long) = argument.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let written = format!("--{name}");
            let (flag, key) = find(flags, name, &written)?;
            let value = match value {
                Some(value) if flag.takes_value => value,
                Some(value) => switch_value(&written, &value)?,
                None if flag.takes_value => next_value(&mut rest, &written)?,
                None => "true".into(),
            };
            parsed.flags.insert(key, (value, written));
        } else if let Some(short) = argument.strip_prefix('-').filter(|short| !short.is_empty()) {
            for (position, letter) in short.char_indices() {
                let written = format!("-{letter}");
                let (flag, key) = find(flags, &letter.to_string(), &written)?;
                if !flag.takes_value {
                    parsed.flags.insert(key, ("true".into(), written));
                    continue;
                }
                let attached = &short[position + letter.len_utf8()..];
                let value = if attached.is_empty() {
                    next_value(&mut rest, &written)?
                } else {
                    attached.to_owned()
                };
                parsed.flags.insert(key, (value, written));
                break;
            }
        } else {
            parsed.positional.push(argument.clone());
        }
    }
    Ok(parsed)
}

fn find(flags: &[Flag], name: &str, written: &str) -> Result<(Flag, &'static str), Failure> {
    flags
        .iter()
        .find(|flag| flag.names.contains(&name))
        .and_then(|flag| Some((*flag, *flag.names.first()?)))
        .ok_or_else(|| Failure::usage(format!("option provided but not defined: {written}")))
}

fn next_value<'a>(
    rest: &mut impl Iterator<Item = &'a String>,
    written: &str,
) -> Result<String, Failure> {
    rest.next()
        .cloned()
        .ok_or_else(|| Failure::usage(format!("option needs an argument: {written}")))
}

fn switch_value(written: &str, value: &str) -> Result<String, Failure> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok("true".into()),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok("false".into()),
        _ => Err(Failure::usage(format!(
            "invalid value \"{value}\" for option {written}: strconv.ParseBool: parsing \
             \"{value}\": invalid syntax"
        ))),
    }
}

/// `key=value` arguments.
pub(super) fn key_values(arguments: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    arguments
        .iter()
        .map(|argument| match argument.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => Err(Failure::usage(format!(
                "expected \"key=value\", got \"{argument}\""
            ))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &[Flag] = &[FORMAT, RELATION, switch(&["app"]), switch(&["all", "a"])];

    type Parsed = (Vec<(&'static str, String)>, Vec<String>);

    fn parsed(line: &[&str]) -> Result<Parsed, Failure> {
        let line: Vec<String> = line.iter().map(ToString::to_string).collect();
        let arguments = parse(FLAGS, &line)?;
        let flags = arguments
            .flags
            .into_iter()
            .map(|(name, (value, _))| (name, value))
            .collect();
        Ok((flags, arguments.positional))
    }

    #[test]
    fn flags_come_in_every_form_that_gnuflag_knows() {
        for line in [
            &["--format=json", "-r", "ingress:7", "--app", "-", "other"][..],
            &[
                "-",
                "--app=true",
                "other",
                "--format",
                "json",
                "-ringress:7",
            ],
            &[
                "--relation",
                "ingress:7",
                "--format",
                "json",
                "--app",
                "--",
                "-",
                "other",
            ],
        ] {
            let (flags, positional) = parsed(line).unwrap();
            let expected = [
                ("app", "true"),
                ("format", "json"),
                ("relation", "ingress:7"),
            ];
            assert_eq!(
                flags,
                expected.map(|(name, value)| (name, value.to_owned())),
                "{line:?}"
            );
            assert_eq!(positional, ["-", "other"], "{line:?}");
        }
    }

    #[test]
    fn free_text_behind_two_dashes_is_left_alone() {
        let (flags, positional) = parsed(&["maintenance", "--", "--app", "-x"]).unwrap();
        assert_eq!(
            (flags.len(), positional),
            (0, vec!["maintenance".into(), "--app".into(), "-x".into()])
        );
    }

    #[test]
    fn a_switch_can_be_off() {
        let line = ["--app=false".to_owned()];
        assert!(!parse(FLAGS, &line).unwrap().is_set("app"));
    }

    #[test]
    fn wrong_flags_are_usage_errors() {
        for (line, text) in [
            (
                &["--nosuch"][..],
                "option provided but not defined: --nosuch",
            ),
            (&["-x"], "option provided but not defined: -x"),
            (&["-r"], "option needs an argument: -r"),
            (&["active", "-text"], "option provided but not defined: -t"),
        ] {
            assert_eq!(parsed(line), Err(Failure::usage(text)), "{line:?}");
        }
    }

    #[test]
    fn pairs_need_a_key() {
        let pairs = |text: &str| key_values(&[text.to_owned()]);
        assert_eq!(pairs("a=b=c").unwrap()["a"], "b=c");
        for bad in ["a", "=b"] {
            assert!(matches!(pairs(bad), Err(Failure::Usage(_))), "{bad}");
        }
    }
}
