//! Base64 with padding, as the content of secrets is kept.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Encodes bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = char::from(ALPHABET[(group >> (18 - 6 * place) & 63) as usize]);
            out.push(if place <= chunk.len() { digit } else { '=' });
        }
    }
    out
}

/// Decodes text; line ends are skipped. The error is the place of the first byte that does not belong there.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, usize> {
    let bytes: Vec<(usize, u8)> = text.bytes().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n')).collect();
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    for (index, chunk) in bytes.chunks(4).enumerate() {
        let last = (index + 1) * 4 >= bytes.len();
        let padding = chunk.iter().rev().take_while(|(_, byte)| *byte == b'=').count();
        let mut group = 0;
        for (at, byte) in &chunk[..chunk.len() - padding] {
            let digit = ALPHABET.iter().position(|digit| digit == byte).ok_or(*at)?;
            group = group << 6 | u32::try_from(digit).unwrap_or_default();
        }
        if chunk.len() < 4 || padding > 2 || (padding > 0 && !last) {
            return Err(chunk
                .last()
                .map_or(text.len(), |_| chunk[chunk.len() - padding.min(chunk.len() - 1) - 1].0 + 1));
        }
        group <<= 6 * padding;
        out.extend(group.to_be_bytes()[1..4 - padding].iter());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("\0\u{ff}", "AMO/")]
        {
            assert_eq!(encode(plain.as_bytes()), coded);
            assert_eq!(decode(coded).as_deref(), Ok(plain.as_bytes()));
        }
        assert_eq!(decode("Zm9\nvYg=="), Ok(b"foob".to_vec()));
        assert_eq!(decode("Z!=="), Err(1));
        for wrong in ["Z", "Zg", "Zg=", "Zg==Zg==", "===="] {
            assert!(decode(wrong).is_err(), "{wrong}");
        }
    }
}
