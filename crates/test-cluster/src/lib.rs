//! Real Kubernetes and Istio programs on loopback, for tests.
