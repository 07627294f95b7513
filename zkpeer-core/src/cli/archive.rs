//! A `.charm` file: a zip archive of what Juju unpacks into a charm directory (contract 11).

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;

use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// A file in an archive.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
    pub(crate) is_program: bool,
}

/// Writes the entries, which are in the order of their names. The same entries make the same bytes.
pub(crate) fn write(to: impl Write + Seek, entries: &[Entry]) -> io::Result<()> {
    let mut archive = ZipWriter::new(to);
    for entry in entries {
        // Juju makes no `dispatch` executable that is not (contract 1.1).
        let mode = if entry.is_program { 0o755 } else { 0o644 };
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(mode);
        archive.start_file(&entry.name, options)?;
        archive.write_all(&entry.content)?;
    }
    archive.finish()?.flush()
}

/// Unpacks an archive, as Juju does on a unit.
pub(crate) fn unpack(charm: &Path) -> Result<TempDir, String> {
    let place = charm.display();
    let file = File::open(charm).map_err(|error| format!("{place}: cannot be read: {error}"))?;
    let mut archive = ZipArchive::new(file)
        .map_err(|error| format!("{place}: neither a directory nor a charm's archive: {error}"))?;
    let directory = tempfile::Builder::new().prefix("zkpeer-charm-").tempdir();
    let directory = directory.map_err(|error| format!("cannot make a temporary directory: {error}"))?;
    archive.extract(directory.path()).map_err(|error| format!("{place}: cannot be unpacked: {error}"))?;
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn entries() -> Vec<Entry> {
        let entry = |name: &str, is_program| Entry { name: name.to_owned(), content: vec![b'x'; 9], is_program };
        vec![entry("dispatch", true), entry("metadata.yaml", false)]
    }

    #[test]
    fn c1_1_the_program_is_executable_in_the_archive_and_when_it_is_unpacked() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.charm");
        write(File::create(&path).unwrap(), &entries()).unwrap();
        let unpacked = unpack(&path).unwrap();
        let mode = |name: &str| fs::metadata(unpacked.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode("dispatch"), mode("metadata.yaml")], [0o755, 0o644]);
        assert_eq!(fs::read(unpacked.path().join("metadata.yaml")).unwrap(), b"xxxxxxxxx");
    }

    #[test]
    fn the_same_files_make_the_same_archive() {
        let archive = || {
            let mut bytes = io::Cursor::new(Vec::new());
            write(&mut bytes, &entries()).unwrap();
            bytes.into_inner()
        };
        assert_eq!(archive(), archive());
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = unpack(file.path()).unwrap_err();
        assert!(error.contains("neither a directory nor a charm's archive"), "{error}");
    }
}
