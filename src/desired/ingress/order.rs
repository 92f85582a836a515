//! Which of several rules a request follows.

use std::cmp::Reverse;

use crate::intent::ingress::route::{Answer, Host, NewPath, Path, Requests, Route};

/// One rule of a route, with a path as Envoy compares it.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    pub(super) requests: &'a Requests,
    pub(super) path: Pattern,
    pub(super) answer: &'a Answer,
    /// What stands in place of the path.
    pub(super) new_path: NewPath,
    /// Where its route stands among all, and the line in its route.
    place: (usize, usize),
}

/// A path as Envoy compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    Is(String),
    Prefix(String),
    Regex(String),
}

impl<'a> Line<'a> {
    /// The lines of the route that stands there among all.
    pub(super) fn of_route((index, route): (usize, &'a Route)) -> Vec<Self> {
        let rules = route.rules.iter();
        let lines = rules.flat_map(|rule| {
            let new_path = match &rule.answer {
                Answer::Forward { path, .. } => path,
                Answer::Redirect(redirect) => &redirect.path,
            };
            let patterns = patterns(&rule.requests.path, new_path).into_iter();
            patterns.map(move |(path, new_path)| (rule, path, new_path))
        });
        let lines = lines
            .enumerate()
            .map(|(number, (rule, path, new_path))| Self {
                requests: &rule.requests,
                path,
                answer: &rule.answer,
                new_path,
                place: (index, number),
            });
        lines.collect()
    }

    /// Where its route stands among all.
    pub(super) fn route(&self) -> usize {
        self.place.0
    }

    /// Whether Istio puts it after all other routes, whatever their age
    /// (`SortVHostRoutes` in `pilot/pkg/networking/core/route` of Istio 1.31).
    pub(super) fn is_catch_all(&self) -> bool {
        let Requests {
            host,
            method,
            headers,
            ..
        } = self.requests;
        let is_bare = *host == Host::Any && method.is_none() && headers.is_empty();
        is_bare && matches!(&self.path, Pattern::Prefix(prefix) if prefix == "/")
    }

    /// Sorts lines, those first that a request follows before others: as the Gateway API says, by
    /// host, path, method and headers
    /// (<https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule>), then the oldest.
    ///
    /// The API leaves open where regular expressions stand. Here they come after prefixes, so that
    /// none takes away what another relation has, but before what takes the rest.
    pub(super) fn order(&self) -> impl Ord + use<> {
        let host = match &self.requests.host {
            Host::Is(_) => (2, 0),
            Host::Below(domain) => (1, domain.len()),
            Host::Any => (0, 0),
        };
        let path = match &self.path {
            Pattern::Is(path) => (2, path.len()),
            Pattern::Prefix(path) => (1, path.len()),
            Pattern::Regex(regex) => (0, regex.len()),
        };
        let has_method = self.requests.method.is_some();
        let headers = self.requests.headers.len();
        (
            self.is_catch_all(),
            Reverse((host, path, has_method, headers)),
            self.place,
        )
    }

    /// Whether there may be a request that fits both.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let has_method = match [&self.requests.method, &other.requests.method] {
            [Some(this), Some(that)] => this == that,
            _ => true,
        };
        let has_host = self.requests.host.overlaps(&other.requests.host);
        has_method && has_host && self.path.overlaps(&other.path)
    }
}

impl Pattern {
    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Regex(_), _) | (_, Self::Regex(_)) => true,
            (Self::Is(this), Self::Is(that)) => this == that,
            (Self::Is(path), Self::Prefix(prefix)) | (Self::Prefix(prefix), Self::Is(path)) => {
                path.starts_with(prefix)
            }
            (Self::Prefix(this), Self::Prefix(that)) => {
                this.starts_with(that) || that.starts_with(this)
            }
        }
    }
}

impl Host {
    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Is(this), Self::Is(that)) => this == that,
            (Self::Is(host), Self::Below(domain)) | (Self::Below(domain), Self::Is(host)) => {
                is_below(host, domain)
            }
            (Self::Below(this), Self::Below(that)) => {
                this == that || is_below(this, that) || is_below(that, this)
            }
        }
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|it| it.ends_with('.'))
}

/// The patterns for a path, each with what stands in place of it.
fn patterns(path: &Path, new: &NewPath) -> Vec<(Pattern, NewPath)> {
    match path {
        Path::Prefix(text) => vec![(Pattern::Prefix(text.clone()), new.clone())],
        Path::Is(path) => vec![(Pattern::Is(path.clone()), new.clone())],
        Path::Regex(regex) => vec![(Pattern::Regex(regex.clone()), new.clone())],
        Path::Below(path) => below(path, new),
    }
}

/// Envoy puts the new prefix where the old one was, letter by letter: both have to end with a slash,
/// or neither.
fn below(path: &str, new: &NewPath) -> Vec<(Pattern, NewPath)> {
    let (itself, inside) = match new {
        NewPath::InPlaceOfPrefix(text) => {
            let text = text.trim_end_matches('/');
            let itself = if text.is_empty() { "/" } else { text };
            (
                NewPath::Whole(itself.to_owned()),
                NewPath::InPlaceOfPrefix(format!("{text}/")),
            )
        }
        other => (other.clone(), other.clone()),
    };
    let path = path.trim_end_matches('/');
    let inside = (Pattern::Prefix(format!("{path}/")), inside);
    if path.is_empty() {
        return vec![inside];
    }
    vec![(Pattern::Is(path.to_owned()), itself), inside]
}
