//! Zip archives of plainly stored entries (PKWARE APPNOTE 6.3): what is in them is compressed
//! already.
//!
//! A reader of stored entries cannot be made to unpack anything, and every length is checked
//! against the file. Names are plain relative paths, each used once.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom, Write};

use super::Fault;

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const LOCAL_BYTES: u64 = 30;
const CENTRAL_BYTES: usize = 46;
const END_BYTES: usize = 22;
/// The archive's comment is at most this long.
const MAX_COMMENT: usize = 65_535;
/// Most entries of one archive.
const MAX_ENTRIES: usize = 16_384;
/// Longest name of an entry.
const MAX_NAME: usize = 128;
/// 1 January 1980, the first day of this clock: the same document gives the same file.
const DATE: u16 = 0x21;
/// Version 2.0 of the format, made by MS-DOS: no attributes.
const VERSION: u16 = 20;

struct Entry {
    name: String,
    /// Of the local header.
    at: u32,
    length: u32,
    crc: u32,
}

/// Writes an archive, entry by entry.
pub(super) struct Writer<W> {
    out: W,
    at: u64,
    entries: Vec<Entry>,
}

impl<W: Write> Writer<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out, at: 0, entries: Vec::new() }
    }

    /// Adds an entry. The caller's names are plain and different.
    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let too_large = |_| Fault::Refused("a project file is smaller than 4 GiB".into());
        let at = u32::try_from(self.at).map_err(too_large)?;
        let length = u32::try_from(bytes.len()).map_err(too_large)?;
        let entry = Entry { name: name.into(), at, length, crc: crc32(bytes) };
        let mut header = LOCAL.to_vec();
        entry.put_facts(&mut header);
        header.extend(name.as_bytes());
        self.out.write_all(&header)?;
        self.out.write_all(bytes)?;
        self.at += (header.len() + bytes.len()) as u64;
        self.entries.push(entry);
        Ok(())
    }

    /// Writes the table of contents.
    pub(super) fn finish(mut self) -> Result<(), Fault> {
        let mut table = Vec::new();
        for entry in &self.entries {
            table.extend(CENTRAL);
            table.extend(VERSION.to_le_bytes());
            entry.put_facts(&mut table);
            // No comment, on the first disk, no attributes.
            table.extend([0; 10]);
            table.extend(entry.at.to_le_bytes());
            table.extend(entry.name.as_bytes());
        }
        let (length, count) = (table.len() as u32, self.entries.len() as u16);
        let at = u32::try_from(self.at)
            .map_err(|_| Fault::Refused("a project file is smaller than 4 GiB".into()))?;
        table.extend(END);
        table.extend([0; 4]);
        table.extend(count.to_le_bytes());
        table.extend(count.to_le_bytes());
        table.extend(length.to_le_bytes());
        table.extend(at.to_le_bytes());
        table.extend([0; 2]);
        self.out.write_all(&table)?;
        Ok(self.out.flush()?)
    }
}

impl Entry {
    /// What both headers say of an entry.
    fn put_facts(&self, header: &mut Vec<u8>) {
        header.extend(VERSION.to_le_bytes());
        // No flags, stored, midnight.
        header.extend([0; 6]);
        header.extend(DATE.to_le_bytes());
        header.extend(self.crc.to_le_bytes());
        header.extend(self.length.to_le_bytes());
        header.extend(self.length.to_le_bytes());
        header.extend((self.name.len() as u16).to_le_bytes());
        header.extend([0; 2]);
    }
}

/// An archive's table of contents and its file.
pub(super) struct Archive<R> {
    file: R,
    entries: BTreeMap<String, Place>,
}

/// Where an entry's bytes lie.
struct Place {
    at: u64,
    length: u64,
    crc: u32,
}

impl<R: Read + Seek> Archive<R> {
    pub(super) fn open(mut file: R) -> Result<Self, Fault> {
        let end = file.seek(SeekFrom::End(0))?;
        let (table, table_at) = read_table(&mut file, end)?;
        let mut entries = BTreeMap::new();
        let mut spans = Vec::new();
        let mut rest = table.as_slice();
        while !rest.is_empty() {
            let (entry, after) = central_entry(rest)?;
            rest = after;
            let place = place(&mut file, &entry, table_at)?;
            spans.push((u64::from(entry.at), place.at + place.length));
            let name = entry.name.clone();
            if entries.insert(entry.name, place).is_some() {
                return Err(Fault::Refused(format!("it has two entries '{name}'")));
            }
            if entries.len() > MAX_ENTRIES {
                return Err(Fault::Refused(format!("it has more than {MAX_ENTRIES} entries")));
            }
        }
        spans.sort_unstable();
        if spans.windows(2).any(|pair| pair[0].1 > pair[1].0) {
            return Err(Fault::Refused("its entries overlap".into()));
        }
        Ok(Self { file, entries })
    }

    /// The bytes of an entry of at most `most` bytes.
    pub(super) fn read(&mut self, name: &str, most: u64) -> Result<Vec<u8>, Fault> {
        let place = self.entries.get(name);
        let place =
            place.ok_or_else(|| Fault::Damaged(format!("its entry '{name}' is missing")))?;
        if place.length > most {
            let reason = format!("its entry '{name}' has {} bytes", place.length);
            return Err(Fault::Refused(reason));
        }
        // The length was checked against the file.
        let mut bytes = vec![0; place.length as usize];
        self.file.seek(SeekFrom::Start(place.at))?;
        self.file.read_exact(&mut bytes)?;
        if crc32(&bytes) != place.crc {
            return Err(Fault::Damaged(format!("its entry '{name}' fails its checksum")));
        }
        Ok(bytes)
    }
}

