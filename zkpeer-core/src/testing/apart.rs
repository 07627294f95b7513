//! Two values that are not the same, for a person: long ones are shown round the place where they part.

/// So many characters are shown of a value, round what matters in it.
const SHOWN: usize = 120;
/// So many of them stand before the place where two values part.
const BEFORE: usize = 40;

/// Stands for a value that is not there.
pub(super) const NOTHING: &str = "nothing";

/// Both values, each cut to the part round the first character that is not the same.
pub(super) fn parted(one: &str, other: &str) -> (String, String) {
    let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let from = if fits(one) && fits(other) { 0 } else { same.saturating_sub(BEFORE) };
    (cut(one, from), cut(other, from))
}

/// The same in quotes, of values that may not be there.
pub(super) fn parted_or_nothing(one: Option<&str>, other: Option<&str>) -> (String, String) {
    let (shown, shown_other) = parted(one.unwrap_or_default(), other.unwrap_or_default());
    let quoted = |value: Option<&str>, shown: &str| value.map_or(NOTHING.to_owned(), |_| format!("{shown:?}"));
    (quoted(one, &shown), quoted(other, &shown_other))
}

/// A value alone, cut where it is too long.
pub(super) fn short(value: &str) -> String {
    cut(value, 0)
}

/// A value as `{:#?}` shows it, on one line.
pub(super) fn one_line(value: &str) -> String {
    let mut line = String::new();
    for part in value.lines().map(str::trim) {
        if part.starts_with([')', ']', '}']) && line.ends_with(',') {
            line.pop();
        }
        let is_inside = line.ends_with(['(', '[']) || part.starts_with([')', ']']);
        if !line.is_empty() && !is_inside {
            line.push(' ');
        }
        line.push_str(part);
    }
    line
}

fn fits(value: &str) -> bool {
    value.chars().nth(SHOWN).is_none()
}

/// What is left out is told by two dots.
fn cut(value: &str, from: usize) -> String {
    let before = if from == 0 { "" } else { ".." };
    let rest: String = value.chars().skip(from).collect();
    match rest.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{before}{}..", &rest[..end]),
        None => format!("{before}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_values_are_shown_whole() {
        assert_eq!(parted("port 80", "port 81"), ("port 80".to_owned(), "port 81".to_owned()));
        assert_eq!(short("port 80"), "port 80");
    }

    #[test]
    fn long_values_are_shown_round_the_place_where_they_part() {
        let long = |what: &str| format!("{}{what}{}", "a".repeat(500), "z".repeat(500));
        let (one, other) = parted(&long("here"), &long("there"));
        assert_eq!(one, format!("..{}here{}..", "a".repeat(BEFORE), "z".repeat(SHOWN - BEFORE - 4)));
        assert_eq!(other, format!("..{}there{}..", "a".repeat(BEFORE), "z".repeat(SHOWN - BEFORE - 5)));
        let (one, other) = parted(&"ä".repeat(SHOWN + 1), &"ä".repeat(SHOWN));
        assert_eq!((one, other), (format!("..{}", "ä".repeat(BEFORE + 1)), format!("..{}", "ä".repeat(BEFORE))));
    }

    #[test]
    fn a_value_is_one_line_as_it_is_without_line_breaks() {
        #[derive(Debug, Default)]
        #[allow(dead_code, reason = "it is only shown")]
        struct Server {
            members: Vec<(u32, Option<String>)>,
            empty: Vec<u32>,
        }
        let server = Server { members: vec![(1, None), (2, Some("a,\n]".to_owned()))], ..Server::default() };
        assert_eq!(one_line(&format!("{server:#?}")), format!("{server:?}"));
        assert_eq!(one_line(&format!("{:#?}", [1, 2])), "[1, 2]");
    }

    #[test]
    fn a_value_that_is_not_there_is_named() {
        assert_eq!(parted_or_nothing(Some("a \"b\""), None), (r#""a \"b\"""#.to_owned(), NOTHING.to_owned()));
        assert_eq!(parted_or_nothing(None, Some("")), (NOTHING.to_owned(), "\"\"".to_owned()));
    }
}
