use expect_test::expect;
use serde_json::json;

use super::*;

/// What is wrong with pairs of directories, below each pair.
fn told(pairs: &[(&str, &str)]) -> String {
    let mut lines = Vec::new();
    for (bin_dir, conf_dir) in pairs {
        let options = json!({CNI_BIN_DIR: bin_dir, CNI_CONF_DIR: conf_dir});
        let mut problems = Vec::new();
        let setting = parse(options.as_object().unwrap(), &mut problems);
        assert_eq!(setting.is_none(), !problems.is_empty());
        lines.push(format!("{bin_dir} {conf_dir}\n"));
        lines.extend(problems.iter().map(|it| format!("  {it}\n")));
    }
    lines.concat()
}

/// That such a pair is right.
#[track_caller]
fn good(bin_dir: &str, conf_dir: &str) {
    let told = told(&[(bin_dir, conf_dir)]);
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn two_paths_in_one_option_are_not_one_directory() {
    for (separator, shown) in [(":", ":"), (",", ","), (";", ";"), (", ", " "), (" ", " ")] {
        let both = format!("/opt/cni/bin{separator}/usr/libexec/cni");
        let options = json!({ CNI_BIN_DIR: both });
        let mut problems = Vec::new();
        assert_eq!(parse(options.as_object().unwrap(), &mut problems), None);
        let expected = format!("is two paths with '{shown}' between them; name one directory");
        assert!(problems[0].message.contains(&expected), "{problems:?}");
    }
    // These are parts of names.
    good("/opt/my plugins,v2:b", "/etc/cni/net.d");
}

#[test]
fn options_that_are_swapped_are_told_by_the_directories_names() {
    expect![[r#"
        /etc/cni/net.d /opt/cni/bin
          cni-bin-dir: '/etc/cni/net.d' is a directory of configuration by its name, and plugins are wanted: is it the value of cni-conf-dir?
          cni-conf-dir: '/opt/cni/bin' is a directory of plugins by its name, and configuration is wanted: is it the value of cni-bin-dir?
        /etc/cni/net.d 
          cni-bin-dir: '/etc/cni/net.d' is a directory of configuration by its name, and plugins are wanted: is it the value of cni-conf-dir?
         /home/kubernetes/bin/
          cni-conf-dir: '/home/kubernetes/bin/' is a directory of plugins by its name, and configuration is wanted: is it the value of cni-bin-dir?
        /var/snap/microk8s/current/args/cni-network /var/snap/microk8s/current/opt/cni/bin
          cni-bin-dir: '/var/snap/microk8s/current/args/cni-network' is a directory of configuration by its name, and plugins are wanted: is it the value of cni-conf-dir?
          cni-conf-dir: '/var/snap/microk8s/current/opt/cni/bin' is a directory of plugins by its name, and configuration is wanted: is it the value of cni-bin-dir?
    "#]].assert_eq(&told(&[
        ("/etc/cni/net.d", "/opt/cni/bin"),
        ("/etc/cni/net.d", ""),
        ("", "/home/kubernetes/bin/"),
        (
            "/var/snap/microk8s/current/args/cni-network",
            "/var/snap/microk8s/current/opt/cni/bin",
        ),
    ]));
}

#[test]
fn the_directories_of_every_distribution_can_be_set() {
    for (bin_dir, conf_dir) in [
        ("/opt/cni/bin", "/etc/cni/net.d"),
        ("/home/kubernetes/bin", "/etc/cni/net.d"),
        ("/bin", "/var/lib/rancher/k3s/agent/etc/cni/net.d"),
        (
            "/var/lib/rancher/k3s/data/cni",
            "/var/lib/rancher/k3s/agent/etc/cni/net.d",
        ),
        ("/opt/cni/bin", "/etc/cni/net.mk"),
        ("/usr/libexec/cni", "/var/run/multus/cni/net.d"),
        (
            "/var/snap/microk8s/current/opt/cni/bin",
            "/var/snap/microk8s/current/args/cni-network",
        ),
    ] {
        good(bin_dir, conf_dir);
    }
}

#[test]
fn one_directory_may_not_hold_the_other() {
    expect![[r#"
        /opt/cni/ /opt/cni
          cni-conf-dir: must differ from cni-bin-dir, both are '/opt/cni'
        /opt/cni /opt/cni/net.d
          cni-conf-dir: '/opt/cni/net.d' is inside of cni-bin-dir '/opt/cni'; they must be apart
        /opt/cni/bin /opt/cni
          cni-conf-dir: '/opt/cni' holds cni-bin-dir '/opt/cni/bin'; they must be apart
        /opt/cni /opt/cni-network
    "#]]
    .assert_eq(&told(&[
        ("/opt/cni/", "/opt/cni"),
        ("/opt/cni", "/opt/cni/net.d"),
        ("/opt/cni/bin", "/opt/cni"),
        // Only whole parts count.
        ("/opt/cni", "/opt/cni-network"),
    ]));
}

#[test]
fn directories_of_the_kernel_and_of_the_node_agent_are_taken() {
    for (path, says) in [
        ("/proc", "is the kernel's directory"),
        (
            "/proc/1/root/opt/cni/plugins",
            "is inside of /proc, the kernel's directory",
        ),
        ("/sys/fs", "is inside of /sys"),
        ("/dev/shm", "is inside of /dev"),
        ("/var/run/istio-cni/", "is the node agent's own directory"),
        ("/run/istio-cni/cni", "is inside of /run/istio-cni"),
        ("/var/run/netns", "that of network namespaces"),
        (
            "/var/run",
            "holds /var/run/istio-cni, the node agent's own directory",
        ),
        ("/run", "holds /run/istio-cni"),
        ("/var", "holds /var/run/istio-cni"),
    ] {
        for option in [CNI_BIN_DIR, CNI_CONF_DIR] {
            let options = json!({ (option): path });
            let mut problems = Vec::new();
            assert_eq!(parse(options.as_object().unwrap(), &mut problems), None);
            assert!(problems[0].message.contains(says), "{problems:?}");
        }
    }
    good("/process/bin", "/devices/cni");
    expect![[r#"
        /proc /var/run/istio-cni
          cni-bin-dir: '/proc' is the kernel's directory; name the directory of the container runtime
          cni-conf-dir: '/var/run/istio-cni' is the node agent's own directory; name the directory of the container runtime
    "#]].assert_eq(&told(&[("/proc", "/var/run/istio-cni")]));
}
