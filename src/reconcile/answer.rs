//! Asks the cluster for what has to be known beyond what is always read.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{join_all, try_join_all};
use k8s_openapi::api::core::v1::Pod;
use tokio::time::Instant;

use super::watches::Watches;
use crate::assess::agent::has_same_template;
use crate::assess::question::Question;
use crate::cluster::error::{ClusterError, FailureKind};
use crate::cluster::write::{Mode, OnConflict};
use crate::cluster::{Cluster, Run, Scope, Selector};
use crate::cni::acknowledgement::{
    Holding, SILENCE, WEBHOOK_PATH, WEBHOOK_PORT, answer as injection, question,
};
use crate::cni::drain::needs_agent;
use crate::cni::rollout::waits_for_configuration;
use crate::cni::stragglers::SlowestWebhook;
use crate::istio::{Injection, names};
use crate::k8s::object::{Object, ObjectId};
use crate::k8s::{kind, pod, slim};
use crate::observed::agent::AgentState;
use crate::observed::attempts::Refusal;
use crate::observed::collection::Collection;
use crate::observed::crashes::Crash;
use crate::observed::new_pods::NewPods;
use crate::observed::others::OtherControlPlane;
use crate::observed::{DefinitionUse, Effect, Observed};
use crate::step::journal::Journal;
use crate::text::{last_message, shorten};

/// The container of the node agent's pods.
const AGENT_CONTAINER: &str = "install-cni";
/// The logs of how many pods are read.
const MOST_LOGS: usize = 10;
/// How many lines of each log are read.
const LOG_LINES: u32 = 20;
/// How many characters of a crashed container's last message are kept: the log of a hook shows them.
const LONGEST_WORDS: usize = 500;

/// An answer of the cluster.
pub(super) enum Answer {
    AgentState(AgentState),
    AgentPods(Vec<Pod>),
    EffectOfApplying(Effect),
    Holding(Vec<Holding>),
    WhoReliesOnAgent(Vec<ObjectId>),
    SlowestWebhook(SlowestWebhook),
    PendingPods(Vec<Pod>),
    WithoutConfiguration(BTreeSet<String>),
    LastWords(BTreeMap<Crash, String>),
    DefinitionUse(DefinitionUse),
    GatewayService(Option<Object>),
}

impl Answer {
    /// Adds the answer to what is known already.
    pub(super) fn enter(self, observed: &mut Observed) {
        match self {
            Self::AgentState(state) => observed.agent = Some(state),
            Self::AgentPods(pods) => observed.scraped_agents = Some(pods),
            Self::EffectOfApplying(effect) => observed.effect_of_applying = Some(effect),
            Self::Holding(holding) => observed.drain.holding = Some(holding),
            Self::WhoReliesOnAgent(istiods) => observed.drain.relying = Some(istiods),
            Self::SlowestWebhook(slowest) => observed.drain.slowest_webhook = Some(slowest),
            Self::PendingPods(pods) => observed.drain.pending = Some(pods),
            Self::WithoutConfiguration(nodes) => observed.without_configuration = Some(nodes),
            Self::LastWords(words) => observed.explain_crashes(&words),
            Self::DefinitionUse(used) => observed.definitions = Some(used),
            Self::GatewayService(service) => observed.gateway_service = Some(service),
        }
    }
}

