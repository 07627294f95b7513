//! A text split into words as a shell does, as far as handlers' conditions need it.

/// The words of a text: quotes and backslashes mean what they mean in a POSIX shell, nothing else is special.
pub(super) fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                let (inside, after) = rest.as_str().split_once('\'').ok_or(UNCLOSED)?;
                word.push_str(inside);
                rest = after.chars();
            }
            '"' => double_quoted(word.get_or_insert_default(), &mut rest)?,
            '\\' => word.get_or_insert_default().push(rest.next().ok_or("there is nothing behind the last backslash")?),
            c if c.is_ascii_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

const UNCLOSED: &str = "a quote is not closed";

/// Between double quotes a backslash quotes itself and the quote only.
fn double_quoted(word: &mut String, rest: &mut std::str::Chars<'_>) -> Result<(), &'static str> {
    loop {
        match rest.next().ok_or(UNCLOSED)? {
            '"' => return Ok(()),
            '\\' => match rest.next().ok_or(UNCLOSED)? {
                quoted @ ('"' | '\\') => word.push(quoted),
                other => word.extend(['\\', other]),
            },
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        for (text, words) in [
            ("", &[][..]),
            (" a  b\tc\n", &["a", "b", "c"]),
            (r#"'f' 'a b' "c d" e\ f"#, &["f", "a b", "c d", "e f"]),
            (r#"a'b'"c" '' """#, &["abc", "", ""]),
            (r#""\"\\\x""#, &[r#""\\x"#]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
        for text in ["'a", "\"a", "\"a\\", "a\\"] {
            assert!(split(text).is_err(), "{text}");
        }
    }
}
