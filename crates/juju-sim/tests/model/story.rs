//! Plays the story that was recorded with a real Juju 4.0.15, and compares order, environment and
//! every hook tool's answer.

use serde_json::{Map, Value, json};

use crate::common::recorded_charm;
use crate::comparison::Story;
use juju_sim::{Deployment, Model};

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
    // What the leader said about the application remains.
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
