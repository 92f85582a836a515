//! Plays the story that was recorded with a real Juju 4.0.15, and compares order, environment and
//! every hook tool's answer.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::common::{model, recorded_charm};
use crate::recording::{self, Hook, Kind, Step};
use juju_sim::{Deployment, Dispatch, Model};

/// The variables of the recorded `install` with the form of their values; the shell of the
/// recording charm added PWD and SHLVL.
const ENVIRONMENT: &str = "\
APT_LISTCHANGES_FRONTEND=none
CHARM_DIR=DIRECTORY/agents/unit-rec-0/charm
CLOUD_API_VERSION=1.37.0
DEBIAN_FRONTEND=noninteractive
JUJU_AGENT_SOCKET_ADDRESS=DIRECTORY/agents/unit-rec-0/agent.socket
JUJU_AGENT_SOCKET_NETWORK=unix
JUJU_API_ADDRESSES=HOST:17070
JUJU_AVAILABILITY_ZONE=
JUJU_CHARM_DIR=DIRECTORY/agents/unit-rec-0/charm
JUJU_CHARM_FTP_PROXY=
JUJU_CHARM_HTTPS_PROXY=
JUJU_CHARM_HTTP_PROXY=
JUJU_CHARM_NO_PROXY=127.0.0.1,localhost,::1
JUJU_CHARM_TRACE_CONFIG_CA_CERT=
JUJU_CHARM_TRACE_CONFIG_GRPC=
JUJU_CHARM_TRACE_CONFIG_HTTP=
JUJU_CONTEXT_ID=rec/0-install-RANDOM
JUJU_DISPATCH_PATH=hooks/install
JUJU_HOOK_NAME=install
JUJU_MACHINE_ID=
JUJU_MODEL_NAME=mesh
JUJU_MODEL_UUID=MODEL
JUJU_PRINCIPAL_UNIT=
JUJU_UNIT_NAME=rec/0
JUJU_VERSION=4.0.15
KUBERNETES_PORT=tcp://HOST:443
KUBERNETES_PORT_443_TCP=tcp://HOST:443
KUBERNETES_PORT_443_TCP_ADDR=HOST
KUBERNETES_PORT_443_TCP_PORT=443
KUBERNETES_PORT_443_TCP_PROTO=tcp
KUBERNETES_SERVICE_HOST=HOST
KUBERNETES_SERVICE_PORT=443
KUBERNETES_SERVICE_PORT_HTTPS=443
LANG=C.UTF-8
PATH=DIRECTORY/tools/unit-rec-0:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin:/charm/bin
TERM=tmux-256color
";

struct Story {
    model: Model,
    recorded: BTreeMap<&'static str, BTreeMap<String, Step>>,
    /// What differs between two runs, with its placeholder.
    names: Vec<(String, String)>,
    secret: String,
    compared: usize,
    differences: Vec<String>,
}

