//! The reference: what `istioctl` 1.31.1 prints for the same control plane.

use std::process::Command;

use istio_pilot::cni::Phase;
use istio_pilot::intent::cni_paths::CniPaths;
use istio_pilot::k8s::object::Object;
use test_cluster::{Program, yaml_documents};

use crate::cases::Case;

/// The manifests for a control plane.
///
/// With the node agent, istioctl always switches injection too. The state between, in which the
/// agent is there and injection does not rely on it yet, is put together from both of its states.
pub(crate) fn manifests(case: &Case) -> Vec<Object> {
    let control_plane = &case.control_plane;
    let Some(paths) = control_plane.intent.cni_paths() else {
        return generate(case, None);
    };
    let mut on = generate(case, Some(paths));
    if control_plane.phase == Phase::On {
        return on;
    }
    let mut manifests = generate(case, None);
    on.retain(|it| manifests.iter().all(|off| off.id() != it.id()));
    manifests.extend(on);
    manifests
}

/// Runs `istioctl manifest generate`, which needs no cluster.
fn generate(case: &Case, paths: Option<&CniPaths>) -> Vec<Object> {
    let program = Program::Istioctl.path().unwrap();
    let output = Command::new(program)
        .args(["manifest", "generate"])
        .args(
            settings(case, paths)
                .iter()
                .flat_map(|setting| ["--set", setting]),
        )
        // Whatever cluster the user of this machine works with is left alone.
        .env("KUBECONFIG", "/dev/null")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", case.name);
    let stream = String::from_utf8(output.stdout).unwrap();
    yaml_documents(&stream)
        .unwrap()
        .into_iter()
        .map(|value| Object::from_value(value).unwrap())
        .collect()
}

/// The `key=value` pairs for `--set`.
fn settings(case: &Case, paths: Option<&CniPaths>) -> Vec<String> {
    let namespace = case.control_plane.namespace();
    let mut settings = vec![
        "profile=minimal".to_owned(),
        format!("values.global.istioNamespace={namespace}"),
        "meshConfig.accessLogFile=/dev/stdout".to_owned(),
    ];
    if let Some(paths) = paths {
        settings.extend([
            "components.cni.enabled=true".to_owned(),
            format!("components.cni.namespace={namespace}"),
            format!("values.cni.cniBinDir={}", paths.bin_dir),
            format!("values.cni.cniConfDir={}", paths.conf_dir),
        ]);
    }
    settings.extend(case.settings.iter().map(|it| (*it).to_owned()));
    settings
}
