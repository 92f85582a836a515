//! The Go modules of the folder `programs/`: which versions are built, and how.

/// A Go module of ours that names programs and pins their versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Module {
    /// Kubernetes 1.37.2, etcd and kwok, which share most packages.
    Kubernetes,
    /// Istio 1.31.1.
    Istio,
    /// containerd and `CoreDNS`, for a real node.
    Node,
    /// Prometheus's own tool, and Grafana's own types.
    Observability,
}

/// What decides a build: the hash of these names the folder in the cache.
#[derive(Clone, Copy, Debug)]
pub(super) struct Definition {
    pub(super) go_mod: &'static str,
    pub(super) go_sum: &'static str,
    /// Go files of ours in the module: where each lies, and its text.
    pub(super) sources: &'static [(&'static str, &'static str)],
    /// Flags of `go build`.
    pub(super) flags: &'static [&'static str],
}

impl Module {
    pub(super) fn definition(self) -> Definition {
        match self {
            Self::Kubernetes => Definition {
                go_mod: include_str!("../../programs/kubernetes/go.mod"),
                go_sum: include_str!("../../programs/kubernetes/go.sum"),
                sources: &[],
                flags: &[concat!(
                    "-ldflags=-s -w",
                    " -X k8s.io/component-base/version.gitVersion=v1.37.2",
                    " -X k8s.io/component-base/version.gitMajor=1",
                    " -X k8s.io/component-base/version.gitMinor=37",
                )],
            },
            Self::Istio => Definition {
                go_mod: include_str!("../../programs/istio/go.mod"),
                go_sum: include_str!("../../programs/istio/go.sum"),
                sources: &[],
                flags: &[concat!(
                    "-ldflags=-s -w",
                    " -X istio.io/istio/pkg/version.buildVersion=1.31.1",
                    " -X istio.io/istio/pkg/version.buildTag=1.31.1",
                    " -X istio.io/istio/pkg/version.buildHub=docker.io/istio",
                    " -X istio.io/istio/pkg/version.buildStatus=Clean",
                )],
            },
            Self::Node => Definition {
                go_mod: include_str!("../../programs/node/go.mod"),
                go_sum: include_str!("../../programs/node/go.sum"),
                sources: &[],
                // Snapshotters that no test uses and that need C libraries.
                flags: &["-ldflags=-s -w", "-tags=no_btrfs no_devmapper no_zfs"],
            },
            Self::Observability => Definition {
                go_mod: include_str!("../../programs/observability/go.mod"),
                go_sum: include_str!("../../programs/observability/go.sum"),
                sources: &[(
                    "check-dashboard/main.go",
                    include_str!("../../programs/observability/check-dashboard/main.go"),
                )],
                // How Prometheus finds what to scrape, in each of two dozen clouds: no test does.
                flags: &["-ldflags=-s -w", "-tags=remove_all_sd"],
            },
        }
    }
}