impl Story {
    fn new() -> Self {
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
    fn step(&mut self, name: &str, operation: impl FnOnce(&mut Model)) {
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

fn parameters(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn the_model_does_what_a_real_juju_did() {
    let mut story = Story::new();
    story.step("deploy", |model| {
        model
            .deploy(Deployment::of(recorded_charm()).trusted())
            .unwrap();
    });
    environment_is_as_recorded(&story.model);
    story.step("deploy-other", |model| {
        model
            .deploy(Deployment::of(recorded_charm()).named("other").trusted())
            .unwrap();
    });
    configure(&mut story);
    relate(&mut story);
    fail_and_grow(&mut story);
    leave(&mut story);
    let differences = story.differences;
    assert!(
        differences.is_empty(),
        "{} differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
    assert!(
        story.compared > 2000,
        "only {} answers were compared",
        story.compared
    );
}

fn environment_is_as_recorded(model: &Model) {
    let environment = &model.dispatches()[0].environment;
    let printed = environment
        .iter()
        .fold(String::new(), |text, (name, value)| {
            let value = match name.as_str() {
                "JUJU_CONTEXT_ID" => {
                    let (start, random) = value.rsplit_once('-').unwrap();
                    assert!(random.len() == 32 && random.bytes().all(|b| b.is_ascii_hexdigit()));
                    format!("{start}-RANDOM")
                }
                "JUJU_CHARM_NO_PROXY" => value.clone(),
                _ => value
                    .replace(model.directory().to_str().unwrap(), "DIRECTORY")
                    .replace(model.uuid(), "MODEL")
                    .replace("127.0.0.1", "HOST"),
            };
            format!("{text}{name}={value}\n")
        });
    assert_eq!(printed, ENVIRONMENT);
    let leader_tools = model.dispatches()[0].stderr.matches("not found").count();
    assert_eq!(leader_tools, 0, "the charm's own output goes nowhere");
    for tool in ["leader-get", "leader-set"] {
        assert!(
            !model
                .directory()
                .join("tools/unit-rec-0")
                .join(tool)
                .exists(),
            "{tool}"
        );
    }
}

fn configure(story: &mut Story) {
    story.step("set-bin-dir", |model| {
        model
            .set_config("rec", &[("cni-bin-dir", "/opt/cni/bin")])
            .unwrap();
    });
    story.step("set-conf-dir", |model| {
        let values = [("cni-conf-dir", "/etc/cni/net.d"), ("count", "7")];
        model.set_config("rec", &values).unwrap();
    });
    let content = [("tls-crt", "AAA"), ("tls-key", "BBB")];
    story.secret = story.model.add_secret("tls", &content).unwrap();
    let secret = story.secret.clone();
    story.names.push((
        secret.trim_start_matches("secret:").to_owned(),
        "TLS".into(),
    ));
    story.step("set-secret", |model| {
        model.reset_config("rec", &["cni-bin-dir"]).unwrap();
        model
            .set_config("rec", &[("tls-secret-id", &secret)])
            .unwrap();
    });
    story.step("update-secret", |model| {
        model.grant_secret("tls", "rec").unwrap();
        model
            .update_secret("tls", &[("tls-crt", "CCC"), ("tls-key", "BBB")])
            .unwrap();
    });
}

fn relate(story: &mut Story) {
    story.step("integrate", |model| {
        assert_eq!(
            model
                .integrate("rec:ingress", "other:want-ingress")
                .unwrap(),
            2
        );
    });
    story.step("show", |model| {
        let given = parameters(&json!({"dry-run": false, "namespace": "x"}));
        let result = model.run_action("rec/0", "show", &given).unwrap();
        assert!(result.completed);
        assert_eq!(
            Value::Object(result.results),
            json!({"a": {"b": "c"}, "result-x": "multi\nline"})
        );
        assert_eq!(result.log, ["progress"]);
    });
    story.step("broken", |model| {
        let result = model.run_action("rec/0", "broken", &Map::new()).unwrap();
        assert_eq!(
            (result.completed, result.message.as_str()),
            (false, "because")
        );
    });
    story.step("untrust", |model| model.set_trust("rec", false).unwrap());
    story.step("trust", |model| model.set_trust("rec", true).unwrap());
}

fn fail_and_grow(story: &mut Story) {
    story.step("count-13", |model| {
        model.set_config("rec", &[("count", "13")]).unwrap();
    });
    let status = story.model.status();
    let unit = status.unit("rec/0").unwrap();
    assert_eq!(unit.message, "hook failed: \"config-changed\"");
    // The leader's word about the application stands.
    assert_eq!(status.application("rec").unwrap().status.status, "active");
    story.step("resolve", |model| {
        model.set_config("rec", &[("count", "14")]).unwrap();
        model.resolved("rec/0", true).unwrap();
    });
    story.step("scale-up", |model| model.scale("rec", 2).unwrap());
    story.step("count-20", |model| {
        model.set_config("rec", &[("count", "20")]).unwrap();
    });
    story.step("show-second", |model| {
        assert!(
            model
                .run_action("rec/1", "show", &Map::new())
                .unwrap()
                .completed
        );
    });
}

fn leave(story: &mut Story) {
    story.step("remove-relation", |model| {
        model
            .remove_relation("rec:ingress", "other:want-ingress")
            .unwrap();
    });
    story.step("remove-application", |model| {
        model.scale("rec", 1).unwrap();
        model.remove_application("rec").unwrap();
    });
    assert!(story.model.status().application("rec").is_none());
    story.step("update-status", Model::update_status);
    story.step("refresh", |model| {
        model.refresh("other", &recorded_charm()).unwrap();
    });
    story.step("show-other", |model| {
        model.run_action("other/0", "show", &Map::new()).unwrap();
    });
}
