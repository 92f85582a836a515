//! The istiods, each with its own view of the injection configuration.

use std::time::Duration;

use serde_json::json;

use super::Model;
use crate::cni::acknowledgement::SILENCE;
use crate::istio::{Injection, names};
use crate::k8s::kind::DEPLOYMENT;

/// One istiod.
#[derive(Clone, Debug, Default)]
pub(super) struct Istiod {
    pub(super) hangs: bool,
    /// Since when it has answered nobody.
    silent_since: Option<Duration>,
    pub(super) view: Option<View>,
}

/// What an istiod injects.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub(super) injection: Injection,
    /// Whether the charm has configured that, and could know that it still holds.
    pub(super) is_charms: bool,
}

impl Model {
    /// What each istiod answers.
    pub(super) fn answers(&self) -> Vec<(String, Option<Injection>)> {
        if self.is_scaled_to_zero || self.live(&DEPLOYMENT, names::ISTIOD).is_none() {
            return Vec::new();
        }
        let answer = |istiod: &Istiod| Some(istiod.view.filter(|_| !istiod.hangs)?.injection);
        let named = self.istiods.iter().enumerate();
        named
            .map(|(number, it)| (format!("istiod-{number}"), answer(it)))
            .collect()
    }

    pub(super) fn istiods_were_asked(&mut self) {
        for istiod in self.istiods.iter_mut().filter(|it| !it.hangs) {
            istiod.silent_since = None;
        }
    }

    /// An istiod reads the injection configuration, or keeps what it has if it cannot read it.
    pub(super) fn take_up(&mut self, number: usize) {
        let is_charms = self.is_configured_by_charm;
        let configured = self.configured();
        let istiod = &mut self.istiods[number];
        if let (Some(injection), false) = (configured, istiod.hangs) {
            istiod.view = Some(View {
                injection,
                is_charms,
            });
        }
    }

    /// An istiod answers nobody any more, or again: then with the view that it had.
    pub(super) fn hang(&mut self, number: usize, hangs: bool) {
        let time = self.time;
        let istiod = &mut self.istiods[number];
        if hangs {
            istiod.silent_since.get_or_insert(time);
        } else if istiod.hangs {
            // The switch does not wait for it any longer, so what it injects before it has caught
            // up is lost. With the policy `Fail` nothing was injected meanwhile.
            let since = istiod.silent_since.unwrap_or(time);
            if let Some(view) = istiod
                .view
                .as_mut()
                .filter(|_| time.saturating_sub(since) >= SILENCE)
            {
                view.is_charms = false;
            }
        }
        istiod.hangs = hangs;
    }

    pub(super) fn istiods_start(&mut self) {
        self.is_scaled_to_zero = false;
        for istiod in &mut self.istiods {
            *istiod = Istiod::default();
        }
        // Each reads the configuration before it answers.
        (0..self.istiods.len()).for_each(|it| self.take_up(it));
    }

    pub(super) fn istiods_end(&mut self) {
        self.is_scaled_to_zero = false;
        self.istiods.iter_mut().for_each(|it| it.view = None);
    }

    /// Somebody has taken away what the injection configuration relies on: it is the charm's no more
    /// until it is written again.
    pub(super) fn disown_injection(&mut self) {
        self.is_configured_by_charm = false;
        for view in self.istiods.iter_mut().filter_map(|it| it.view.as_mut()) {
            view.is_charms = false;
        }
    }

    pub(super) fn scale_istiod(&mut self, replicas: u32) {
        if self.live(&DEPLOYMENT, names::ISTIOD).is_none() {
            return;
        }
        self.cluster.change_named(&DEPLOYMENT, names::ISTIOD, |it| {
            it["spec"]["replicas"] = replicas.into();
            it["status"] = json!({
                "observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas,
                "availableReplicas": replicas,
            });
        });
        if replicas == 0 {
            self.is_scaled_to_zero = true;
        } else if self.is_scaled_to_zero {
            self.istiods_start();
        }
    }
}
