//! Running one hook, and what the agent does before and after it.

use std::collections::BTreeMap;

use super::actions::ActionResult;
use super::{Model, saved};
use crate::dispatch::{self, Outcome};
use crate::hook::environment;
use crate::hook::{Hook, RelationEvent};
use crate::hook_context::{ActionReport, Credential, HookContext, Pending};
use crate::record::{Dispatch, Progress, Reaction};
use crate::state::{FailedHook, Life, State, Status};
use crate::{Error, clock};

/// What one run leaves for its caller.
pub(super) struct Report {
    pub(super) hook: Hook,
    /// What the hook wrote, for the caller to apply.
    pub(super) pending: Pending,
    action: Option<(u32, ActionReport)>,
    exit_code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Report {
    fn new(hook: &Hook, outcome: Outcome, pending: Pending, action: ActionReport) -> Self {
        let action = match hook {
            Hook::Action { id, .. } => Some((*id, action)),
            _ => None,
        };
        Self {
            hook: hook.clone(),
            pending: if outcome.exit_code == Some(0) {
                pending
            } else {
                Pending::default()
            },
            action,
            exit_code: outcome.exit_code,
            stdout: outcome.stdout,
            stderr: outcome.stderr,
        }
    }

    /// The result, if this was the run of action `id`.
    pub(super) fn take_action(&mut self, id: u32, operation: u32) -> Option<ActionResult> {
        let (_, report) = self.action.take_if(|(ran, _)| *ran == id)?;
        let message = match (self.exit_code, report.failed) {
            (_, Some(message)) => Some(message),
            (Some(0), None) => None,
            (Some(code), None) => Some(format!("exit status {code}")),
            (None, None) => Some("signal: killed".to_owned()),
        };
        Some(ActionResult {
            id,
            operation,
            completed: message.is_none(),
            message: message.unwrap_or_default(),
            results: report.results,
            log: report.log,
            stdout: std::mem::take(&mut self.stdout),
            stderr: std::mem::take(&mut self.stderr),
        })
    }
}

impl Model {
    pub(super) fn run_hook(
        &mut self,
        application: &str,
        number: u32,
        hook: &Hook,
    ) -> Result<Report, Error> {
        let unit = format!("{application}/{number}");
        self.prepare(application, number, hook)?;
        let paths = self.paths(&unit);
        let context_id = format!("{unit}-{}-{}", hook.name(), clock::context_suffix());
        let (additions, credential) = self.access(application)?;
        let variables =
            environment::build(&self.state, &unit, hook, &context_id, &paths, &additions);
        self.notify(Progress::Started {
            unit: &unit,
            hook: &hook.name(),
        });
        let save = self.save_for_watchers();
        save(&self.state);
        let mut context = HookContext {
            state: &mut self.state,
            log: &mut self.log,
            observer: &mut self.observer,
            tool_failures: &mut self.tool_failures,
            id: context_id,
            application_name: application.to_owned(),
            unit_number: number,
            unit_name: unit.clone(),
            hook: hook.clone(),
            credential,
            pending: Pending::default(),
            action: ActionReport::default(),
            calls: Vec::new(),
            kill: false,
            visible_change: false,
        };
        let outcome = dispatch::run(&mut context, &self.program, &paths, &variables, &save)?;
        log_output(&mut context, hook, &outcome);
        let HookContext {
            action,
            calls,
            pending,
            ..
        } = context;
        self.finish(application, number, hook, outcome.exit_code)?;
        self.record(Dispatch {
            unit,
            hook: hook.name(),
            environment: variables,
            exit_code: outcome.exit_code,
            stdout: outcome.stdout.clone(),
            stderr: outcome.stderr.clone(),
            duration: outcome.duration,
            tool_calls: calls,
        });
        Ok(Report::new(hook, outcome, pending, action))
    }

