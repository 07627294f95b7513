//! What the header of a program says of it: for which machine it is, and what it needs there.

/// A program for Linux, as far as it matters to a charm.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// Juju's name for the machine.
    pub(crate) architecture: &'static str,
    /// It needs nothing that the machine would have to have.
    pub(crate) is_static: bool,
    /// It has no symbols.
    pub(crate) is_stripped: bool,
}

/// The program header that names the dynamic linker.
const PT_INTERP: u32 = 3;
/// The section with the symbols.
const SHT_SYMTAB: u32 = 2;

/// Reads the header; none if this is no program for a 64-bit machine that Juju has a name for.
pub(crate) fn read(bytes: &[u8]) -> Option<Program> {
    let file = File { bytes, big: *bytes.get(5)? == 2 };
    if !bytes.starts_with(b"\x7fELF\x02") {
        return None;
    }
    let architecture = match (file.number(18, 2)?, file.big) {
        (62, false) => "amd64",
        (183, false) => "arm64",
        (243, false) => "riscv64",
        (21, false) => "ppc64el",
        (22, true) => "s390x",
        _ => return None,
    };
    let segments =
        file.kinds(Table { at: file.number(32, 8)?, size: file.number(54, 2)?, count: file.number(56, 2)? }, 0)?;
    let sections =
        file.kinds(Table { at: file.number(40, 8)?, size: file.number(58, 2)?, count: file.number(60, 2)? }, 4)?;
    Some(Program {
        architecture,
        is_static: !segments.contains(&PT_INTERP),
        is_stripped: !sections.contains(&SHT_SYMTAB),
    })
}

struct File<'b> {
    bytes: &'b [u8],
    /// Numbers begin with their highest byte.
    big: bool,
}

/// Where entries of one size follow one another.
struct Table {
    at: u64,
    size: u64,
    count: u64,
}

impl File<'_> {
    fn number(&self, at: u64, length: usize) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let bytes = self.bytes.get(at..at.checked_add(length)?)?;
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) })
    }

    /// The kind of each entry, which stands so many bytes behind its beginning.
    fn kinds(&self, table: Table, behind: u64) -> Option<Vec<u32>> {
        let kind = |index: u64| {
            let at = index.checked_mul(table.size)?.checked_add(table.at)?.checked_add(behind)?;
            u32::try_from(self.number(at, 4)?).ok()
        };
        (0..table.count).map(kind).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header with one segment and one section.
    fn program(machine: u8, segment: u8, section: u8) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56 + 64];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        for (at, number) in [(18, machine), (32, 64), (40, 120), (54, 56), (56, 1), (58, 64), (60, 1)] {
            bytes[at] = number;
        }
        bytes[64] = segment;
        bytes[124] = section;
        bytes
    }

    #[test]
    fn a_static_program_names_no_dynamic_linker() {
        let one = |is_static, is_stripped| Some(Program { architecture: "amd64", is_static, is_stripped });
        assert_eq!(read(&program(62, 1, 1)), one(true, true));
        assert_eq!(read(&program(62, 3, 1)), one(false, true));
        assert_eq!(read(&program(62, 1, 2)), one(true, false));
        assert_eq!(read(&program(183, 1, 1)).unwrap().architecture, "arm64");
    }

    #[test]
    fn what_is_cut_off_or_none_is_none() {
        let whole = program(62, 1, 2);
        for length in 0..128 {
            assert_eq!(read(&whole[..length]), None, "{length}");
        }
        assert_eq!(read(b"#!/bin/sh\n"), None);
        assert_eq!(read(&program(40, 1, 1)), None, "a machine of 32 bits");
    }

    #[test]
    fn numbers_may_begin_with_their_highest_byte() {
        let mut bytes = vec![0; 64];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x02");
        bytes[19] = 22;
        assert_eq!(read(&bytes).unwrap().architecture, "s390x");
    }
}
