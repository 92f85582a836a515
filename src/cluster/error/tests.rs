use std::io;

use super::*;

fn sorted(error: kube::Error) -> ClusterError {
    ClusterError::new(&Operation::new("reading", "the Kubernetes version"), error)
}

#[test]
fn without_an_answer_the_server_is_away_and_the_innermost_cause_is_shown() {
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    let error = sorted(kube::Error::Service(Box::new(io::Error::other(refused))));
    let shown = FailureKind::Unavailable("connection refused".to_owned());
    assert_eq!(error.kind(), &shown);
    assert!(error.is_transient() && !error.is_refused());
}

#[test]
fn credentials_that_cannot_be_used_are_not_a_server_that_is_away() {
    let failed = || AuthError::AuthExec("no such program".to_owned());
    for error in [
        kube::Error::Auth(failed()),
        kube::Error::Service(Box::new(failed())),
    ] {
        let error = sorted(error);
        let text = "reading the Kubernetes version: the credentials are not accepted: failed exec \
                    auth: no such program";
        assert_eq!(error.to_string(), text);
        assert!(error.is_refused() && !error.is_transient());
    }
}

#[test]
fn an_answer_that_is_not_text_is_a_defect() {
    let error = String::from_utf8(vec![0xff]).unwrap_err();
    let error = sorted(kube::Error::FromUtf8(error));
    assert!(
        matches!(error.kind(), FailureKind::Unexpected(_)) && !error.is_transient(),
        "{error:?}"
    );
}
