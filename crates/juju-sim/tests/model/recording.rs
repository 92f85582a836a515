//! What a real Juju 4.0.15 did, read from `tests/story`.
//!
//! One file per unit. `step NAME` begins what followed one operation of the story; `hook` is a
//! hook that ran then, with the variables of its event; `again` one that Juju ran a second time
//! without anything new (a race of its watchers, so this model need not); `unrecorded` one that
//! is known to have run, without its answers; `also` names hooks of which any number may run
//! in that step (the recordings left out hooks in which nothing was new). Below a hook are the
//! hook tools' answers: `COMMAND => OUTPUT`, or `COMMAND !CODE ERROR`, or `COMMAND ?` for an answer
//! that depended on what ran at the same time or is missing; `2: COMMAND` is the second call of the
//! same command. An answer that is not given is as in the hook before.
//!
//! Placeholders stand for what differs between two runs: MODEL (the UUID), TLS, MINE, APPOWNED
//! (secrets), REC and OTHER (Service addresses), POD (the unit's own), TIME, TASK (the number of a
//! later action), EVENT (the hook's name in the command), ANY.

use std::collections::{BTreeMap, BTreeSet};

/// How certain it is that a hook of the recording runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Hook,
    Again,
    Unrecorded,
}

/// A recorded hook.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    pub(crate) kind: Kind,
    /// The name and the variables of the event.
    pub(crate) identity: String,
    /// By command; complete, not only what is new.
    pub(crate) answers: BTreeMap<String, String>,
}

/// What followed one operation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Step {
    pub(crate) hooks: Vec<Hook>,
    pub(crate) also: BTreeSet<String>,
}

/// The steps of one unit.
pub(crate) fn read(text: &str) -> BTreeMap<String, Step> {
    let mut steps = BTreeMap::<String, Step>::new();
    let mut name = String::new();
    let mut answers = BTreeMap::new();
    for line in text.lines() {
        if let Some(answer) = line.strip_prefix("  ") {
            let at = [" =>", " !", " ?"]
                .iter()
                .filter_map(|mark| answer.find(mark))
                .min()
                .unwrap();
            let (command, answer) = answer.split_at(at);
            answers.insert(command.to_owned(), answer.trim_start().to_owned());
            let step = steps.get_mut(&name).unwrap();
            step.hooks.last_mut().unwrap().answers.clone_from(&answers);
            continue;
        }
        let (word, rest) = line.split_once(' ').unwrap();
        if word == "step" {
            rest.clone_into(&mut name);
            steps.insert(name.clone(), Step::default());
            continue;
        }
        let step = steps.get_mut(&name).unwrap();
        let kind = match word {
            "also" => {
                step.also = rest.split(' ').map(str::to_owned).collect();
                continue;
            }
            "hook" => Kind::Hook,
            "again" => Kind::Again,
            "unrecorded" => Kind::Unrecorded,
            other => panic!("unknown word {other}"),
        };
        step.hooks.push(Hook {
            kind,
            identity: rest.to_owned(),
            answers: answers.clone(),
        });
    }
    steps
}
