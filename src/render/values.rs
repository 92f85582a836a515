//! The settings of an installation, by the names that Istio's own installer gives them.

use serde_json::{Value, json};

use crate::control_plane::{CniPaths, ControlPlane, Images, Injection};

/// What somebody would have to tell `istioctl` to get the same installation.
pub(super) fn values(control_plane: &ControlPlane) -> Value {
    let Images {
        hub,
        tag,
        pilot,
        proxy,
        proxy_init,
        cni,
        grpc_bootstrap_init: _,
    } = &control_plane.images;
    let mut values = json!({
        "global": {
            "configValidation": true,
            "hub": hub,
            "istioNamespace": control_plane.namespace,
            "proxy": {"image": proxy},
            "proxy_init": {"image": proxy_init},
            "tag": tag,
        },
        "meshConfig": {"accessLogFile": "/dev/stdout"},
        "pilot": {
            "cni": {"enabled": control_plane.injection == Injection::IstioValidation},
            "enabled": true,
            "image": pilot,
        },
    });
    if let Some(CniPaths { bin_dir, conf_dir }) = &control_plane.node_agent {
        values["cni"] = json!({"cniBinDir": bin_dir, "cniConfDir": conf_dir, "image": cni});
    }
    values
}
