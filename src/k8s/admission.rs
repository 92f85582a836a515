//! Why the cluster lets a controller create no pods, where a person has to change something.

/// Why the cluster refuses pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodRefusal {
    /// The namespace's Pod Security level does not allow them.
    PodSecurity,
    /// No quota allows their priority class: some clusters, GKE among them, ask for one
    /// (<https://kubernetes.io/docs/concepts/policy/resource-quotas/#limit-priority-class-consumption-by-default>).
    PriorityQuota,
}

/// What Pod Security's refusals contain
/// (`PodSecurity` in `k8s.io/pod-security-admission/admission`, Kubernetes 1.37).
const POD_SECURITY: &str = "violates PodSecurity";

/// What the quota's refusals of a limited priority class contain
/// (`CheckRequest` in `k8s.io/apiserver/pkg/admission/plugin/resourcequota`, Kubernetes 1.37).
const PRIORITY_QUOTA: &str = "insufficient quota to match these scopes";

impl PodRefusal {
    /// What the message of a controller means; `None` for one that other things may put right.
    pub fn of(message: &str) -> Option<Self> {
        if message.contains(POD_SECURITY) {
            Some(Self::PodSecurity)
        } else if message.contains(PRIORITY_QUOTA) && message.contains("PriorityClass") {
            Some(Self::PriorityQuota)
        } else {
            None
        }
    }

    /// What helps in that namespace: what is wrong, and a command.
    pub fn remedy(self, whose: &str, namespace: &str) -> String {
        match self {
            Self::PodSecurity => format!(
                "Pod Security refuses {whose}; run: kubectl label namespace {namespace} \
                 --overwrite pod-security.kubernetes.io/enforce=privileged"
            ),
            Self::PriorityQuota => format!(
                "this cluster needs a quota for the priority class of {whose}; run: kubectl create \
                 quota istio-priority --namespace {namespace} --hard=pods=1000 \
                 --scopes=PriorityClass"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_person_has_to_change_is_told_apart() {
        let security = r#"pods "istiod" is forbidden: violates PodSecurity "restricted:latest": x"#;
        assert_eq!(PodRefusal::of(security), Some(PodRefusal::PodSecurity));
        let quota = "pods \"istio-cni-node-x\" is forbidden: insufficient quota to match these \
                     scopes: [{PriorityClass In [system-node-critical system-cluster-critical]}]";
        assert_eq!(PodRefusal::of(quota), Some(PodRefusal::PriorityQuota));
        let exceeded = r#"pods "a" is forbidden: exceeded quota: pods, requested: pods=1"#;
        assert_eq!(PodRefusal::of(exceeded), None);
    }
}