/// Asks the cluster. What later observations need is noted in the journal.
///
/// # Errors
/// When the server does not answer or refuses.
pub(super) async fn answer(
    cluster: &Cluster,
    question: Question<'_>,
    observed: &Observed,
    journal: &mut Journal,
    watches: &mut Watches,
    began: Instant,
) -> Result<Answer, ClusterError> {
    match question {
        Question::AgentState => {
            let state = agent_state(cluster, watches).await?;
            Ok(Answer::AgentState(state))
        }
        Question::AgentPods => {
            let ours = Scope::Namespace(cluster.namespace());
            let agents = Selector::of_labels(names::NODE_AGENT_LABEL);
            let (collection, keep) = (Collection::Agents, |it| Some(slim::pod(it)));
            let pods = watches.list(cluster, collection, &kind::POD, ours, agents, keep);
            Ok(Answer::AgentPods(pods.await?))
        }
        Question::EffectOfApplying { wanted, live } => {
            let effect = effect_of_applying(cluster, wanted, live, journal).await?;
            Ok(Answer::EffectOfApplying(effect))
        }
        Question::WhatIstiodsInject => {
            let answers = ask_istiods(cluster, &observed.istiods).await?;
            let holding = journal.istiods_answered(&answers, began.elapsed());
            if holding.is_empty() {
                log_silent(&answers);
            }
            Ok(Answer::Holding(holding))
        }
        Question::WhoReliesOnAgent(others) => {
            let relying = who_relies(cluster, others).await?;
            Ok(Answer::WhoReliesOnAgent(relying))
        }
        Question::SlowestWebhook => {
            let slowest = slowest_webhook(cluster, observed).await?;
            Ok(Answer::SlowestWebhook(slowest))
        }
        Question::PendingPods => {
            journal.acknowledged(began.elapsed());
            let pending = Selector::of_fields("status.phase=Pending");
            let (collection, kind) = (Collection::Pending, &kind::POD);
            // Only these count, and they are few: all others start without the node agent.
            let in_need = |pod| needs_agent(&pod).then(|| slim::pod(pod));
            let pods = watches.list(cluster, collection, kind, Scope::Cluster, pending, in_need);
            Ok(Answer::PendingPods(pods.await?))
        }
        Question::AgentLogs(pods) => {
            let nodes = without_configuration(cluster, &pods).await;
            Ok(Answer::WithoutConfiguration(nodes))
        }
        Question::LastWords(crashes) => {
            let words = last_words(cluster, crashes).await;
            Ok(Answer::LastWords(words))
        }
        Question::CustomResources(definitions) => {
            let used = definition_use(cluster, &definitions).await?;
            Ok(Answer::DefinitionUse(used))
        }
        Question::GatewayService(name) => {
            let id = ObjectId::new(&kind::SERVICE, cluster.namespace(), name);
            Ok(Answer::GatewayService(cluster.get(&id).await?))
        }
    }
}

/// The istiods of those control planes that inject pods which rely on a node agent.
async fn who_relies(
    cluster: &Cluster,
    others: Vec<OtherControlPlane>,
) -> Result<Vec<ObjectId>, ClusterError> {
    let mut relying = Vec::new();
    for other in others {
        let config = cluster.get(&other.injector_config).await?;
        let injection = config.as_ref().and_then(NewPods::of).map(|it| it.injection);
        if injection == Some(Injection::IstioValidation) {
            relying.push(other.istiod);
        }
    }
    Ok(relying)
}

/// Which webhook of others may hold a new pod for the longest time.
async fn slowest_webhook(
    cluster: &Cluster,
    observed: &Observed,
) -> Result<SlowestWebhook, ClusterError> {
    let everything = Selector::default();
    let list = |kind| cluster.list(kind, Scope::Cluster, everything);
    let mutating = list(&kind::MUTATING_WEBHOOK).await?.items;
    let validating = list(&kind::VALIDATING_WEBHOOK).await?.items;
    let ours = names::mutating_webhook(&observed.namespace);
    let all = mutating.iter().chain(&validating);
    Ok(SlowestWebhook::of(all, &[&ours]))
}

/// Reads what shows how far the node agent is.
async fn agent_state(cluster: &Cluster, watches: &mut Watches) -> Result<AgentState, ClusterError> {
    let ours = Scope::Namespace(cluster.namespace());
    let agents = Selector::of_labels(names::NODE_AGENT_LABEL);
    let warnings = Selector::of_fields("type=Warning");
    let everything = Selector::default();
    Ok(AgentState {
        pods: watches
            .list(
                cluster,
                Collection::Agents,
                &kind::POD,
                ours,
                agents,
                |it| Some(slim::pod(it)),
            )
            .await?,
        nodes: watches
            .list(
                cluster,
                Collection::Nodes,
                &kind::NODE,
                Scope::Cluster,
                everything,
                |it| Some(slim::node(it)),
            )
            .await?,
        events: watches
            .list(
                cluster,
                Collection::Warnings,
                &kind::EVENT,
                ours,
                warnings,
                |it| Some(slim::event(it)),
            )
            .await?,
        pod_security: pod_security(cluster).await?,
    })
}

/// The Pod Security level that our namespace enforces
/// (<https://kubernetes.io/docs/concepts/security/pod-security-admission/>).
async fn pod_security(cluster: &Cluster) -> Result<Option<String>, ClusterError> {
    let namespace = cluster.find_namespace(cluster.namespace()).await?;
    let level = namespace
        .as_ref()
        .and_then(|it| it.label("pod-security.kubernetes.io/enforce"));
    Ok(level.map(str::to_owned))
}

