//! The tool for people, as they run it: what it prints where, and its exit codes.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use std::process::Command;

use expect_test::expect;

/// How one run ended.
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn run(arguments: &[&str]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_istio-pilot"))
        .args(arguments)
        .env_clear()
        .output()
        .unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs `render` with a file of options.
fn render_file(content: &[u8]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("options.yaml");
    std::fs::write(&path, content).unwrap();
    let path = path.to_str().unwrap();
    let mut ended = run(&["render", "--config-file", path]);
    ended.stderr = ended.stderr.replace(path, "FILE");
    ended
}

#[test]
fn the_version_names_that_of_istio() {
    let ended = run(&["--version"]);
    assert_eq!(ended.code, Some(0));
    let expected = format!(
        "istio-pilot {} (Istio {})\n",
        env!("CARGO_PKG_VERSION"),
        istio_pilot::istio::ISTIO_VERSION
    );
    assert_eq!(ended.stdout, expected);
    assert_eq!(ended.stderr, "");
}

#[test]
fn help_goes_to_standard_output() {
    let ended = run(&["--help"]);
    assert_eq!(ended.code, Some(0));
    assert!(
        ended.stdout.contains("detect-cni-paths"),
        "{}",
        ended.stdout
    );
    assert_eq!(ended.stderr, "");
}

#[test]
fn arguments_that_no_cluster_or_juju_takes_are_bad_usage() {
    let mut told = Vec::new();
    for arguments in [
        ["render", "--model", "A_B"],
        ["plan", "--model", ""],
        ["render", "--app", "istio/pilot"],
        ["detect-cni-paths", "--app", "pilot-1"],
        ["render", "--kube-version", "new"],
        ["render", "--config", "cni-bin-dir"],
        ["render", "--config", "cni-bin=/opt/cni/bin"],
        ["render", "--cni-ready", "perhaps"],
    ] {
        let ended = run(&arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(64), ""));
        told.push(format!("{}\n", ended.stderr.lines().next().unwrap()));
    }
    expect![[r#"
        error: invalid value 'A_B' for '--model <NAME>': a model is a namespace: lower-case letters, digits and '-', not '-' at the ends, at most 63
        error: invalid value '' for '--model <NAME>': a model is a namespace: lower-case letters, digits and '-', not '-' at the ends, at most 63
        error: invalid value 'istio/pilot' for '--app <NAME>': Juju's applications have lower-case letters and digits, a letter first, and '-' before a part with a letter
        error: invalid value 'pilot-1' for '--app <NAME>': Juju's applications have lower-case letters and digits, a letter first, and '-' before a part with a letter
        error: invalid value 'new' for '--kube-version <VERSION>': expected a version such as 1.34
        error: invalid value 'cni-bin-dir' for '--config <KEY=VALUE>': expected KEY=VALUE
        error: invalid value 'cni-bin=/opt/cni/bin' for '--config <KEY=VALUE>': the charm has no option "cni-bin"; it has cni-bin-dir, cni-conf-dir, default-gateway, gateway-service-name, csr-domain-name, tls-secret-id, redirect-https, image-configuration
        error: invalid value 'perhaps' for '--cni-ready <BOOL>'
    "#]].assert_eq(&told.concat());
}

#[test]
fn what_a_hook_would_log_is_a_warning_beside_the_objects() {
    let configuration =
        "image-configuration={global_hub: registry.test, pilot-image: registry.test/pilot}";
    let ended = run(&["render", "--config", configuration]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.contains("kind: Deployment"));
    expect![[r#"
        warning: image-configuration: the key "global_hub" is unknown and not used
        warning: image-configuration: pilot-image: 'registry.test/pilot' has neither a tag nor a digest, so every node pulls what is latest at that moment
    "#]].assert_eq(&ended.stderr);
    // The command `plan` says so before it looks for a cluster.
    let planned = run(&["plan", "--config", configuration]);
    assert!(
        planned.stderr.starts_with(&ended.stderr),
        "{}",
        planned.stderr
    );
    assert_eq!(planned.code, Some(1));
}

#[test]
fn options_that_cannot_be_used_are_one_line_and_exit_code_1() {
    let ended = run(&[
        "render",
        "--config",
        "cni-bin-dir=/etc/cni/net.d",
        "--config",
        "image-configuration=global-hub: https://registry.test",
    ]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    expect![[r#"
        error: cni-bin-dir: '/etc/cni/net.d' is a directory of configuration by its name, and plugins are wanted: is it the value of cni-conf-dir?; image-configuration: global-hub: 'https://registry.test' has a scheme; leave out what ends in ://
    "#]].assert_eq(&ended.stderr);
    let ended = run(&["render", "--app", "istiod"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    expect![[r#"
        error: the application cannot be called istiod: Juju makes objects called istiod for it, and Istio has objects of that name; deploy it under another name, such as istio-pilot
    "#]].assert_eq(&ended.stderr);
}

#[test]
fn one_option_given_twice_is_not_the_last_of_them() {
    let ended = run(&[
        "render",
        "--config",
        "cni-bin-dir=/a",
        "--config",
        "cni-bin-dir=/b",
    ]);
    assert_eq!(ended.code, Some(1));
    expect![[r#"
        error: --config has cni-bin-dir twice; leave one of them out
    "#]]
    .assert_eq(&ended.stderr);
    let ended = render_file(b"cni-bin-dir: /a\ncni-bin-dir: /b\n");
    assert_eq!(ended.code, Some(1));
    expect![[r#"
        error: FILE has the key "cni-bin-dir" twice; leave one of them out
    "#]]
    .assert_eq(&ended.stderr);
}

#[test]
fn a_file_of_options_may_begin_with_a_byte_order_mark() {
    let options = "cni-bin-dir: /opt/cni/bin\ncni-conf-dir: /etc/cni/net.d\n";
    let plain = render_file(options.as_bytes());
    assert_eq!(plain.code, Some(0), "{}", plain.stderr);
    assert!(plain.stdout.contains("kind: DaemonSet"));
    let marked = render_file(format!("\u{feff}{options}").as_bytes());
    assert_eq!((marked.code, marked.stdout), (Some(0), plain.stdout));
}

#[test]
fn what_a_file_of_options_lacks_is_told() {
    for (content, expected) in [
        (
            &b"[a]"[..],
            expect![[r#"
            error: FILE must hold a map of option to value
        "#]],
        ),
        (
            b"a: [",
            expect![[r#"
            error: FILE is not YAML (line 2, column 1)
        "#]],
        ),
        (
            b"cni-bin: /a",
            expect![[r#"
                error: FILE: the charm has no option "cni-bin"; it has cni-bin-dir, cni-conf-dir, default-gateway, gateway-service-name, csr-domain-name, tls-secret-id, redirect-https, image-configuration
            "#]],
        ),
        (
            b"\xff\xfe\x00",
            expect![[r#"
            error: cannot read FILE: stream did not contain valid UTF-8
        "#]],
        ),
    ] {
        let ended = render_file(content);
        assert_eq!(ended.code, Some(1));
        expected.assert_eq(&ended.stderr);
    }
}
