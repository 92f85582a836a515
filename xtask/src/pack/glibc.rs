//! The version of the GNU C library that a program needs.

use std::fmt;

use anyhow::{Context, Result};
use object::elf;
use object::read::elf::FileHeader;

/// A version such as 2.39.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub(super) u32, pub(super) u32);

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.0, self.1)
    }
}

/// The newest version of the GNU C library that a 64-bit ELF program asks for; `None` for a static
/// program.
pub(super) fn needed(program: &[u8]) -> Result<Option<Version>> {
    let header = elf::FileHeader64::<object::Endianness>::parse(program)
        .context("the program is not a 64-bit ELF file")?;
    let endian = header.endian()?;
    let sections = header.sections(endian, program)?;
    let Some((mut libraries, link)) = sections.gnu_verneed(endian, program)? else {
        return Ok(None);
    };
    let strings = sections.strings(endian, program, link)?;
    let mut newest = None;
    while let Some((_, mut versions)) = libraries.next()? {
        while let Some(version) = versions.next()? {
            let name = version.name(endian, strings)?;
            newest = newest.max(parse(&String::from_utf8_lossy(name)));
        }
    }
    Ok(newest)
}

/// Parses `GLIBC_2.34`; a third number, as in `GLIBC_2.2.5`, does not count.
fn parse(name: &str) -> Option<Version> {
    let mut numbers = name.strip_prefix("GLIBC_")?.split('.');
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next()?.parse().ok()?;
    Some(Version(major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(parse("GLIBC_2.34"), Some(Version(2, 34)));
        assert_eq!(parse("GLIBC_2.2.5"), Some(Version(2, 2)));
        assert_eq!(parse("GLIBC_PRIVATE"), None);
        assert_eq!(parse("GCC_3.0"), None);
        assert!(parse("GLIBC_2.4") < parse("GLIBC_2.34"));
    }

    /// The linker that Rust needs comes with readelf.
    #[test]
    fn readelf_sees_the_same_version() {
        let program = std::env::current_exe().unwrap();
        let output = Command::new("readelf")
            .arg("--version-info")
            .arg(&program)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let expected = text.split_whitespace().filter_map(parse).max();
        assert!(expected.is_some(), "{text}");
        assert_eq!(needed(&std::fs::read(program).unwrap()).unwrap(), expected);
    }

    #[test]
    fn what_is_not_a_program_is_an_error() {
        let error = needed(b"#!/bin/sh\n").unwrap_err();
        assert!(error.to_string().contains("ELF"), "{error}");
    }
}
