//! The application's name, which Juju gives to objects of its own.

use super::*;
use crate::desired::Desired;
use crate::k8s::version::KubernetesVersion;

/// The kinds of the objects that Juju makes for an application, and their names.
fn of_juju(identity: &Identity) -> Vec<(&'static str, String)> {
    let (application, model) = (identity.application(), identity.namespace());
    let mut objects: Vec<_> = [
        "Service",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "StatefulSet",
    ]
    .map(|kind| (kind, application.to_owned()))
    .into();
    objects.push(("Service", format!("{application}-endpoints")));
    objects.push(("Secret", format!("{application}-application-config")));
    for kind in ["ClusterRole", "ClusterRoleBinding"] {
        objects.push((kind, format!("{model}-{application}")));
    }
    objects
}

/// Whether something that this charm applies, with the CNI on, has a name that Juju uses too.
fn collides(identity: &Identity) -> bool {
    let options = json!({"cni-bin-dir": "/opt/cni/bin", "cni-conf-dir": "/etc/cni/net.d"});
    let serde_json::Value::Object(options) = options else {
        unreachable!()
    };
    let intent = Intent {
        identity: identity.clone(),
        target: Target::Installed(crate::intent::options::check(&options).mesh.unwrap()),
        ingress: None,
        extensions: None,
        problems: Vec::new(),
        warnings: Vec::new(),
        forces_upgrade: false,
        is_scraped: false,
    };
    let kubernetes = KubernetesVersion::parse("1.34").unwrap();
    let desired = Desired::new(&intent, Vec::new(), kubernetes).unwrap();
    let of_juju = of_juju(identity);
    desired.settled().objects().iter().any(|object| {
        let id = object.id();
        of_juju
            .iter()
            .any(|(kind, name)| *kind == id.kind && *name == id.name)
    })
}

#[test]
fn every_name_that_collides_is_a_problem_and_no_other() {
    for (application, model, is_problem) in [
        ("istiod", "kubeflow", true),
        ("istio-cni", "kubeflow", true),
        ("istio-reader-service-account", "istio-system", true),
        ("cni", "istio", true),
        ("cni-repair-role", "istio", true),
        ("istio-pilot", "kubeflow", false),
        ("istio", "istio-system", false),
        ("istio-cni-node", "kubeflow", false),
        ("values", "kubeflow", false),
        ("cni", "kubeflow", false),
    ] {
        let identity = Identity::new(application, model);
        assert_eq!(collides(&identity), is_problem, "{application} in {model}");
        assert_eq!(
            identity.problem().is_some(),
            is_problem,
            "{application} in {model}"
        );
    }
}

#[test]
fn an_application_with_such_a_name_changes_nothing() {
    let named = |application, namespace| Facts {
        identity: Identity::new(application, namespace),
        ..facts(&[("cni-bin-dir", "relative")], &[])
    };
    check(
        &named("istiod", "kubeflow"),
        &expect![[r#"
        AsIs
        Person: the application cannot be called istiod: Juju makes objects called istiod for it, and Istio has objects of that name; deploy it under another name, such as istio-pilot
        Person: cni-bin-dir: 'relative' is not absolute: it must begin with /"#]],
    );
    check(
        &named("cni", "istio"),
        &expect![[r#"
        AsIs
        Person: the application cannot be called cni: Juju makes objects called istio-cni for it, and Istio has objects of that name; deploy it under another name, such as istio-pilot
        Person: cni-bin-dir: 'relative' is not absolute: it must begin with /"#]],
    );
}

#[test]
fn an_application_of_such_a_name_leaves_the_cluster_as_it_is() {
    let named = Facts {
        identity: Identity::new("istiod", "kubeflow"),
        ..facts(&[], &[])
    };
    check(
        &named,
        &expect![[r#"
        AsIs
        Person: the application cannot be called istiod: Juju makes objects called istiod for it, and Istio has objects of that name; deploy it under another name, such as istio-pilot"#]],
    );
}
