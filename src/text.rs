//! Texts for people: lists of names, and texts that are too long.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Names up to three, and how many more there are: `n1, n2, n3 (+2 more)`.
pub fn up_to_three<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let mut names = names.into_iter();
    let first: Vec<T> = names.by_ref().take(3).collect();
    let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
    match names.count() {
        0 => first.join(", "),
        more => format!("{} (+{more} more)", first.join(", ")),
    }
}

/// The SHA-256 of a text, in hexadecimal digits.
pub fn sha256(text: &str) -> String {
    let mut hash = String::new();
    for byte in Sha256::digest(text) {
        // Writing to a string cannot fail.
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}

/// A number of things: `1 pod`, `2 pods`.
pub fn counted(number: usize, thing: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{ending}")
}

/// The first lines of a text, as many as fit into so many bytes; the last line then says how many more
/// there are.
pub fn first_lines(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    // Room for the last line.
    let room = longest.saturating_sub(40);
    let mut shown = String::new();
    let mut lines = text.lines();
    let mut more = 0;
    for line in &mut lines {
        if shown.len() + line.len() + 1 > room {
            more = 1;
            break;
        }
        shown.push_str(line);
        shown.push('\n');
    }
    format!("{shown}(+{} more lines)", lines.count() + more)
}

/// How many characters of one text a status shows. `juju status` stays readable that way; the log
/// has the whole text.
pub const LONGEST_IN_STATUS: usize = 200;

/// The first `longest` characters of a text; `…` stands for what is cut off.
pub fn shorten(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The message of a log that says most about its end: of a panic, or else of the last line. Columns
/// for time, level and scope before it, as Istio and others write them with tabs, are left out.
/// Empty for an empty log.
pub fn last_message(log: &str) -> &str {
    let mut lines = log.lines().map(str::trim).filter(|it| !it.is_empty());
    let is_panic = |line: &&str| line.starts_with("panic: ") || line.starts_with("fatal error: ");
    let panic = lines.clone().rfind(is_panic);
    without_columns(panic.or_else(|| lines.next_back()).unwrap_or_default())
}

fn without_columns(line: &str) -> &str {
    const LEVELS: [&str; 5] = ["debug", "info", "warn", "error", "fatal"];
    let after_level = line
        .split_once('\t')
        .and_then(|(_time, rest)| rest.split_once('\t'))
        .filter(|(level, _)| LEVELS.contains(level));
    let Some((_, rest)) = after_level else {
        return line;
    };
    match rest.split_once('\t') {
        Some((scope, message)) if !scope.contains(' ') => message,
        _ => rest,
    }
}

/// A value that somebody wrote, as a message shows it: quoted, with what cannot be seen in it
/// escaped, and cut when it is long.
pub fn quoted(value: &str) -> String {
    const LONGEST: usize = 60;
    format!("'{}'", shorten(value, LONGEST).escape_debug())
}

/// The first character of a text that nobody can see, such as the zero-width space and the
/// no-break space that come along when a text is copied from a web page. The ordinary space is
/// none of them.
pub fn unseen(text: &str) -> Option<char> {
    text.chars().find(|&letter| is_unseen(letter))
}

/// How a message names a character that nobody can see: `U+200B`.
pub fn code_point(letter: char) -> String {
    format!("U+{:04X}", u32::from(letter))
}

/// White space other than the space, control characters, and those that the Unicode Standard calls
/// default-ignorable (`Default_Ignorable_Code_Point` of `DerivedCoreProperties.txt`, Unicode 16).
fn is_unseen(letter: char) -> bool {
    letter != ' ' && (letter.is_whitespace() || letter.is_control())
        || matches!(
            letter,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fff8}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_message_of_a_log_has_no_columns_before_it() {
        for (log, expected) in [
            ("", ""),
            ("\n  \n", ""),
            ("one\ntwo\n\n", "two"),
            (
                "2026-01-01T00:00:00.1Z\terror\tcni-agent\tno such file\n",
                "no such file",
            ),
            (
                "2026-01-01T00:00:00.1Z\terror\tno such file\tpath=/a",
                "no such file\tpath=/a",
            ),
            (
                "2026-01-01T00:00:00.1Z\tinfo\tx\ty\nError: bind: denied\n",
                "Error: bind: denied",
            ),
            (
                "panic: oh no\n\ngoroutine 1 [running]:\nmain.main()\n",
                "panic: oh no",
            ),
            ("a\tb\tc\td", "a\tb\tc\td"),
        ] {
            assert_eq!(last_message(log), expected, "{log:?}");
        }
    }

    #[test]
    fn what_nobody_can_see_is_found_and_named() {
        for hidden in [
            "\u{200b}", "\u{feff}", "\u{a0}", "\u{ad}", "\u{2003}", "\t", "\n", "\u{7f}",
        ] {
            let text = format!("/opt/cni{hidden}/bin");
            assert_eq!(unseen(&text), hidden.chars().next(), "{hidden:?}");
            assert!(quoted(&text).is_ascii(), "{}", quoted(&text));
        }
        assert_eq!(unseen("/opt/my plugins/größe"), None);
        assert_eq!(code_point('\u{a0}'), "U+00A0");
    }

    #[test]
    fn from_the_fourth_on_they_are_only_counted() {
        assert_eq!(up_to_three::<&str>([]), "");
        assert_eq!(up_to_three(["a"]), "a");
        assert_eq!(up_to_three(["a", "b", "c"]), "a, b, c");
        assert_eq!(up_to_three(["a", "b", "c", "d", "e"]), "a, b, c (+2 more)");
    }

    #[test]
    fn a_long_text_ends_with_how_many_lines_are_left_out() {
        assert_eq!(first_lines("a\nb", 3), "a\nb");
        let lines: Vec<_> = (100..200).map(|it| format!("line {it}")).collect();
        let lines = lines.join("\n");
        let cut = first_lines(&lines, 100);
        assert_eq!(cut.lines().count(), 7, "{cut}");
        assert!(cut.ends_with("line 105\n(+94 more lines)"), "{cut}");
        let endless = "x".repeat(200);
        assert_eq!(first_lines(&endless, 100), "(+1 more lines)");
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!(
            [0, 1, 2].map(|it| counted(it, "pod")),
            ["0 pods", "1 pod", "2 pods"]
        );
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shorten("äöü", 3), "äöü");
        assert_eq!(shorten("äöü", 2), "äö…");
        assert_eq!(shorten("", 0), "");
    }
}
