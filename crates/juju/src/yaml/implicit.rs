//! What a bare text means in YAML 1.1, as `PyYAML` reads it.
//!
//! The forms are those of <https://yaml.org/type/> as `PyYAML` 6.0 knows them (`yaml/resolver.py`):
//! there `y` and `n` are texts, and an exponent has a sign.

const DECIMAL: &str = "0123456789_";
const OCTAL: &str = "01234567_";
const HEXADECIMAL: &str = "0123456789abcdefABCDEF_";
const BINARY: &str = "01_";

/// Truth values, nothing, and the signs of a default key and of a merge.
#[rustfmt::skip]
const WORDS: [&str; 24] = [
    "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF",
    "true", "True", "TRUE", "false", "False", "FALSE", "null", "Null", "NULL", "~", "=", "<<",
];

/// Whether a bare text, of printable ASCII and not empty, is read as something other than a text.
pub(super) fn is_something_else(text: &str) -> bool {
    let (is_signed, number) = match text.strip_prefix(['-', '+']) {
        Some(number) => (true, number),
        None => (false, text),
    };
    WORDS.contains(&text)
        || is_integer(number)
        || is_float(number, is_signed)
        || after_date(text) == Some("")
        || after_date_and_clock(text).is_some_and(is_fraction_or_zone)
}

fn is_integer(number: &str) -> bool {
    let rest_of = |prefix| number.strip_prefix(prefix);
    if let Some(digits) = rest_of("0b") {
        return !digits.is_empty() && consists_of(digits, BINARY);
    }
    if let Some(digits) = rest_of("0x") {
        return !digits.is_empty() && consists_of(digits, HEXADECIMAL);
    }
    if let Some(digits) = rest_of("0") {
        return consists_of(digits, OCTAL);
    }
    is_base_sixty(number)
}

fn is_float(number: &str, is_signed: bool) -> bool {
    if matches!(number, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    if is_signed && number.starts_with('.') {
        return false;
    }
    if matches!(number, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    match number.split_once('.') {
        None => false,
        Some(("", fraction)) => fraction.starts_with(is_digit) && is_mantissa(fraction),
        Some((whole, fraction)) if whole.contains(':') => {
            is_base_sixty(whole) && consists_of(fraction, DECIMAL)
        }
        Some((whole, fraction)) => is_decimal(whole) && is_mantissa(fraction),
    }
}

/// The digits after a point and an exponent, where there is one.
fn is_mantissa(text: &str) -> bool {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent)),
        None => (text, None),
    };
    let is_exponent = |text: &str| {
        let digits = text.strip_prefix(['-', '+']);
        digits.and_then(|digits| after_digits(digits, 1, usize::MAX)) == Some("")
    };
    consists_of(digits, DECIMAL) && exponent.is_none_or(is_exponent)
}

/// `90`, or `1:30`, which YAML 1.1 reads as minutes or degrees.
fn is_base_sixty(text: &str) -> bool {
    let is_sixtieth =
        |part: &str| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    let mut parts = text.split(':');
    parts.next().is_some_and(is_decimal) && parts.all(is_sixtieth)
}

fn is_decimal(text: &str) -> bool {
    text.starts_with(is_digit) && consists_of(text, DECIMAL)
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}

fn consists_of(text: &str, set: &str) -> bool {
    text.chars().all(|character| set.contains(character))
}

/// What follows `2026-11-23`; `None` where the text begins otherwise.
fn after_date(text: &str) -> Option<&str> {
    let rest = after_digits(text, 4, 4)?.strip_prefix('-')?;
    let rest = after_digits(rest, 2, 2)?.strip_prefix('-')?;
    after_digits(rest, 2, 2)
}

/// What follows `2026-1-23T14:03:34`, or with blanks for the `T`; `None` where the text begins
/// otherwise.
fn after_date_and_clock(text: &str) -> Option<&str> {
    let rest = after_digits(text, 4, 4)?.strip_prefix('-')?;
    let rest = after_digits(rest, 1, 2)?.strip_prefix('-')?;
    let rest = after_digits(rest, 1, 2)?;
    let clock = match rest.strip_prefix(['T', 't']) {
        Some(clock) => clock,
        None => rest.strip_prefix(' ')?.trim_start_matches(' '),
    };
    let rest = after_digits(clock, 1, 2)?.strip_prefix(':')?;
    let rest = after_digits(rest, 2, 2)?.strip_prefix(':')?;
    after_digits(rest, 2, 2)
}

/// `.25`, `Z`, `+1`, `-01:00`, a fraction and a zone, or nothing.
fn is_fraction_or_zone(text: &str) -> bool {
    let fraction = text.strip_prefix('.');
    let zone = fraction.map_or(text, |digits| digits.trim_start_matches(is_digit));
    zone.is_empty() || is_zone(zone.trim_start_matches(' '))
}

fn is_zone(text: &str) -> bool {
    let after_hours = text
        .strip_prefix(['-', '+'])
        .and_then(|zone| after_digits(zone, 1, 2));
    match after_hours {
        Some("") => true,
        Some(rest) => {
            rest.strip_prefix(':')
                .and_then(|rest| after_digits(rest, 2, 2))
                == Some("")
        }
        None => text == "Z",
    }
}

/// What follows the leading digits, of which at most `most` count; `None` when there are fewer than
/// `least`.
fn after_digits(text: &str, least: usize, most: usize) -> Option<&str> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit);
    let count = digits.count();
    (count >= least).then(|| &text[count..])
}
