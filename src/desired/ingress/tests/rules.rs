//! What is made of the rules of one route.

use serde_json::{Value, json};

use super::{objects_of, route};
use crate::intent::ingress::Ingress;
use crate::intent::ingress::route::{
    Answer, Backend, Host, NewPath, Path, Redirect, Requests, Route, Rule, Text,
};

/// The routes of one relation with these rules.
fn http_of(rules: &[(Requests, Answer)]) -> Value {
    let rules = rules.iter().cloned();
    let rules = rules.map(|(requests, answer)| Rule { requests, answer });
    let ingress = Ingress {
        routes: vec![Route {
            rules: rules.collect(),
            ..route("app", "/")
        }],
        ..Ingress::default()
    };
    objects_of(ingress)[1]["spec"]["http"].clone()
}

fn to_app(path: NewPath) -> Answer {
    Answer::Forward {
        to: vec![Backend::alone("app".to_owned(), "shop".to_owned(), 80)],
        path,
        host: None,
    }
}

fn below(path: &str) -> Requests {
    Requests::with_path(Path::Below(path.to_owned()))
}

#[test]
fn a_path_with_all_below_it_takes_no_neighbour_and_loses_no_slash() {
    let with = |new: NewPath| http_of(&[(below("/m-app"), to_app(new))]);
    let route = json!([{"destination": {
        "host": "app.shop.svc.cluster.local", "port": {"number": 80},
    }}]);
    let itself = json!([{"uri": {"exact": "/m-app"}}]);
    let inside = json!([{"uri": {"prefix": "/m-app/"}}]);
    let same = json!([{"match": itself, "route": route}, {"match": inside, "route": route}]);
    assert_eq!(with(NewPath::Same), same);
    for (new, at_itself, at_inside) in [
        ("/", "/", "/"),
        ("", "/", "/"),
        ("/new", "/new", "/new/"),
        ("/new/", "/new", "/new/"),
    ] {
        let expected = json!([
            {"match": itself, "rewrite": {"uri": at_itself}, "route": route},
            {"match": inside, "rewrite": {"uri": at_inside}, "route": route},
        ]);
        assert_eq!(with(NewPath::InPlaceOfPrefix(new.to_owned())), expected);
    }
    let whole = json!({"uriRegexRewrite": {"match": "^/.*$", "rewrite": "/a\\\\1"}});
    let expected = json!([
        {"match": itself, "rewrite": {"uri": "/a\\1"}, "route": route},
        {"match": inside, "rewrite": whole, "route": route},
    ]);
    assert_eq!(with(NewPath::Whole("/a\\1".to_owned())), expected);
    let expected = json!([
        {"match": [{"uri": {"prefix": "/"}}], "rewrite": {"uri": "/new/"}, "route": route},
    ]);
    let everything = (
        below("/"),
        to_app(NewPath::InPlaceOfPrefix("/new".to_owned())),
    );
    assert_eq!(http_of(&[everything]), expected);
}

#[test]
fn everything_that_a_rule_says_is_in_its_route() {
    let requests = Requests {
        host: Host::Is("a.example".to_owned()),
        path: Path::Regex("/v[12]/.*".to_owned()),
        method: Some("GET".to_owned()),
        headers: [
            ("x-a".to_owned(), Text::Is("1".to_owned())),
            ("x-b".to_owned(), Text::Prefix("2".to_owned())),
        ]
        .into(),
    };
    let backend = |service: &str, weight| Backend {
        weight: Some(weight),
        ..Backend::alone(service.to_owned(), "shop".to_owned(), 80)
    };
    let answer = Answer::Forward {
        to: vec![backend("one", 9), backend("two", 1)],
        path: NewPath::Same,
        host: Some("inside.example".to_owned()),
    };
    let destination = |service: &str, weight: u8| {
        let host = format!("{service}.shop.svc.cluster.local");
        json!({"destination": {"host": host, "port": {"number": 80}}, "weight": weight})
    };
    let expected = json!([{
        "match": [{
            "uri": {"regex": "/v[12]/.*"},
            "method": {"exact": "GET"},
            "authority": {"regex": "(?i)a\\.example(:[0-9]+)?"},
            "headers": {"x-a": {"exact": "1"}, "x-b": {"prefix": "2"}},
        }],
        "rewrite": {"authority": "inside.example"},
        "route": [destination("one", 9), destination("two", 1)],
    }]);
    assert_eq!(http_of(&[(requests, answer)]), expected);
}

#[test]
fn a_redirect_says_what_changes() {
    let redirect = |path: NewPath| {
        Answer::Redirect(Redirect {
            scheme: Some("https"),
            host: Some("a.example".to_owned()),
            port: Some(8443),
            path,
            status: 302,
        })
    };
    let changed = |key: &str, value: &str| {
        let mut redirect = json!({
            "scheme": "https", "authority": "a.example", "port": 8443, "redirectCode": 302,
        });
        redirect[key] = json!(value);
        redirect
    };
    let domain = Requests {
        host: Host::Below("example".to_owned()),
        ..below("/a")
    };
    let below_domain = json!({"regex": "(?i).+\\.example(:[0-9]+)?"});
    let expected = json!([
        {
            "match": [{"uri": {"exact": "/a"}, "authority": below_domain}],
            "redirect": changed("uri", "/b"),
        },
        {
            "match": [{"uri": {"prefix": "/a/"}, "authority": below_domain}],
            "redirect": changed("prefixRewrite", "/b/"),
        },
    ]);
    let new = NewPath::InPlaceOfPrefix("/b".to_owned());
    assert_eq!(http_of(&[(domain, redirect(new))]), expected);
    let whole = http_of(&[(below("/"), redirect(NewPath::Whole("/b".to_owned())))]);
    assert_eq!(whole[0]["redirect"], changed("uri", "/b"));
}
