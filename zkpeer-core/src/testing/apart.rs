//! Two texts that differ, each shortened round the place where they do.

/// Texts up to this length are shown whole.
const WHOLE: usize = 100;
/// How much is shown of what they have in common, before and after the place.
const ROUND: usize = 30;
/// How much is shown of the place itself.
const MOST: usize = 160;

/// Both, of a long text what differs and what is round it.
pub(crate) fn apart(one: &str, other: &str) -> (String, String) {
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

/// A text with nothing to compare it to.
pub(crate) fn shortened(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    piece(&characters, 0, characters.len())
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
        assert_eq!(apart("[1, 2]", "[1]"), ("[1, 2]".to_owned(), "[1]".to_owned()));
    }

    #[test]
    fn of_long_texts_the_place_is_shown() {
        let (same, tail) = ("a".repeat(500), "é".repeat(500));
        let (one, other) = apart(&format!("{same}1{tail}"), &format!("{same}22{tail}"));
        let (head, end) = ("a".repeat(ROUND), "é".repeat(ROUND));
        assert_eq!(one, format!("…{head}1{end}…"));
        assert_eq!(other, format!("…{head}22{end}…"));
    }

    #[test]
    fn one_that_goes_on_is_shown_where_the_other_ends() {
        let (one, other) = apart(&"ab".repeat(60), &"ab".repeat(600));
        assert!(one.starts_with('…') && one.ends_with('b') && other.ends_with('…'), "{one}\n{other}");
        assert!(other.chars().count() <= MOST + 2, "{other}");
        assert_eq!(shortened(&"x".repeat(1000)).chars().count(), MOST + 1);
    }
}
