use expect_test::expect;
use proptest::prelude::*;
use regex::Regex;

use super::*;

/// The grammar as one expression, put together as `regexp.go` of `github.com/distribution/reference`
/// says: the oracle of these tests.
fn grammar() -> Regex {
    let label = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
    let host = format!(r"(?:{label}(?:\.{label})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?");
    let component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
    let name = format!("(?:{host}/)?{component}(?:/{component})*");
    let digest = "sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}";
    let tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
    let reference = format!("^(?P<name>{name})(?::{tag})?(?:@(?:{digest}))?$");
    Regex::new(&reference).unwrap()
}

/// Whether the grammar has a reference, and what `normalize.go` and the specification add to it.
fn is_valid(text: &str, grammar: &Regex) -> bool {
    let Some(parts) = grammar.captures(text) else {
        return false;
    };
    let name = &parts["name"];
    let is_identifier = name.len() == 64 && name.chars().all(|it| "0123456789abcdef".contains(it));
    // `Istio/pilot` is a registry called Istio to new runtimes, and wrong to old ones.
    let first = name.split_once('/').map_or("", |(first, _)| first);
    let is_ambiguous = !first.contains(['.', ':']) && first.contains(|it: char| it.is_uppercase());
    name.len() <= 255 && !is_identifier && !is_ambiguous
}

#[test]
fn the_parts_of_a_reference_are_found() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    for (text, name, tag, has_digest) in [
        ("busybox", "busybox", None, false),
        ("busybox:1.28", "busybox", Some("1.28"), false),
        ("localhost:5000", "localhost", Some("5000"), false),
        ("localhost:5000/a", "localhost:5000/a", None, false),
        ("[::1]:5000/a/b:c", "[::1]:5000/a/b", Some("c"), false),
        (
            "Registry.test/a__b/c--d",
            "Registry.test/a__b/c--d",
            None,
            false,
        ),
        ("my_registry.test/a", "my_registry.test/a", None, false),
        ("a:b@DIGEST", "a", Some("b"), true),
        ("a/b@DIGEST", "a/b", None, true),
    ] {
        let text = text.replace("DIGEST", &digest);
        let digest = has_digest.then_some(digest.as_str());
        assert_eq!(parse(&text), Ok(Reference { name, tag, digest }), "{text}");
    }
}

