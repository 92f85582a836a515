//! Compares what the model does with the recording of a real Juju, step by step.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::common::model;
use crate::recording::{self, Hook, Kind, Step};
use juju_sim::{Dispatch, Model};

pub(crate) struct Story {
    pub(crate) model: Model,
    recorded: BTreeMap<&'static str, BTreeMap<String, Step>>,
    /// What differs between two runs, with its placeholder.
    pub(crate) names: Vec<(String, String)>,
    pub(crate) secret: String,
    pub(crate) compared: usize,
    pub(crate) differences: Vec<String>,
}

impl Story {
    pub(crate) fn new() -> Self {
        let recorded = BTreeMap::from([
            ("rec/0", recording::read(include_str!("../story/rec-0.txt"))),
            ("rec/1", recording::read(include_str!("../story/rec-1.txt"))),
            ("other/0", {
                let mut steps = recording::read(include_str!("../story/other-0.txt"));
                let after = include_str!("../story/other-0-after-refresh.txt");
                steps.extend(recording::read(after));
                steps
            }),
        ]);
        let model = model();
        let names = vec![(model.uuid().to_owned(), "MODEL".to_owned())];
        let differences = Vec::new();
        Self {
            model,
            recorded,
            names,
            secret: String::new(),
            compared: 0,
            differences,
        }
    }

    /// One operation and all the hooks it causes, compared with the recording.
    pub(crate) fn step(&mut self, name: &str, operation: impl FnOnce(&mut Model)) {
        let before = self.model.dispatches().len();
        operation(&mut self.model);
        self.model.settle().unwrap();
        self.learn_names(before);
        let dispatches = self.model.dispatches()[before..].to_vec();
        for (unit, steps) in self.recorded.clone() {
            let ran: Vec<_> = dispatches.iter().filter(|d| d.unit == unit).collect();
            if let Some(step) = steps.get(name) {
                self.compare(name, &ran, step);
            }
        }
    }

    fn learn_names(&mut self, before: usize) {
        let status = self.model.status();
        for application in &status.applications {
            self.names
                .push((application.address.clone(), application.name.to_uppercase()));
        }
        for unit in &status.units {
            self.names.push((unit.address.clone(), "POD".to_owned()));
        }
        for call in self.model.dispatches()[before..]
            .iter()
            .flat_map(|d| d.calls_of("secret-add"))
        {
            let Some(id) = call
                .stdout
                .trim()
                .rsplit('/')
                .next()
                .filter(|id| !id.is_empty())
            else {
                continue;
            };
            let name = if call.argv.contains(&"mine".to_owned()) {
                "MINE"
            } else {
                "APPOWNED"
            };
            self.names.push((id.to_owned(), name.to_owned()));
        }
    }

    fn compare(&mut self, step_name: &str, ran: &[&Dispatch], step: &Step) {
        let mut expected = step.hooks.iter().peekable();
        for dispatch in ran {
            let identity = self.identity(dispatch);
            // What Juju happened to run twice may be skipped, or be what runs now.
            while expected
                .next_if(|hook| hook.kind == Kind::Again && hook.identity != identity)
                .is_some()
            {}
            let matches = |hook: &&Hook| match hook.kind {
                Kind::Unrecorded => hook.identity == dispatch.hook,
                _ => hook.identity == identity,
            };
            match expected.next_if(matches) {
                Some(hook) if hook.kind == Kind::Unrecorded => {}
                Some(hook) => self.compare_answers(step_name, dispatch, hook),
                None if step.also.contains(&dispatch.hook) => {}
                None => self.differences.push(format!(
                    "{step_name}: {} ran {identity}, recorded next: {:?}",
                    dispatch.unit,
                    expected.peek().map(|hook| &hook.identity)
                )),
            }
        }
        for missing in expected.filter(|hook| hook.kind != Kind::Again) {
            self.differences
                .push(format!("{step_name}: {} did not run", missing.identity));
        }
    }

    /// The hook's name with the variables of its event, as in the recording.
    fn identity(&self, dispatch: &Dispatch) -> String {
        let prefixes = [
            "JUJU_RELATION",
            "JUJU_REMOTE",
            "JUJU_DEPART",
            "JUJU_SECRET",
            "JUJU_ACTION",
        ];
        let event = dispatch.environment.iter().filter(|(name, _)| {
            prefixes.iter().any(|prefix| name.starts_with(prefix)) && *name != "JUJU_ACTION_NAME"
        });
        event.fold(dispatch.hook.clone(), |text, (name, value)| {
            let value = self.general(value);
            // The first two actions have the numbers 1 and 3; then commands of `juju exec`, which
            // have no dispatch, took some.
            let number = value.strip_prefix("action-").unwrap_or(&value);
            let later = name.starts_with("JUJU_ACTION") && number.parse().is_ok_and(|n: u32| n > 3);
            let value = if later {
                value.replace(number, "TASK")
            } else {
                value.clone()
            };
            format!("{text} {name}={value}")
        })
    }

    fn compare_answers(&mut self, step: &str, dispatch: &Dispatch, hook: &Hook) {
        let mut calls = BTreeMap::<String, usize>::new();
        for call in &dispatch.tool_calls {
            let command = self.general(&call.argv.join(" "));
            let from = format!("from {}", dispatch.hook);
            let command = command.replace(&from, "from EVENT").replace('\n', "\\n");
            let count = calls.entry(command.clone()).or_default();
            *count += 1;
            let key = if *count == 1 {
                command
            } else {
                format!("{count}: {command}")
            };
            // The calls that the script makes for itself, in another format, are not recorded.
            let Some(recorded) = hook.answers.get(&key) else {
                continue;
            };
            let answer = match call.exit_code {
                0 => format!("=> {}", self.general(call.stdout.trim_end())),
                code => {
                    let error = call.stderr.trim_end();
                    format!(
                        "!{code} {}",
                        self.general(error.strip_prefix("ERROR ").unwrap())
                    )
                }
            };
            self.compared += 1;
            if !same(&key, recorded, answer.trim_end()) {
                self.differences.push(format!(
                    "{step}: {} {}: {key}\n    recorded {recorded}\n    answered {answer}",
                    dispatch.unit, dispatch.hook
                ));
            }
        }
    }

    /// Replaces what differs between two runs.
    fn general(&self, text: &str) -> String {
        self.names
            .iter()
            .fold(text.to_owned(), |text, (name, general)| {
                if name.is_empty() {
                    text
                } else {
                    text.replace(name, general)
                }
            })
    }
}

/// Equal as text or as JSON, whatever the order of keys, and of secrets' identifiers.
fn same(command: &str, recorded: &str, answered: &str) -> bool {
    let any = recorded == "?" || recorded == "=> ANY" && answered.starts_with("=> ");
    if recorded == answered || any {
        return true;
    }
    let parse = |text: &str| {
        let mut value = serde_json::from_str::<Value>(text.strip_prefix("=> ")?).ok()?;
        hide_times(&mut value);
        if let (true, Value::Array(ids)) = (command.contains("secret-ids"), &mut value) {
            ids.sort_by_key(ToString::to_string);
        }
        Some(value)
    };
    parse(recorded).is_some_and(|recorded| parse(answered) == Some(recorded))
}

fn hide_times(value: &mut Value) {
    if let Value::Object(map) = value {
        for (name, value) in map {
            if name == "since" {
                let text = value.as_str().unwrap();
                assert!(
                    text == "TIME" || text.len() == "2026-11-23 17:13:54Z".len(),
                    "{text}"
                );
                *value = json!("TIME");
            } else {
                hide_times(value);
            }
        }
    }
}
