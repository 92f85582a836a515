//! The environment of a hook, built from scratch as Juju 4.0.15 builds it: nothing of the
//! caller's own environment, so no HOME.

use std::collections::BTreeMap;
use std::path::Path;

use super::Hook;
use crate::state::{State, split_unit};

/// Where a unit's files are.
#[derive(Debug, Clone)]
pub(crate) struct UnitPaths {
    pub(crate) charm: std::path::PathBuf,
    pub(crate) tools: std::path::PathBuf,
    pub(crate) socket: std::path::PathBuf,
}

const SYSTEM_PATH: &str = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin:/charm/bin";

/// Every variable of one hook. `additions` come last and win: what the caller wants beyond Juju.
pub(crate) fn build(
    state: &State,
    unit: &str,
    hook: &Hook,
    context: &str,
    paths: &UnitPaths,
    additions: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let charm = text(&paths.charm);
    let mut variables: BTreeMap<String, String> = [
        ("APT_LISTCHANGES_FRONTEND", "none".to_owned()),
        ("CHARM_DIR", charm.clone()),
        ("CLOUD_API_VERSION", state.cloud_version.clone()),
        ("DEBIAN_FRONTEND", "noninteractive".into()),
        ("JUJU_AGENT_SOCKET_ADDRESS", text(&paths.socket)),
        ("JUJU_AGENT_SOCKET_NETWORK", "unix".into()),
        ("JUJU_API_ADDRESSES", "127.0.0.1:17070".into()),
        ("JUJU_AVAILABILITY_ZONE", String::new()),
        ("JUJU_CHARM_DIR", charm),
        ("JUJU_CHARM_FTP_PROXY", String::new()),
        ("JUJU_CHARM_HTTPS_PROXY", String::new()),
        ("JUJU_CHARM_HTTP_PROXY", String::new()),
        ("JUJU_CHARM_NO_PROXY", "127.0.0.1,localhost,::1".into()),
        ("JUJU_CHARM_TRACE_CONFIG_CA_CERT", String::new()),
        ("JUJU_CHARM_TRACE_CONFIG_GRPC", String::new()),
        ("JUJU_CHARM_TRACE_CONFIG_HTTP", String::new()),
        ("JUJU_CONTEXT_ID", context.to_owned()),
        ("JUJU_DISPATCH_PATH", hook.dispatch_path()),
        (
            "JUJU_HOOK_NAME",
            if hook.is_action() {
                String::new()
            } else {
                hook.name()
            },
        ),
        ("JUJU_MACHINE_ID", String::new()),
        ("JUJU_MODEL_NAME", state.name.clone()),
        ("JUJU_MODEL_UUID", state.uuid.clone()),
        ("JUJU_PRINCIPAL_UNIT", String::new()),
        ("JUJU_UNIT_NAME", unit.to_owned()),
        ("JUJU_VERSION", state.juju_version.clone()),
        ("LANG", "C.UTF-8".into()),
        ("PATH", format!("{}:{SYSTEM_PATH}", text(&paths.tools))),
        ("TERM", "tmux-256color".into()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    variables.extend(kubernetes(&state.api_server));
    variables.extend(of_event(hook));
    variables.extend(state.proxies.clone());
    variables.extend(additions.clone());
    variables
}

/// The variables that Kubernetes gives every pod for the API server's Service.
fn kubernetes(api_server: &str) -> impl Iterator<Item = (String, String)> {
    let (host, port) = api_server.rsplit_once(':').unwrap_or((api_server, "443"));
    let url = format!("tcp://{host}:{port}");
    [
        ("KUBERNETES_PORT", url.clone()),
        ("KUBERNETES_PORT_443_TCP", url),
        ("KUBERNETES_PORT_443_TCP_ADDR", host.to_owned()),
        ("KUBERNETES_PORT_443_TCP_PORT", port.to_owned()),
        ("KUBERNETES_PORT_443_TCP_PROTO", "tcp".to_owned()),
        ("KUBERNETES_SERVICE_HOST", host.to_owned()),
        ("KUBERNETES_SERVICE_PORT", port.to_owned()),
        ("KUBERNETES_SERVICE_PORT_HTTPS", port.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
}

fn of_event(hook: &Hook) -> BTreeMap<String, String> {
    let variables = match hook {
        Hook::Relation(hook) => {
            let mut variables = vec![
                ("JUJU_RELATION", hook.endpoint.clone()),
                (
                    "JUJU_RELATION_ID",
                    format!("{}:{}", hook.endpoint, hook.relation),
                ),
                ("JUJU_REMOTE_APP", hook.remote_application.clone()),
                (
                    "JUJU_REMOTE_UNIT",
                    hook.remote_unit.clone().unwrap_or_default(),
                ),
            ];
            if let Some(unit) = &hook.departing_unit {
                variables.push(("JUJU_DEPARTING_UNIT", unit.clone()));
            }
            variables
        }
        // The revision is for the owner's events (expired, remove) alone.
        Hook::SecretChanged { id, label, .. } => {
            vec![
                ("JUJU_SECRET_ID", format!("secret:{id}")),
                ("JUJU_SECRET_LABEL", label.clone()),
            ]
        }
        Hook::Action { name, id, .. } => vec![
            ("JUJU_ACTION_NAME", name.clone()),
            ("JUJU_ACTION_TAG", format!("action-{id}")),
            ("JUJU_ACTION_UUID", id.to_string()),
        ],
        _ => Vec::new(),
    };
    variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// `unit-app-0`, the name of a unit's folders.
pub(crate) fn unit_tag(unit: &str) -> String {
    split_unit(unit).map_or_else(|| unit.to_owned(), |(app, n)| format!("unit-{app}-{n}"))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
