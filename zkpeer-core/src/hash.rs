//! Hashes of texts and files, as hexadecimal digits: what charms.reactive keeps of a value to see that it has changed.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use md5::Md5;
use md5::digest::{Digest, DynDigest};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use crate::error::Error;

/// How a value is hashed to see that it has changed: `hash_type` in charms.reactive, with the same default.
///
/// Another one than the default is for what a Python charm has stored with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hash {
    /// `md5`, the default.
    #[default]
    Md5,
    /// `sha1`.
    Sha1,
    /// `sha224`.
    Sha224,
    /// `sha256`.
    Sha256,
    /// `sha384`.
    Sha384,
    /// `sha512`.
    Sha512,
}

impl Hash {
    fn begin(self) -> Box<dyn DynDigest> {
        match self {
            Self::Md5 => Box::new(Md5::new()),
            Self::Sha1 => Box::new(Sha1::new()),
            Self::Sha224 => Box::new(Sha224::new()),
            Self::Sha256 => Box::new(Sha256::new()),
            Self::Sha384 => Box::new(Sha384::new()),
            Self::Sha512 => Box::new(Sha512::new()),
        }
    }

    /// The hash of a text.
    pub(crate) fn of_text(self, text: &str) -> String {
        let mut hash = self.begin();
        hash.update(text.as_bytes());
        digits(hash)
    }

    /// The hash of a file's content; none if there is no such file.
    pub(crate) fn of_file(self, path: &Path) -> Result<Option<String>, Error> {
        match self.read(path) {
            Ok(hash) => Ok(Some(hash)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(source) => Err(Error::Read { path: path.to_owned(), source }),
        }
    }

    fn read(self, path: &Path) -> io::Result<String> {
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let mut file = File::open(path)?;
        let mut hash = self.begin();
        let mut chunk = [0; 16 * 1024];
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok(digits(hash)),
                read => hash.update(&chunk[..read]),
            }
        }
    }
}

fn digits(hash: Box<dyn DynDigest>) -> String {
    let nibbles = hash.finalize().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_python() {
        let begins = |hash: Hash| hash.of_text("abc")[..8].to_owned();
        let hashes = [Hash::Md5, Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512];
        let of_python = ["90015098", "a9993e36", "23097d22", "ba7816bf", "cb00753f", "ddaf35a1"];
        assert_eq!(hashes.map(begins), of_python);
        assert_eq!(Hash::default().of_text(""), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
