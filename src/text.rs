//! Texts for people: lists of names, and texts that are too long.

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

/// A number of things: `1 pod`, `2 pods`.
pub fn counted(number: usize, thing: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{ending}")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_fourth_on_they_are_only_counted() {
        assert_eq!(up_to_three::<&str>([]), "");
        assert_eq!(up_to_three(["a"]), "a");
        assert_eq!(up_to_three(["a", "b", "c"]), "a, b, c");
        assert_eq!(up_to_three(["a", "b", "c", "d", "e"]), "a, b, c (+2 more)");
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