#[test]
fn what_is_wrong_is_told() {
    let faults = [
        "",
        "docker.io/istio//pilot:1",
        "/docker.io/istio/pilot",
        "docker.io/istio/",
        "https://docker.io/istio/pilot",
        "docker.io/Istio/pilot",
        "Istio/pilot",
        "docker.io/istio/pi lot",
        "docker.io/istio/pi\u{200b}lot",
        "docker.io/istio/-pilot",
        "docker.io/istio:1.31.1/pilot",
        "registry.test:port/pilot",
        "-registry.test/pilot",
        "user:password@registry.test/pilot:1",
        "pilot:",
        "pilot:-1",
        "pilot:1:2",
        "pilot@sha256:abc",
        "pilot@",
        "sha256:1@sha256:0",
    ];
    let told = faults.map(|text| format!("{} {}\n", quoted(text), parse(text).unwrap_err()));
    expect![[r#"
        '' is empty; leave the key out for its default
        'docker.io/istio//pilot:1' has an empty part: a slash at its beginning or end, or two in a row
        '/docker.io/istio/pilot' has an empty part: a slash at its beginning or end, or two in a row
        'docker.io/istio/' has an empty part: a slash at its beginning or end, or two in a row
        'https://docker.io/istio/pilot' has a scheme; leave out what ends in ://
        'docker.io/Istio/pilot' has capital letters in 'Istio', where only a registry may have them
        'Istio/pilot' has capital letters in 'Istio', where only a registry may have them
        'docker.io/istio/pi lot' holds a space; write it without
        'docker.io/istio/pi\u{200b}lot' holds the invisible character U+200B; type it again
        'docker.io/istio/-pilot' has the part '-pilot'; a part has lower-case letters and digits, and between them '.', '_', '__' or '-'
        'docker.io/istio:1.31.1/pilot' has the part 'istio:1.31.1'; a part has lower-case letters and digits, and between them '.', '_', '__' or '-'
        'registry.test:port/pilot' names the registry 'registry.test:port', which is neither a host nor an address, with a port of digits if it has one
        '-registry.test/pilot' names the registry '-registry.test', which is neither a host nor an address, with a port of digits if it has one
        'user:password@registry.test/pilot:1' has 'registry.test/pilot:1' behind the @, which is no digest (sha256: and 64 hexadecimal digits in lower case); credentials belong into an image pull secret
        'pilot:' has an empty tag; leave out the colon or write a tag behind it
        'pilot:-1' has the tag '-1'; a tag has at most 128 letters, digits, '_', '.' and '-', and does not begin with '.' or '-'
        'pilot:1:2' has the tag '1:2'; a tag has at most 128 letters, digits, '_', '.' and '-', and does not begin with '.' or '-'
        'pilot@sha256:abc' has 'sha256:abc' behind the @, which is no digest (sha256: and 64 hexadecimal digits in lower case); credentials belong into an image pull secret
        'pilot@' has '' behind the @, which is no digest (sha256: and 64 hexadecimal digits in lower case); credentials belong into an image pull secret
        'sha256:1@sha256:0' has 'sha256:0' behind the @, which is no digest (sha256: and 64 hexadecimal digits in lower case); credentials belong into an image pull secret
    "#]].assert_eq(&told.concat());
}

#[test]
fn lengths_are_bounded() {
    let of = |length: usize| format!("registry.test/{}", "a".repeat(length - 14));
    assert!(parse(&of(255)).is_ok());
    assert_eq!(parse(&of(256)), Err(Fault::TooLong));
    let tag = "1".repeat(128);
    assert!(parse(&format!("pilot:{tag}")).is_ok());
    assert!(parse(&format!("pilot:{tag}1")).is_err());
    // Without a registry these digits would be an image's identity.
    assert!(parse(&"a".repeat(64)).is_err());
    assert!(parse(&format!("b/{}", "a".repeat(64))).is_ok());
}

proptest! {
    #[test]
    fn whatever_the_grammar_gives_is_a_reference(
        text in "([a-zA-Z0-9]{1,3}(-[a-z0-9])?(\\.[a-zA-Z0-9]{1,3}){1,2}(:[0-9]{1,4})?/)?\
                 [a-z0-9]{1,3}((\\.|_|__|-{1,3})[a-z0-9]{1,2}){0,2}(/[a-z0-9]{1,3}(_[a-z0-9])?){0,2}\
                 (:[A-Za-z0-9_][A-Za-z0-9_.-]{0,4})?(@sha256:[a-f0-9]{64})?"
    ) {
        let grammar = grammar();
        prop_assume!(is_valid(&text, &grammar));
        prop_assert!(parse(&text).is_ok(), "{:?}", parse(&text));
    }

    #[test]
    fn nothing_else_is(text in "[aA0._:/@\\[\\]-]{0,9}") {
        prop_assert_eq!(parse(&text).is_ok(), is_valid(&text, &grammar()), "{:?}", parse(&text));
    }

    #[test]
    fn one_wrong_character_is_found(
        place in 0_usize..60,
        character in "[aA0._:/@+ \u{200b}é-]",
    ) {
        let good = "registry.test:5000/istio/pilot:1.31.1-distroless";
        let at = place.min(good.len());
        let text = format!("{}{character}{}", &good[..at], &good[at..]);
        prop_assert_eq!(parse(&text).is_ok(), is_valid(&text, &grammar()), "{}", text);
    }

    #[test]
    fn nothing_makes_it_panic(text in ".{0,40}") {
        let _ = parse(&text);
    }
}
