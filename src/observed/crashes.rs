//! Containers of istiod and of the node agent that keep crashing.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Pod;

use super::Observed;
use crate::k8s::pod;

/// A container that keeps crashing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crash {
    /// The pod's name, in our namespace.
    pub pod: String,
    /// The container's name.
    pub container: String,
}

impl Observed {
    /// The containers that keep crashing while their pods do not say why.
    pub fn unexplained_crashes(&self) -> BTreeSet<Crash> {
        let agents = self.agent.iter().flat_map(|it| &it.pods);
        let pods = self.istiods.iter().chain(agents);
        pods.filter_map(unexplained).collect()
    }

    /// Enters what crashed containers wrote last. Where all that were read wrote the same, others
    /// of that name will have written it too: only a few are read. After this, no crash is
    /// unexplained.
    pub fn explain_crashes(&mut self, last_words: &BTreeMap<Crash, String>) {
        let agents = self.agent.iter_mut().flat_map(|it| &mut it.pods);
        for pod in self.istiods.iter_mut().chain(agents) {
            if let Some(crash) = unexplained(pod) {
                let words = last_words.get(&crash);
                let words = words.or_else(|| shared(last_words, &crash.container));
                let words = words.map_or("", String::as_str);
                pod::explain_crash(pod, &crash.container, words);
            }
        }
    }
}

fn unexplained(pod: &Pod) -> Option<Crash> {
    Some(Crash {
        container: pod::unexplained_crash(pod)?.to_owned(),
        pod: pod.metadata.name.clone()?,
    })
}

/// What every container of that name wrote last; `None` if they differ.
fn shared<'a>(last_words: &'a BTreeMap<Crash, String>, container: &str) -> Option<&'a String> {
    let of_name = last_words
        .iter()
        .filter(|(it, _)| it.container == container);
    let mut words = of_name.map(|(_, words)| words);
    let first = words.next()?;
    words.all(|it| it == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn crashed(name: &str, container: &str, message: Option<&str>) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": name},
            "status": {"containerStatuses": [{
                "name": container, "image": "", "imageID": "", "ready": false, "restartCount": 4,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 1, "message": message}},
            }]},
        }))
        .unwrap()
    }

    fn crash(pod: &str, container: &str) -> Crash {
        Crash {
            pod: pod.to_owned(),
            container: container.to_owned(),
        }
    }

    fn why(observed: &Observed) -> Vec<String> {
        let pods = observed.istiods.iter();
        pods.map(|it| pod::container_failure(it).unwrap()).collect()
    }

    #[test]
    fn a_crash_is_asked_about_once_and_told_with_its_last_words() {
        let mut observed = Observed {
            istiods: vec![
                crashed("read", "discovery", None),
                crashed("unread", "discovery", None),
                crashed("other", "proxy", None),
                crashed("says", "discovery", Some("by itself")),
            ],
            ..Observed::default()
        };
        let expected = [
            crash("other", "proxy"),
            crash("read", "discovery"),
            crash("unread", "discovery"),
        ];
        assert_eq!(observed.unexplained_crashes(), expected.into());
        let words = BTreeMap::from([(crash("read", "discovery"), "no rights".to_owned())]);
        observed.explain_crashes(&words);
        assert_eq!(observed.unexplained_crashes(), BTreeSet::new());
        assert_eq!(
            why(&observed),
            [
                "container discovery keeps crashing (exit code 1): no rights",
                "container discovery keeps crashing (exit code 1): no rights",
                "container proxy keeps crashing (exit code 1)",
                "container discovery keeps crashing (exit code 1): by itself",
            ]
        );
    }

    #[test]
    fn words_that_differ_are_not_put_into_the_mouth_of_others() {
        let names = ["a", "b", "c"];
        let mut observed = Observed {
            istiods: names.map(|it| crashed(it, "discovery", None)).into(),
            ..Observed::default()
        };
        let words = ["a", "b"].map(|it| (crash(it, "discovery"), it.to_owned()));
        observed.explain_crashes(&words.into());
        assert_eq!(
            why(&observed),
            [
                "container discovery keeps crashing (exit code 1): a",
                "container discovery keeps crashing (exit code 1): b",
                "container discovery keeps crashing (exit code 1)",
            ]
        );
    }
}
