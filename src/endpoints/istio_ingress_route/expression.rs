//! Regular expressions of paths.
//!
//! istiod refuses a `VirtualService` with an expression that it cannot read, and Envoy all routes of a
//! gateway with one that is too large. As routes stand in the objects of other relations too, one such
//! expression would take those along. So it is read here first: what is taken means the same to Go's
//! library, to RE2 and to the one that is used here.

use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{
    AssertionKind, Ast, ClassSet, ClassSetItem, GroupKind, LiteralKind, RepetitionKind,
    RepetitionRange,
};

/// istiod's limit (`validateStringRegexp` in `pkg/config/validation` of Istio 1.31), in bytes.
const LONGEST: usize = 1024;

/// How many steps an expression may have when its repetitions are written out. Envoy takes at least
/// ten times as many.
const LARGEST: u32 = 1000;

/// How many steps one of several letters counts for.
const CLASS: u32 = 10;

/// Checks an expression. An error goes on where it has been named.
pub(super) fn check(expression: &str) -> Result<(), &'static str> {
    const UNREADABLE: &str = "which is no regular expression";
    if expression.is_empty() {
        return Err(UNREADABLE);
    }
    if expression.len() > LONGEST {
        return Err("which is too long: at most 1024 bytes");
    }
    let ast = Parser::new().parse(expression).map_err(|_| UNREADABLE)?;
    match steps(&ast) {
        None => Err(
            "which has more than letters, `.`, classes in brackets, \\d, \\s, \\w, groups, `|`, `^`, \
             `$` and repetitions",
        ),
        Some(steps) if steps > LARGEST => Err("which repeats too much"),
        Some(_) => Ok(()),
    }
}

/// How many steps an expression has; `None` where something in it may mean several things, or
/// nothing.
fn steps(ast: &Ast) -> Option<u32> {
    match ast {
        Ast::Empty(_) => Some(1),
        Ast::Literal(literal) => is_plain(&literal.kind).then_some(1),
        Ast::Assertion(assertion) => {
            let known = [AssertionKind::StartLine, AssertionKind::EndLine];
            known.contains(&assertion.kind).then_some(1)
        }
        Ast::Dot(_) | Ast::ClassPerl(_) => Some(CLASS),
        Ast::ClassBracketed(class) => match &class.kind {
            ClassSet::Item(item) if is_plain_item(item) => Some(CLASS),
            _ => None,
        },
        Ast::Group(group) => {
            let is_known = match &group.kind {
                GroupKind::CaptureIndex(_) => true,
                GroupKind::NonCapturing(flags) => flags.items.is_empty(),
                GroupKind::CaptureName { .. } => false,
            };
            steps(&group.ast).filter(|_| is_known)
        }
        Ast::Repetition(repetition) => {
            let repeated = &*repetition.ast;
            if matches!(
                repeated,
                Ast::Repetition(_) | Ast::Assertion(_) | Ast::Empty(_)
            ) {
                return None;
            }
            let times = match &repetition.op.kind {
                RepetitionKind::Range(
                    RepetitionRange::Exactly(times)
                    | RepetitionRange::AtLeast(times)
                    | RepetitionRange::Bounded(_, times),
                ) => *times,
                _ => 1,
            };
            Some(steps(repeated)?.saturating_mul(times).saturating_add(1))
        }
        Ast::Alternation(alternation) => sum(&alternation.asts),
        Ast::Concat(concat) => sum(&concat.asts),
        Ast::Flags(_) | Ast::ClassUnicode(_) => None,
    }
}

fn sum(asts: &[Ast]) -> Option<u32> {
    let all = asts.iter().map(steps);
    all.sum::<Option<u32>>()
}

fn is_plain(kind: &LiteralKind) -> bool {
    let plain = [
        LiteralKind::Verbatim,
        LiteralKind::Meta,
        LiteralKind::Superfluous,
    ];
    plain.contains(kind)
}

fn is_plain_item(item: &ClassSetItem) -> bool {
    match item {
        ClassSetItem::Literal(literal) => is_plain(&literal.kind),
        ClassSetItem::Range(range) => is_plain(&range.start.kind) && is_plain(&range.end.kind),
        ClassSetItem::Perl(_) => true,
        ClassSetItem::Union(union) => union.items.iter().all(is_plain_item),
        ClassSetItem::Empty(_)
        | ClassSetItem::Ascii(_)
        | ClassSetItem::Unicode(_)
        | ClassSetItem::Bracketed(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_libraries_read_alike_is_taken() {
        for good in [
            "/a",
            ".*",
            r"/v\d+/.*",
            "/(a|b)?/[^/]+",
            "/(?:x|y|)z*?",
            r"^/a\.b\-c/[a-z0-9_.\-]{1,30}$",
            "/é",
            r"[\]\[^a]",
            "(a{30}){30}",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_one_of_them_refuses_or_reads_otherwise_is_not() {
        for bad in [
            "",
            "(",
            "[a",
            "a**",
            "a{2}{3}",
            "^*",
            "*",
            r"\p{L}",
            r"\u0041",
            r"\x41",
            r"\A",
            r"\<a",
            "(?i)a",
            "(?i:a)",
            "(?P<n>a)",
            "(?x) a",
            "[a&&b]",
            "[a[b]]",
            "[[:alpha:]]",
            "(?=a)",
            r"\1",
            "a{1001}",
            "(a{40}){40}",
            "((a{100}){100}){100}",
            "([^/]{50}){50}",
            "a{,5}",
            r"\b",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check(&"a".repeat(LONGEST + 1)).is_err());
    }
}