    /// What a hook of this application gets beyond Juju's variables, and its credential: how it
    /// reaches the cluster, if there is one.
    fn access(&self, application: &str) -> Result<(BTreeMap<String, String>, Credential), Error> {
        let mut additions = self.variables.clone();
        let Some(substrate) = &self.substrate else {
            return Ok((additions, Credential::default()));
        };
        let access = substrate.access(application, &self.directory)?;
        let kubeconfig = access.kubeconfig.display().to_string();
        // What a test has set wins.
        additions.entry("KUBECONFIG".into()).or_insert(kubeconfig);
        let credential = Credential {
            token: access.token,
            certificates: access.certificates,
        };
        Ok((additions, credential))
    }

    /// Writes the state of a saved model while a hook runs, for other processes that watch it. A
    /// failure is ignored: the state is written again, and checked, at the end.
    fn save_for_watchers(&self) -> impl Fn(&State) + Sync + use<> {
        let directory = self.temporary.is_none().then(|| self.directory.clone());
        move |state| {
            if let Some(directory) = &directory {
                let _ = saved::write_state(directory, state);
            }
        }
    }

    fn record(&mut self, dispatch: Dispatch) {
        self.dispatches.push(dispatch);
        if let Some(dispatch) = self.dispatches.last() {
            // The hook is over, so there is nothing left to kill.
            let _: Reaction = (self.observer)(Progress::Finished(dispatch));
        }
    }

    fn notify(&mut self, progress: Progress<'_>) {
        let _: Reaction = (self.observer)(progress);
    }

