//! The CNI switch: which phase it is in, decided from the cluster alone.
//!
//! Switching on: the node agent becomes ready on every node, and only then does injection rely on
//! it. Switching off: injection goes back to `istio-init`; once every istiod has taken that up and
//! no pod waits for `istio-validation` any more, the node agent is removed, and its rights last.
//! New paths, and any other change of the DaemonSet's template, are a switch off and then on: every
//! rollout of the DaemonSet takes the plugin away from a node for about two seconds.
//!
//! Nothing is remembered between two observations of the cluster, so a hook after a killed one, or
//! a new leader, continues where the last one stopped.

pub mod acknowledgement;
pub mod drain;
pub mod rollout;
pub mod stragglers;

use crate::istio::Injection;

/// The state of the node agent's DaemonSet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// It does not exist, and no pod of it remains.
    Absent,
    /// It exists.
    Present {
        /// Whether its template is the desired one.
        has_desired_template: bool,
        /// Whether it is ready on every node that counts.
        ready: bool,
    },
    /// It is being deleted, or pods of it remain.
    Leaving,
}

/// What decides the phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Whether the configuration wants the node agent.
    pub wanted: bool,
    /// What the injection configuration in the cluster injects; `None` when there is no
    /// configuration yet.
    pub injection: Option<Injection>,
    /// The node agent.
    pub agent: Agent,
}

/// Where the switch stands, and so what to apply next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No node agent; pods get `istio-init`.
    Off,
    /// The node agent is applied and becoming ready; pods get `istio-init`.
    RollingOut,
    /// The node agent serves; pods get `istio-validation`.
    On,
    /// Pods get `istio-init` again; the node agent stays as it is until no pod needs it.
    Draining,
    /// No pod needs the node agent: the DaemonSet is deleted, its rights stay until its pods are
    /// gone.
    Removing,
}

impl Phase {
    /// What pods get in this phase.
    pub fn injection(self) -> Injection {
        match self {
            Self::On => Injection::IstioValidation,
            Self::Off | Self::RollingOut | Self::Draining | Self::Removing => Injection::IstioInit,
        }
    }

    /// Whether the node agent's objects are applied in this phase.
    pub fn applies_agent(self) -> bool {
        matches!(self, Self::RollingOut | Self::On)
    }

    /// Whether the phase ends without a change of the configuration, once what it waits for has
    /// happened.
    pub fn is_transition(self) -> bool {
        !matches!(self, Self::Off | Self::On)
    }
}

/// The phase. [`Phase::Draining`] becomes [`Phase::Removing`] once no pod needs the node agent any
/// more (see [`drain`]).
pub fn phase(switch: Switch) -> Phase {
    let Switch {
        wanted,
        injection,
        agent,
    } = switch;
    match (agent, wanted) {
        (Agent::Absent, false) => Phase::Off,
        (Agent::Absent, true) => Phase::RollingOut,
        (Agent::Leaving, _) => Phase::Removing,
        (
            Agent::Present {
                has_desired_template: true,
                ready,
            },
            true,
        ) => {
            // Once on, a node that joins or fails does not switch injection back.
            let on = ready || injection == Some(Injection::IstioValidation);
            if on { Phase::On } else { Phase::RollingOut }
        }
        (Agent::Present { .. }, _) => Phase::Draining,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INJECTIONS: [Option<Injection>; 3] = [
        None,
        Some(Injection::IstioInit),
        Some(Injection::IstioValidation),
    ];

    #[track_caller]
    fn check(wanted: bool, injection: Option<Injection>, agent: Agent, expected: Phase) {
        assert_eq!(
            phase(Switch {
                wanted,
                injection,
                agent
            }),
            expected
        );
    }

    #[test]
    fn without_an_agent_the_configuration_decides() {
        for injection in INJECTIONS {
            check(false, injection, Agent::Absent, Phase::Off);
            check(true, injection, Agent::Absent, Phase::RollingOut);
        }
    }

    #[test]
    fn injection_switches_only_after_the_agent_is_ready() {
        let agent = |ready| Agent::Present {
            has_desired_template: true,
            ready,
        };
        check(
            true,
            Some(Injection::IstioInit),
            agent(false),
            Phase::RollingOut,
        );
        check(true, Some(Injection::IstioInit), agent(true), Phase::On);
        check(true, None, agent(true), Phase::On);
    }

    #[test]
    fn once_on_an_agent_that_is_not_ready_changes_nothing() {
        let agent = Agent::Present {
            has_desired_template: true,
            ready: false,
        };
        check(true, Some(Injection::IstioValidation), agent, Phase::On);
    }

    #[test]
    fn an_agent_that_is_not_wanted_or_has_another_template_is_drained_first() {
        for injection in INJECTIONS {
            for ready in [false, true] {
                check(
                    true,
                    injection,
                    Agent::Present {
                        has_desired_template: false,
                        ready,
                    },
                    Phase::Draining,
                );
                for has_desired_template in [false, true] {
                    check(
                        false,
                        injection,
                        Agent::Present {
                            has_desired_template,
                            ready,
                        },
                        Phase::Draining,
                    );
                }
            }
        }
    }

    #[test]
    fn nothing_new_begins_before_the_old_pods_are_gone() {
        for injection in INJECTIONS {
            check(true, injection, Agent::Leaving, Phase::Removing);
            check(false, injection, Agent::Leaving, Phase::Removing);
        }
    }

    #[test]
    fn pods_get_istio_validation_in_no_phase_but_on() {
        for phase in [
            Phase::Off,
            Phase::RollingOut,
            Phase::Draining,
            Phase::Removing,
        ] {
            assert_eq!(phase.injection(), Injection::IstioInit);
        }
        assert_eq!(Phase::On.injection(), Injection::IstioValidation);
    }
}