fn ends_early() -> Fault {
    Fault::Damaged("it ends early, or is no zip archive".into())
}

/// The table of contents and where it begins.
fn read_table(file: &mut (impl Read + Seek), end: u64) -> Result<(Vec<u8>, u64), Fault> {
    let tail_bytes = end.min((END_BYTES + MAX_COMMENT) as u64);
    file.seek(SeekFrom::Start(end - tail_bytes))?;
    let mut tail = vec![0; tail_bytes as usize];
    file.read_exact(&mut tail)?;
    // The record whose comment reaches to the end of the file.
    let at = (0..=tail.len().saturating_sub(END_BYTES)).rev().find(|&at| {
        let record = &tail[at..];
        record.starts_with(&END)
            && u16_at(record, 20)
                .is_some_and(|comment| END_BYTES + usize::from(comment) == record.len())
    });
    let record = &tail[at.ok_or_else(ends_early)?..];
    let field = |at| u16_at(record, at).ok_or_else(ends_early);
    let long = |at| u32_at(record, at).ok_or_else(ends_early);
    let (disks, count, all) = (field(4)? | field(6)?, field(8)?, field(10)?);
    let (length, table_at) = (long(12)?, u64::from(long(16)?));
    if disks != 0 || count != all || count == u16::MAX {
        return Err(Fault::Refused("it is split, or a zip of another size".into()));
    }
    let record_at = end - record.len() as u64;
    let most = MAX_ENTRIES * (CENTRAL_BYTES + MAX_NAME);
    if length as usize > most {
        return Err(Fault::Refused(format!("its table of contents has {length} bytes")));
    }
    if table_at + u64::from(length) != record_at {
        return Err(Fault::Damaged("its table of contents is not where it should be".into()));
    }
    let mut table = vec![0; length as usize];
    file.seek(SeekFrom::Start(table_at))?;
    file.read_exact(&mut table)?;
    Ok((table, table_at))
}

/// One entry of the table, and what follows it.
fn central_entry(table: &[u8]) -> Result<(Entry, &[u8]), Fault> {
    let short = |at| u16_at(table, at).ok_or_else(ends_early);
    let long = |at| u32_at(table, at).ok_or_else(ends_early);
    if !table.starts_with(&CENTRAL) {
        return Err(Fault::Damaged("its table of contents is damaged".into()));
    }
    let (flags, method) = (short(8)?, short(10)?);
    let (crc, packed, length, at) = (long(16)?, long(20)?, long(24)?, long(42)?);
    let [name_len, extra_len, comment_len] = [short(28)?, short(30)?, short(32)?].map(usize::from);
    let name = table.get(CENTRAL_BYTES..CENTRAL_BYTES + name_len).ok_or_else(ends_early)?;
    let name = plain_name(name)?.to_owned();
    if flags & 1 != 0 {
        return Err(Fault::Refused(format!("its entry '{name}' is encrypted")));
    }
    if method != 0 || packed != length {
        let reason = format!("its entry '{name}' is compressed; a project's entries are stored");
        return Err(Fault::Refused(reason));
    }
    let end = CENTRAL_BYTES + name_len + extra_len + comment_len;
    let rest = table.get(end..).ok_or_else(ends_early)?;
    Ok((Entry { name, at, length, crc }, rest))
}

/// Where the bytes of an entry lie: behind a local header of the same name, before the table.
fn place(file: &mut (impl Read + Seek), entry: &Entry, table_at: u64) -> Result<Place, Fault> {
    let damaged =
        || Fault::Damaged(format!("its entry '{}' is not where it should be", entry.name));
    let at = u64::from(entry.at);
    if at + LOCAL_BYTES > table_at {
        return Err(damaged());
    }
    let mut header = [0; LOCAL_BYTES as usize];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut header)?;
    let lengths = (u16_at(&header, 26), u16_at(&header, 28));
    let (Some(name_len), Some(extra_len)) = lengths else { return Err(damaged()) };
    let mut name = vec![0; usize::from(name_len)];
    let start = at + LOCAL_BYTES + u64::from(name_len) + u64::from(extra_len);
    if !header.starts_with(&LOCAL) || start + u64::from(entry.length) > table_at {
        return Err(damaged());
    }
    file.read_exact(&mut name)?;
    if name != entry.name.as_bytes() {
        return Err(damaged());
    }
    Ok(Place { at: start, length: entry.length.into(), crc: entry.crc })
}

/// A relative path of plain words, which can mean nothing else anywhere.
fn plain_name(name: &[u8]) -> Result<&str, Fault> {
    let text = std::str::from_utf8(name).unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let words = text
        .split('/')
        .all(|word| !word.is_empty() && !word.starts_with('.') && word.chars().all(allowed));
    if words && name.len() <= MAX_NAME {
        return Ok(text);
    }
    let shown: String = String::from_utf8_lossy(name).chars().take(60).collect();
    Err(Fault::Refused(format!("its entry has the name {shown:?}")))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The checksum of zip and PNG (ISO 3309), a byte at a time.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut n = 0;
        while n < 256 {
            let mut value = n as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { value >> 1 ^ 0xedb8_8320 } else { value >> 1 };
                bit += 1;
            }
            table[n] = value;
            n += 1;
        }
        table
    };
    !bytes.iter().fold(u32::MAX, |crc, byte| crc >> 8 ^ TABLE[usize::from(crc as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_standard_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
