use std::fs;

use juju::WriteOutcome;
use juju::log::Level;
use juju::names::SecretId;
use juju::secret::{
    Revision, RotatePolicy, SecretAnswer, SecretContent, SecretGrantee, SecretOptions, SecretOwner,
    SecretReference,
};

use crate::fake_tools::{FakeTools, InstalledTools};

const ID: &str = "secret:k5fo8pve76pgaih5eua0";

fn id() -> SecretId {
    ID.parse().unwrap()
}

fn by_id() -> SecretReference {
    SecretReference::Id(id())
}

fn by_label(label: &str) -> SecretReference {
    SecretReference::Label(label.to_owned())
}

fn content(values: &[(&str, &str)]) -> SecretContent {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    SecretContent::new(values.iter().map(own)).unwrap()
}

#[test]
fn secrets_are_read_by_id_and_label() {
    let get = format!("secret-get {ID} --format=json");
    let juju = FakeTools::new()
        .prints(&get, r#"{"tls-crt":"AAA","tls-key":"BBB"}"#)
        .prints(
            &format!("{get} --refresh"),
            r#"{"tls-crt":"CCC","tls-key":"BBB"}"#,
        )
        .prints(&format!("{get} --peek"), r#"{"tls-crt":"DDD"}"#)
        .prints(
            "secret-get --label mine --format=json",
            r#"{"key-one":"secret value"}"#,
        )
        .install();
    let read = |secret, revision, key: &str| {
        let SecretAnswer::Content(content) = juju.tools.secret(&secret, revision).unwrap() else {
            panic!("{secret:?}")
        };
        content.get(key).unwrap().to_owned()
    };
    assert_eq!(read(by_id(), Revision::Tracked, "tls-crt"), "AAA");
    assert_eq!(read(by_id(), Revision::Refresh, "tls-crt"), "CCC");
    assert_eq!(read(by_id(), Revision::Peek, "tls-crt"), "DDD");
    assert_eq!(
        read(by_label("mine"), Revision::Tracked, "key-one"),
        "secret value"
    );
}

#[test]
fn a_secret_that_is_missing_or_not_granted_is_an_answer() {
    let juju = FakeTools::new()
        .fails(
            &format!("secret-get {ID} --format=json"),
            1,
            "ERROR \"rec/0\" is not allowed to read this secret",
        )
        .fails(
            "secret-get --label nosuch --format=json",
            1,
            "ERROR secret URI for consumer label \"nosuch\" not found",
        )
        .fails(
            "secret-get --label away --format=json",
            1,
            "ERROR connection is shut down",
        )
        .install();
    let read = |secret| juju.tools.secret(&secret, Revision::Tracked);
    assert_eq!(read(by_id()).unwrap(), SecretAnswer::NotGranted);
    assert_eq!(read(by_label("nosuch")).unwrap(), SecretAnswer::NotFound);
    assert!(read(by_label("away")).is_err());
}

#[test]
fn an_answer_of_another_form_is_not_quoted() {
    let juju = FakeTools::new()
        .prints("secret-get --label mine --format=json", r#"["hunter2"]"#)
        .install();
    let error = juju
        .tools
        .secret(&by_label("mine"), Revision::Tracked)
        .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

/// Shell that keeps what is in the files that the arguments name, and their modes.
const KEEP_FILES: &str = "for a in \"$@\"; do case \"$a\" in *#file=*) \
     f=${a#*#file=}; stat -c %a \"$f\" >> \"$folder/kept\"; cat \"$f\" >> \"$folder/kept\";; \
     esac; done";

fn kept(juju: &InstalledTools) -> String {
    fs::read_to_string(juju.folder().join("kept")).unwrap()
}

#[test]
fn values_reach_the_tool_through_private_files_that_are_deleted() {
    let new_id = "secret://499560ed-7ec9-4943-87f6-bce9af13ee04/jtev7r62i7q37irehseg";
    let add = "secret-add --label mine --rotate monthly --owner unit key-one#file=* key-two#file=*";
    let juju = FakeTools::new()
        .runs(add, &format!("{KEEP_FILES}; echo {new_id}; exit 0"))
        .prints("juju-log *", "")
        .install();
    let options = SecretOptions {
        label: Some("mine".to_owned()),
        rotate: Some(RotatePolicy::Monthly),
        ..SecretOptions::default()
    };
    let values = content(&[("key-one", "hunter2\n"), ("key-two", "=#second")]);
    let added = juju
        .tools
        .add_secret(&values, SecretOwner::Unit, &options)
        .unwrap();
    assert_eq!(added.to_string(), new_id);
    assert_eq!(kept(&juju), "600\nhunter2\n600\n=#second");
    juju.tools.log(Level::Info, "=#second is hunter2");
    juju.tools.flush_log();
    assert!(!juju.commands().concat().contains("hunter2"));
    assert_eq!(
        juju.commands()[1],
        "juju-log --log-level INFO -- [secret] is [secret]"
    );
    assert_eq!(juju.left_files(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn adding_for_the_application_is_the_leaders() {
    let juju = FakeTools::new()
        .fails(
            "secret-add --owner application token#file=*",
            1,
            "ERROR this unit is not the leader",
        )
        .install();
    let values = content(&[("token", "hunter2")]);
    let options = SecretOptions::default();
    let error = juju
        .tools
        .add_secret(&values, SecretOwner::Application, &options)
        .unwrap_err();
    assert!(error.is_not_leader());
    assert_eq!(juju.left_files(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_secret_is_changed_with_and_without_content() {
    let juju = FakeTools::new()
        .runs(
            &format!("secret-set {ID} token#file=*"),
            &format!("{KEEP_FILES}; exit 0"),
        )
        .prints(&format!("secret-set {ID} --description what for"), "")
        .install();
    let values = content(&[("token", "hunter3")]);
    juju.tools
        .set_secret(&id(), Some(&values), &SecretOptions::default())
        .unwrap();
    assert_eq!(kept(&juju), "600\nhunter3");
    let description = Some("what for".to_owned());
    let options = SecretOptions {
        description,
        ..SecretOptions::default()
    };
    juju.tools.set_secret(&id(), None, &options).unwrap();
}

#[test]
fn owners_see_their_secrets() {
    let juju = FakeTools::new()
        .prints(
            "secret-ids --format=json",
            r#"["atsliiinsaha9r2tabvg","jtev7r62i7q37irehseg"]"#,
        )
        .prints(
            "secret-info-get --label mine --format=json",
            r#"{"jtev7r62i7q37irehseg":{"revision":1,"label":"mine","owner":"unit"}}"#,
        )
        .fails(
            &format!("secret-info-get {ID} --format=json"),
            1,
            "ERROR secret \"k5fo8pve76pgaih5eua0\" not found",
        )
        .install();
    let ids = juju.tools.secret_ids().unwrap();
    assert_eq!(ids[1].to_string(), "secret:jtev7r62i7q37irehseg");
    let (id, info) = juju.tools.secret_info(&by_label("mine")).unwrap().unwrap();
    assert_eq!((id.id(), info.revision), ("jtev7r62i7q37irehseg", 1));
    assert_eq!(juju.tools.secret_info(&by_id()).unwrap(), None);
    let juju = FakeTools::new()
        .prints("secret-ids --format=json", "null")
        .install();
    assert_eq!(juju.tools.secret_ids().unwrap(), []);
}

#[test]
fn secrets_are_shared_and_removed() {
    let juju = FakeTools::new()
        .prints(&format!("secret-grant {ID} -r ingress:2"), "")
        .prints(
            &format!("secret-revoke {ID} -r ingress:2 --unit other/0"),
            "",
        )
        .prints(&format!("secret-revoke {ID} --app other"), "")
        .prints(&format!("secret-remove {ID} --revision 3"), "")
        .fails(
            &format!("secret-remove {ID}"),
            1,
            "ERROR secret \"k5fo8pve76pgaih5eua0\" not found",
        )
        .fails(
            &format!("secret-grant {ID} -r ingress:999"),
            2,
            "ERROR invalid value \"ingress:999\" for option -r: relation not found",
        )
        .install();
    let tools = &juju.tools;
    let ingress = SecretGrantee::Relation("ingress:2".parse().unwrap());
    assert_eq!(
        tools.grant_secret(&id(), &ingress).unwrap(),
        WriteOutcome::Written
    );
    let gone = SecretGrantee::Relation("ingress:999".parse().unwrap());
    assert_eq!(
        tools.grant_secret(&id(), &gone).unwrap(),
        WriteOutcome::RelationGone
    );
    let unit = SecretGrantee::Unit("ingress:2".parse().unwrap(), "other/0".parse().unwrap());
    assert_eq!(
        tools.revoke_secret(&id(), &unit).unwrap(),
        WriteOutcome::Written
    );
    tools
        .revoke_secret_from_application(&id(), &"other".parse().unwrap())
        .unwrap();
    assert_eq!(
        tools.remove_secret(&id(), Some(3)).unwrap(),
        WriteOutcome::Written
    );
    assert_eq!(
        tools.remove_secret(&id(), None).unwrap(),
        WriteOutcome::Unchanged
    );
}

#[test]
fn values_that_passed_are_hidden_from_then_on() {
    let shown = r#"{"message":"","status":"active","status-data":{}}"#;
    let juju = FakeTools::new()
        .prints(
            "secret-get --label mine --format=json",
            r#"{"key":"-----BEGIN\nMIIEvQIBAD\n"}"#,
        )
        .prints("status-get --include-data --format=json", shown)
        .prints("juju-log --log-level INFO -- the key is [secret]", "")
        .fails(
            "status-set blocked -- bad key [secret]",
            1,
            "ERROR cannot show MIIEvQIBAD",
        )
        .install();
    let _ = juju
        .tools
        .secret(&by_label("mine"), Revision::Tracked)
        .unwrap();
    juju.tools.log(Level::Info, "the key is MIIEvQIBAD");
    juju.tools.flush_log();
    let status = juju::Status::Blocked("bad key MIIEvQIBAD".to_owned());
    let error = juju.tools.set_unit_status(&status).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("MIIEv"), "{error}");
    assert!(!juju.commands().concat().contains("MIIEv"));
}