/// What applying a DaemonSet would do to the pods of the live one.
///
/// Where a webhook of the cluster changes the pod template, for example its images, the template is
/// never the desired one. Then the server says what applying would lead to.
async fn effect_of_applying(
    cluster: &Cluster,
    wanted: &Object,
    live: &Object,
    journal: &mut Journal,
) -> Result<Effect, ClusterError> {
    let version = live.resource_version().unwrap_or_default();
    if let Some(known) = journal.effect_of_applying(version) {
        return Ok(known);
    }
    let applied = cluster.apply(wanted, Mode::DryRun, OnConflict::Take).await;
    let effect = match applied {
        Ok(applied) if has_same_template(&applied, live) => Effect::KeepsPods,
        Ok(_) => Effect::ReplacesPods,
        // The live one has to go before another can be made.
        Err(error) if matches!(error.kind(), FailureKind::Immutable(_)) => Effect::ReplacesPods,
        Err(error) if error.is_about_the_object() => Effect::Refused(Refusal {
            kind: error.kind().clone(),
            text: error.to_string(),
        }),
        Err(error) => return Err(error),
    };
    journal.tried_daemon_set(version, effect.clone());
    Ok(effect)
}

/// What each ready istiod injects; `None` for an istiod that does not answer in time.
async fn ask_istiods(
    cluster: &Cluster,
    istiods: &[Pod],
) -> Result<Vec<(String, Option<Injection>)>, ClusterError> {
    // An istiod that is being deleted answers until it is gone.
    let ready = istiods.iter().filter(|pod| pod::is_ready(pod));
    let names = ready.filter_map(|pod| pod.metadata.name.as_deref());
    let asked = names.map(|name| async move {
        let answer = ask_istiod(cluster, name).await?;
        Ok::<_, ClusterError>((name.to_owned(), answer))
    });
    try_join_all(asked).await
}

/// What one istiod injects; `None` when it does not answer in time.
///
/// Only a refusal by the API server is an error: it would refuse every such request.
async fn ask_istiod(cluster: &Cluster, pod: &str) -> Result<Option<Injection>, ClusterError> {
    let namespace = cluster.namespace();
    let question = question(namespace);
    let asking = cluster.ask_pod(namespace, pod, WEBHOOK_PORT, WEBHOOK_PATH, &question);
    match tokio::time::timeout(SILENCE, asking).await {
        Ok(Ok(review)) => Ok(injection(&review)),
        Ok(Err(error)) if error.is_refused() => Err(error),
        Ok(Err(error)) => {
            tracing::debug!(%error, "an istiod does not answer");
            Ok(None)
        }
        Err(_) => Ok(None),
    }
}

fn log_silent(answers: &[(String, Option<Injection>)]) {
    for (name, _) in answers.iter().filter(|(_, answer)| answer.is_none()) {
        tracing::warn!("{name} does not say what it injects; continuing without it");
    }
    if answers.is_empty() {
        tracing::warn!("no istiod is ready; continuing, as nothing can be injected");
    }
}

/// The nodes whose agents say in their logs that they wait for a configuration. An unreadable log
/// counts as one that does not say so.
async fn without_configuration(cluster: &Cluster, pods: &[(String, String)]) -> BTreeSet<String> {
    let asked = pods.iter().take(MOST_LOGS).map(|(node, pod)| async move {
        let log = cluster
            .last_lines(pod, AGENT_CONTAINER, Run::Current, LOG_LINES)
            .await;
        log.is_ok_and(|log| waits_for_configuration(&log))
            .then(|| node.clone())
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// What containers wrote before they crashed. An unreadable log is one without words.
async fn last_words(cluster: &Cluster, crashes: BTreeSet<Crash>) -> BTreeMap<Crash, String> {
    let asked = crashes.into_iter().take(MOST_LOGS).map(|crash| async move {
        let Crash { pod, container } = &crash;
        let log = cluster
            .last_lines(pod, container, Run::Crashed, LOG_LINES)
            .await;
        let words = log.map(|log| shorten(last_message(&log), LONGEST_WORDS));
        (crash, words.unwrap_or_default())
    });
    join_all(asked).await.into_iter().collect()
}

/// Whether there are custom resources of any of these definitions.
async fn definition_use(
    cluster: &Cluster,
    definitions: &[&Object],
) -> Result<DefinitionUse, ClusterError> {
    for definition in definitions {
        if cluster.has_custom_resources(definition).await? {
            let name = &definition.id().name;
            return Ok(DefinitionUse::Used(format!("there are {name}")));
        }
    }
    Ok(DefinitionUse::Unused)
}
