//! Keeps secret values out of what is shown.

/// Shorter lines are not masked: they would be found in innocent text.
const SHORTEST: usize = 6;

/// The lines of the secret values that this hook has handled.
///
/// Line by line, because an error may quote one line of a key. The lines that frame a PEM block are
/// not secret.
#[derive(Default)]
pub(super) struct Mask {
    lines: Vec<String>,
}

impl Mask {
    pub(super) fn add(&mut self, secret: &str) {
        let lines = secret.lines().map(str::trim);
        for line in lines.filter(|line| line.len() >= SHORTEST && !line.starts_with("-----")) {
            if !self.lines.iter().any(|known| known == line) {
                self.lines.push(line.to_owned());
            }
        }
        // The longest first, so that a value that contains another is masked whole.
        self.lines.sort_by_key(|line| std::cmp::Reverse(line.len()));
    }

    pub(super) fn apply(&self, text: &str) -> String {
        self.lines
            .iter()
            .fold(text.to_owned(), |text, line| text.replace(line, "[secret]"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_secret_is_hidden() {
        let mut mask = Mask::default();
        mask.add("-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nab\n-----END KEY-----\n");
        mask.add("hunter2");
        mask.add("hunter2hunter2");
        let shown =
            mask.apply("-----BEGIN KEY-----: MIIEvQIBADANBgkq, ab, hunter2, hunter2hunter2");
        assert_eq!(
            shown,
            "-----BEGIN KEY-----: [secret], ab, [secret], [secret]"
        );
    }
}
