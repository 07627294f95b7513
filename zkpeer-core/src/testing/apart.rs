//! Two values that are not the same, for a person: long ones are shown round the place where they part.

/// Texts up to this length are shown whole.
const WHOLE: usize = 100;
/// How much is shown of what they have in common, before and after the place.
const ROUND: usize = 30;
/// How much is shown of the place itself.
const MOST: usize = 160;

/// Stands for a value that is not there.
pub(super) const NOTHING: &str = "nothing";

/// Both, of a long text what differs and what is round it.
pub(super) fn parted(one: &str, other: &str) -> (String, String) {
    let (ones, others): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if ones.len().max(others.len()) <= WHOLE {
        return (one.to_owned(), other.to_owned());
    }
    let alike = |(one, other): &(&char, &char)| one == other;
    let before = ones.iter().zip(&others).take_while(alike).count();
    let after = ones[before..].iter().rev().zip(others[before..].iter().rev()).take_while(alike).count();
    let cut = |text: &[char]| piece(text, before.saturating_sub(ROUND), text.len().min(text.len() - after + ROUND));
    (cut(&ones), cut(&others))
}

/// The same in quotes, of values that may not be there.
pub(super) fn parted_or_nothing(one: Option<&str>, other: Option<&str>) -> (String, String) {
    let (shown, shown_other) = parted(one.unwrap_or_default(), other.unwrap_or_default());
    let quoted = |value: Option<&str>, shown: &str| value.map_or(NOTHING.to_owned(), |_| format!("{shown:?}"));
    (quoted(one, &shown), quoted(other, &shown_other))
}

/// A text with nothing to compare it to.
pub(super) fn short(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    piece(&characters, 0, characters.len())
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

/// From here to there, with a mark where something is left out.
fn piece(text: &[char], from: usize, to: usize) -> String {
    let end = to.min(from + MOST);
    let mut piece = String::new();
    if from > 0 {
        piece.push('…');
    }
    piece.extend(&text[from..end]);
    if end < text.len() {
        piece.push('…');
    }
    piece
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_are_whole() {
        assert_eq!(parted("[1, 2]", "[1]"), ("[1, 2]".to_owned(), "[1]".to_owned()));
    }

    #[test]
    fn of_long_texts_the_place_is_shown() {
        let (same, tail) = ("a".repeat(500), "é".repeat(500));
        let (one, other) = parted(&format!("{same}1{tail}"), &format!("{same}22{tail}"));
        let (head, end) = ("a".repeat(ROUND), "é".repeat(ROUND));
        assert_eq!(one, format!("…{head}1{end}…"));
        assert_eq!(other, format!("…{head}22{end}…"));
    }

    #[test]
    fn one_that_goes_on_is_shown_where_the_other_ends() {
        let (one, other) = parted(&"ab".repeat(60), &"ab".repeat(600));
        assert!(one.starts_with('…') && one.ends_with('b') && other.ends_with('…'), "{one}\n{other}");
        assert!(other.chars().count() <= MOST + 2, "{other}");
        assert_eq!(short(&"x".repeat(1000)).chars().count(), MOST + 1);
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