    /// What the agent does before it starts the hook.
    fn prepare(&mut self, application: &str, number: u32, hook: &Hook) -> Result<(), Error> {
        let unit_name = format!("{application}/{number}");
        if matches!(hook, Hook::Install | Hook::UpgradeCharm) {
            self.write_unit_files(application, &unit_name)?;
        }
        self.deliver_versions(application, number);
        let Some(unit) = self.state.unit_mut(application, number) else {
            return Ok(());
        };
        unit.executing = Some(hook.clone());
        let status = match hook {
            Hook::Install => Some("installing charm software"),
            Hook::Stop | Hook::PodStop => Some("stopping charm software"),
            Hook::Remove => Some("cleaning up prior to charm deletion"),
            _ => None,
        };
        if let Some(message) = status {
            unit.workload = Status::new("maintenance", message);
        }
        if let Hook::Relation(relation) = hook
            && let Some(known) = unit.relations.get_mut(&relation.relation)
            && let Some(remote) = &relation.remote_unit
        {
            match relation.event {
                RelationEvent::Joined => {
                    known.members.insert(remote.clone(), relation.version);
                }
                RelationEvent::Departed => {
                    known.members.remove(remote);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What the agent notes when the hook has ended.
    fn finish(
        &mut self,
        application: &str,
        number: u32,
        hook: &Hook,
        exit_code: Option<i32>,
    ) -> Result<(), Error> {
        let retries = self.hook_retries;
        let Some(unit) = self.state.unit_mut(application, number) else {
            return Ok(());
        };
        unit.executing = None;
        if exit_code == Some(0) || hook.is_action() {
            if !hook.is_action() {
                unit.failed = None;
            }
            return self.hook_done(application, number, hook);
        }
        unit.failed = Some(match unit.failed.take() {
            Some(failed) => FailedHook {
                retries_left: failed.retries_left.saturating_sub(1),
                since: clock::now(),
                ..failed
            },
            None => FailedHook {
                hook: hook.clone(),
                retries_left: retries,
                since: clock::now(),
            },
        });
        Ok(())
    }

    /// The hook counts as done, because it succeeded or because it is skipped.
    pub(super) fn hook_done(
        &mut self,
        application: &str,
        number: u32,
        hook: &Hook,
    ) -> Result<(), Error> {
        let unit_name = format!("{application}/{number}");
        if *hook == Hook::Remove {
            return self.remove_unit(application, number);
        }
        let new_address =
            matches!(hook, Hook::PodStop).then(|| self.state.allocate_address("10.244"));
        let Some(unit) = self.state.unit_mut(application, number) else {
            return Ok(());
        };
        match hook {
            Hook::Install => {
                unit.installed = true;
                self.state.enter_scopes();
            }
            Hook::LeaderElected => unit.leader_elected_due = false,
            Hook::ConfigChanged => unit.config_changed_due = false,
            Hook::Start => {
                unit.start_due = false;
                unit.started = true;
                if !unit.charm_set_status {
                    unit.workload = Status::new("unknown", "");
                }
            }
            Hook::UpdateStatus => unit.update_status_due = false,
            Hook::PodStop => {
                unit.pod_stop_due = false;
                unit.address = new_address.unwrap_or_default();
            }
            Hook::UpgradeCharm => unit.upgrade_due = false,
            Hook::Stop => unit.stopped = true,
            Hook::SecretChanged { id, revision, .. } => {
                if let Some(consumed) = unit.consumed.get_mut(id) {
                    consumed.notified = *revision;
                }
            }
            Hook::Action { id, .. } => unit.actions.retain(|queued| queued.id != *id),
            Hook::Relation(relation) => {
                if relation.event == RelationEvent::Broken {
                    unit.relations.remove(&relation.relation);
                    if let Some(relation) = self.state.relations.get_mut(&relation.relation) {
                        relation.scope.remove(&unit_name);
                    }
                    self.drop_empty_relations();
                } else if let Some(known) = unit.relations.get_mut(&relation.relation) {
                    known.done(relation);
                }
            }
            Hook::Remove => {}
        }
        Ok(())
    }

    fn remove_unit(&mut self, application: &str, number: u32) -> Result<(), Error> {
        let unit_name = format!("{application}/{number}");
        for relation in self.state.relations.values_mut() {
            relation.scope.remove(&unit_name);
        }
        self.drop_empty_relations();
        self.remove_unit_files(&unit_name)?;
        let Ok(application) = self.application_mut(application) else {
            return Ok(());
        };
        application.units.remove(&number);
        if application.leader == Some(number) {
            let heir = application
                .units
                .values_mut()
                .find(|unit| unit.life == Life::Alive);
            application.leader = heir.map(|unit| {
                unit.leader_elected_due = true;
                unit.number
            });
        }
        Ok(())
    }
}

impl crate::state::UnitRelation {
    fn done(&mut self, hook: &crate::hook::RelationHook) {
        match (hook.event, &hook.remote_unit) {
            (RelationEvent::Created, _) => self.created = true,
            (RelationEvent::Joined, Some(unit)) => self.changed_pending = Some(unit.clone()),
            (RelationEvent::Changed, Some(unit)) => {
                self.members.insert(unit.clone(), hook.version);
                self.changed_pending = None;
            }
            (RelationEvent::Changed, None) => {
                self.applications
                    .insert(hook.remote_application.clone(), hook.version);
            }
            (RelationEvent::Departed, Some(unit)) => {
                self.changed_pending.take_if(|pending| pending == unit);
            }
            _ => {}
        }
    }
}

/// Output goes to the debug log line by line, and so does the failure of a hook.
fn log_output(context: &mut HookContext<'_>, hook: &Hook, outcome: &Outcome) {
    let name = hook.name();
    for (level, text) in [("DEBUG", &outcome.stdout), ("WARNING", &outcome.stderr)] {
        for line in text.lines() {
            context.write_log(level, &name, line.to_owned());
        }
    }
    let reason = match outcome.exit_code {
        Some(0) => return,
        Some(code) => format!("exit status {code}"),
        None => "signal: killed".to_owned(),
    };
    let kind = if hook.is_action() { "action" } else { "hook" };
    context.write_agent_log(
        "ERROR",
        "juju.worker.uniter.operation",
        format!("{kind} \"{name}\" (via hook dispatching script: dispatch) failed: {reason}"),
    );
}
