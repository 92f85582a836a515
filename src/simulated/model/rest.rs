//! What becomes of the switch when the world stops changing.

use std::time::Duration;

use super::nodes::{ModelNode, Trouble};
use super::{Model, Options};

/// How many hooks it may take at most.
const MOST_HOOKS: usize = 8;

impl Model {
    /// Nothing happens any more but what has begun: hooks come to rest, and with nothing in the way
    /// at what is configured.
    pub(super) fn come_to_rest(&mut self) {
        self.killed_after = None;
        self.tell("the world stops changing");
        if self.options == Options::Removal {
            self.run_hooks();
            if self.units.iter().all(|it| it.is_gone) {
                return self.check_removal();
            }
            return self.violated("the application is not gone");
        }
        let mut last = None;
        for _ in 0..MOST_HOOKS {
            let writes = self.writes;
            self.run_hooks();
            if self.violation.is_some() {
                return;
            }
            let status = self.last_status();
            // What something reverts is tried again by every hook.
            let is_calm = writes == self.writes || self.others.reverts_to.is_some();
            if is_calm && last.as_ref() == Some(&status) {
                return self.check_rest(&status);
            }
            last = Some(status);
        }
        self.violated(&format!("it does not come to rest: {last:?}"));
    }

    /// One whole hook of the leader, or of both units when they are removed, with what the other
    /// has begun, while everything that has begun goes on.
    fn run_hooks(&mut self) {
        // A hook that began before a removal ends first.
        let hooks = [Options::Off, self.options].map(|it| it.timeouts().switching);
        let longest = hooks.iter().sum::<Duration>() + Duration::from_secs(60);
        let began = self.time;
        let is_removal = self.options == Options::Removal;
        self.run_unit(self.leader, usize::MAX);
        while self.time < began + longest {
            self.count += 1;
            let mut pause = Duration::ZERO;
            let mut are_busy = false;
            for unit in [self.leader, 1 - self.leader] {
                self.revert();
                if self.units[unit].hook.is_some() || (is_removal && !self.units[unit].is_gone) {
                    are_busy = true;
                    self.run_unit(unit, usize::MAX);
                }
                let hook = self.units[unit].hook.as_ref();
                pause = pause.max(hook.map_or(Duration::ZERO, |it| it.pause));
            }
            if !are_busy {
                return;
            }
            // At first something changes every second; then each look waits as long as it may.
            let is_early = self.time < began + Duration::from_secs(6);
            let shortest = Duration::from_secs(1);
            self.time += if is_early {
                shortest
            } else {
                pause.max(shortest)
            };
            self.nodes.iter_mut().for_each(ModelNode::run_kubelet);
            (0..self.istiods.len()).for_each(|it| self.take_up(it));
            (0..self.pods.len()).for_each(|it| self.move_pod(it, it));
        }
        self.violated("a hook does not end");
    }

    /// What the last hook has ended with.
    fn last_status(&self) -> String {
        let line = self.story.iter().rev().find(|it| it.contains("unit"));
        let line = line.and_then(|it| it.split_once(", "));
        line.map(|(_, text)| text.to_owned()).unwrap_or_default()
    }

    fn check_rest(&mut self, status: &str) {
        let expected = match self.options {
            Options::Off | Options::Removal => "active: CNI off",
            Options::On | Options::OtherPaths => "active: CNI on",
        };
        let reasons = self.reasons();
        if !status.contains(expected) && !reasons.iter().any(|it| status.contains(it)) {
            self.violated(&format!(
                "at rest it is {status}, and not {expected} or {reasons:?}"
            ));
        }
    }

    /// What may be waited for, for ever: each must be told.
    fn reasons(&self) -> Vec<&'static str> {
        let away = self.nodes.iter().any(|it| !it.is_ready);
        let troubles = |trouble| self.nodes.iter().any(|it| it.trouble == Some(trouble));
        let all: [(bool, &[&str]); 8] = [
            (away, &["not Ready", "pods that still need"]),
            (troubles(Trouble::Crashes), &["keeps crashing"]),
            (
                troubles(Trouble::CannotMount),
                &["/opt/cni/bin does not exist on"],
            ),
            (self.is_scaled_to_zero, &["has 0 replicas"]),
            (
                self.others.reverts_to.is_some(),
                &["something else keeps changing"],
            ),
            (
                self.others.has_finalizer,
                &["kept by the finalizer example.test/keeps"],
            ),
            (
                self.others.rely,
                &["as it serves Deployment other/istiod-canary too"],
            ),
            (!self.cluster.refuses.is_empty(), &["a policy says no"]),
        ];
        let present = all.into_iter().filter(|(is_so, _)| *is_so);
        present
            .flat_map(|(_, texts)| texts.iter().copied())
            .collect()
    }
}
