//! What happens with an application's requests.

use super::document::{self, Filter, PathChange, RequestRedirect, Scheme};
use super::names::{absolute, domain_name, label};
use crate::intent::ingress::route::{Answer, Backend, NewPath, Path, Redirect};

/// What Envoy can answer with; the first is the default.
const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

/// What happens with requests for a path. An error goes on where the route has been named.
pub(super) fn answer(
    filters: &[Filter],
    backends: &[document::Backend],
    model: &str,
    path: &Path,
) -> Result<Answer, String> {
    match filters {
        [] => Ok(Answer::Forward {
            to: backends_of(backends, model)?,
            path: NewPath::Same,
            host: None,
        }),
        [
            Filter {
                url_rewrite: Some(rewrite),
                request_redirect: None,
            },
        ] => Ok(Answer::Forward {
            to: backends_of(backends, model)?,
            path: new_path(rewrite.path.as_ref(), path)?,
            host: rewrite.hostname.as_deref().map(domain_name).transpose()?,
        }),
        [
            Filter {
                url_rewrite: None,
                request_redirect: Some(redirect),
            },
        ] => {
            if backends.is_empty() {
                return redirect_of(redirect, path).map(Answer::Redirect);
            }
            Err("redirects and has backends: only one of the two can be".to_owned())
        }
        [_] => Err(
            "has a filter that is not supported: only URLRewrite and RequestRedirect are"
                .to_owned(),
        ),
        _ => Err("has several filters: only one can be".to_owned()),
    }
}

fn backends_of(backends: &[document::Backend], model: &str) -> Result<Vec<Backend>, String> {
    if backends.is_empty() {
        return Err("has no backends: its requests would go nowhere".to_owned());
    }
    let is_alone = backends.len() == 1;
    let backends = backends.iter().map(|it| {
        // The Gateway API's default.
        let weight = it.weight.map_or(1, |it| it.0);
        let service = label("service", &it.service)?.to_owned();
        Ok(Backend {
            weight: (!is_alone).then_some(weight),
            ..Backend::alone(service, model.to_owned(), it.port.0)
        })
    });
    backends.collect()
}

fn new_path(change: Option<&PathChange>, path: &Path) -> Result<NewPath, String> {
    match change {
        None => Ok(NewPath::Same),
        Some(PathChange::ReplaceFullPath { value }) => Ok(NewPath::Whole(absolute(value)?)),
        Some(PathChange::ReplacePrefixMatch { value }) => {
            if !matches!(path, Path::Below(_)) {
                return Err("replaces the prefix of a path that is not a PathPrefix".to_owned());
            }
            let value = if value.is_empty() { "/" } else { value };
            Ok(NewPath::InPlaceOfPrefix(absolute(value)?))
        }
    }
}

fn redirect_of(redirect: &RequestRedirect, path: &Path) -> Result<Redirect, String> {
    let RequestRedirect {
        scheme,
        hostname,
        path: change,
        port,
        status_code,
    } = redirect;
    let changes = scheme.is_some() || hostname.is_some() || change.is_some() || port.is_some();
    if !changes {
        return Err("redirects to where the request was sent".to_owned());
    }
    let status = status_code.unwrap_or(REDIRECTS[0]);
    if !REDIRECTS.contains(&status) {
        return Err(format!(
            "redirects with the status {status}: only 301, 302, 303, 307 and 308 can be"
        ));
    }
    Ok(Redirect {
        scheme: scheme.map(|it| match it {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }),
        host: hostname.as_deref().map(domain_name).transpose()?,
        port: port.map(|it| it.0),
        path: new_path(change.as_ref(), path)?,
        status,
    })
}
