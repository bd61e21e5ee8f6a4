//! EXIF blocks as bytes: small changes in place, and moving between a block and a TIFF file.
//!
//! An EXIF block is a little TIFF file (TIFF 6.0; CIPA DC-008, 4.6). It is changed in place, so
//! that maker notes, which often count from its start, keep their offsets.

use std::ops::Range;

pub(super) const ORIENTATION: u16 = 0x0112;
pub(super) const EXIF_IFD: u16 = 0x8769;
pub(super) const GPS_IFD: u16 = 0x8825;
const X_RESOLUTION: u16 = 0x011a;
const Y_RESOLUTION: u16 = 0x011b;
const RESOLUTION_UNIT: u16 = 0x0128;
const THUMBNAIL_AT: u16 = 0x0201;
const THUMBNAIL_LEN: u16 = 0x0202;

/// Tags of the first directory that describe the picture, not its storage: image description,
/// make, model, software, date, artist, copyright.
pub(super) const DESCRIPTIVE: [u16; 7] = [0x010e, 0x010f, 0x0110, 0x0131, 0x0132, 0x013b, 0x8298];

const SHORT: u16 = 3;
const LONG: u16 = 4;
/// Limits for what is copied out of a TIFF file, whose records may all name one huge value.
const MAX_RECORDS: usize = 512;
const MAX_VALUE: usize = 65_536;
/// Bytes of one directory record.
const RECORD: usize = 12;

/// An EXIF block, or the whole of a TIFF file.
#[derive(Clone, Debug)]
pub(super) struct Exif {
    bytes: Vec<u8>,
    big_endian: bool,
}

/// One record of a directory.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Where the record stands.
    at: usize,
    pub tag: u16,
    pub kind: u16,
    pub count: u32,
    /// Where its value stands: in the record when it has at most four bytes.
    value: Range<usize>,
}

/// Bytes of one value of a TIFF field type; `None` for unknown types.
pub(super) const fn kind_size(kind: u16) -> Option<usize> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 => Some(8),
        _ => None,
    }
}

impl Exif {
    /// Reads a block, with or without the `Exif\0\0` that JPEG puts in front. `None` where it is
    /// no TIFF structure with a first directory.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(b"Exif\0\0").unwrap_or(bytes);
        let big_endian = match bytes.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        let exif = Self { bytes: bytes.to_vec(), big_endian };
        exif.first()?;
        Some(exif)
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) const fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    fn read_u16(&self, at: usize) -> Option<u16> {
        let bytes: [u8; 2] = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn read_u32(&self, at: usize) -> Option<u32> {
        let bytes: [u8; 4] = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn write_u16(&mut self, at: usize, value: u16) {
        let bytes = if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        if let Some(to) = self.bytes.get_mut(at..at + 2) {
            to.copy_from_slice(&bytes);
        }
    }

    fn write_u32(&mut self, at: usize, value: u32) {
        let bytes = if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        if let Some(to) = self.bytes.get_mut(at..at + 4) {
            to.copy_from_slice(&bytes);
        }
    }

    /// The records of the directory at `at`; unreadable records are left out.
    pub(super) fn directory(&self, at: usize) -> Option<Vec<Entry>> {
        let count = usize::from(self.read_u16(at)?);
        let end = at.checked_add(2 + count * RECORD)?;
        (end <= self.bytes.len())
            .then(|| (0..count).filter_map(|index| self.entry(at + 2 + index * RECORD)).collect())
    }

    fn entry(&self, at: usize) -> Option<Entry> {
        let (tag, kind) = (self.read_u16(at)?, self.read_u16(at + 2)?);
        let count = self.read_u32(at + 4)?;
        let len = kind_size(kind)?.checked_mul(count as usize)?;
        let start = if len <= 4 { at + 8 } else { self.read_u32(at + 8)? as usize };
        let end = start.checked_add(len)?;
        (end <= self.bytes.len()).then_some(Entry { at, tag, kind, count, value: start..end })
    }

    pub(super) fn first_at(&self) -> Option<usize> {
        self.read_u32(4).map(|at| at as usize)
    }

    /// The first directory.
    pub(super) fn first(&self) -> Option<Vec<Entry>> {
        self.directory(self.first_at()?)
    }

    /// The directory that record `tag` of the first one points to.
    pub(super) fn sub_directory(&self, tag: u16) -> Option<Vec<Entry>> {
        let entry = self.first()?.into_iter().find(|entry| entry.tag == tag)?;
        self.directory(self.number(&entry)? as usize)
    }

    pub(super) fn value(&self, entry: &Entry) -> &[u8] {
        self.bytes.get(entry.value.clone()).unwrap_or_default()
    }

    fn number(&self, entry: &Entry) -> Option<u32> {
        match entry.kind {
            SHORT => self.read_u16(entry.value.start).map(u32::from),
            LONG | 13 => self.read_u32(entry.value.start),
            _ => None,
        }
    }

    fn rational(&self, entry: &Entry) -> Option<f32> {
        if entry.kind != 5 || entry.count == 0 {
            return None;
        }
        let at = entry.value.start;
        let (num, den) = (self.read_u32(at)?, self.read_u32(at + 4)?);
        (den != 0).then(|| num as f32 / den as f32)
    }

    fn find(&self, tag: u16) -> Option<Entry> {
        self.first()?.into_iter().find(|entry| entry.tag == tag)
    }

    /// EXIF orientation, 1 to 8.
    pub(super) fn orientation(&self) -> Option<u16> {
        let value = self.number(&self.find(ORIENTATION)?)?;
        (1..=8).contains(&value).then_some(value as u16)
    }

    /// Sets the orientation to 1 wherever one is stated.
    pub(super) fn reset_orientation(&mut self) {
        for entry in self.first().unwrap_or_default() {
            match (entry.tag, entry.kind) {
                (ORIENTATION, SHORT) => self.write_u16(entry.value.start, 1),
                (ORIENTATION, LONG) => self.write_u32(entry.value.start, 1),
                _ => {}
            }
        }
    }

    pub(super) fn pixels_per_inch(&self) -> Option<(f32, f32)> {
        let per_unit = |tag| self.rational(&self.find(tag)?).filter(|value| *value > 0.0);
        let factor = match self.find(RESOLUTION_UNIT).and_then(|entry| self.number(&entry)) {
            Some(3) => 2.54,
            None | Some(2) => 1.0,
            _ => return None,
        };
        Some((per_unit(X_RESOLUTION)? * factor, per_unit(Y_RESOLUTION)? * factor))
    }

    /// States the picture's extent in pixels where the block states one.
    pub(super) fn set_extent(&mut self, width: u32, height: u32) {
        let mut entries = self.first().unwrap_or_default();
        entries.extend(self.sub_directory(EXIF_IFD).unwrap_or_default());
        for entry in entries {
            let value = match entry.tag {
                0x0100 | 0xa002 => width,
                0x0101 | 0xa003 => height,
                _ => continue,
            };
            if entry.count == 1 && (entry.kind == SHORT || entry.kind == LONG) {
                self.write_u16(entry.at + 2, LONG);
                self.write_u32(entry.at + 8, value);
            }
        }
    }

    /// Removes positions: the record that points to the GPS directory, the directory and all its
    /// values, of whose bytes none stays. Maker notes are the maker's secret and stay.
    pub(super) fn remove_gps(&mut self) {
        for start in self.main_directories() {
            while let Some(entry) = self
                .directory(start)
                .and_then(|entries| entries.into_iter().find(|entry| entry.tag == GPS_IFD))
            {
                if let Some(gps_at) = self.number(&entry) {
                    self.wipe_directory(gps_at as usize);
                }
                self.remove_record(start, entry.at);
            }
        }
    }

    /// Unlinks and wipes the preview, which shows the picture as it was.
    pub(super) fn remove_thumbnail(&mut self) {
        let Some(first_at) = self.first_at() else { return };
        let Some(link_at) = self.link_at(first_at) else { return };
        let second_at = self.read_u32(link_at).unwrap_or(0) as usize;
        if second_at == 0 {
            return;
        }
        let entries = self.directory(second_at).unwrap_or_default();
        let number = |tag| {
            let entry = entries.iter().find(|entry| entry.tag == tag)?;
            self.number(entry).map(|value| value as usize)
        };
        if let (Some(at), Some(len)) = (number(THUMBNAIL_AT), number(THUMBNAIL_LEN)) {
            let end = at.saturating_add(len);
            // It usually ends the block and is most of it.
            if end >= self.bytes.len() && at > second_at.max(first_at) && at > 8 {
                self.bytes.truncate(at);
            } else {
                self.wipe(at..end);
            }
        }
        self.wipe_directory(second_at);
        self.write_u32(link_at, 0);
    }

    /// The first directory, the one chained to it, and the EXIF directory.
    fn main_directories(&self) -> Vec<usize> {
        let Some(first_at) = self.first_at() else { return Vec::new() };
        let second = self.link_at(first_at).and_then(|at| self.read_u32(at));
        let exif = self.find(EXIF_IFD).and_then(|entry| self.number(&entry));
        let further = second.into_iter().chain(exif).filter(|at| *at != 0);
        std::iter::once(first_at).chain(further.map(|at| at as usize)).collect()
    }

    /// Where the directory at `at` holds the offset of the next one.
    fn link_at(&self, at: usize) -> Option<usize> {
        let end = at.checked_add(2 + usize::from(self.read_u16(at)?) * RECORD)?;
        (end.checked_add(4)? <= self.bytes.len()).then_some(end)
    }

    fn wipe(&mut self, range: Range<usize>) {
        let end = range.end.min(self.bytes.len());
        // The header and the first directory are never part of what goes.
        if range.start >= 8 && range.start < end {
            self.bytes[range.start..end].fill(0);
        }
    }

    fn wipe_directory(&mut self, at: usize) {
        let Some(entries) = self.directory(at) else { return };
        let Some(count) = self.read_u16(at) else { return };
        for entry in entries {
            self.wipe(entry.value);
        }
        self.wipe(at..at + 2 + usize::from(count) * RECORD + 4);
    }

    /// Takes the record at `record_at` out of the directory at `at`; what follows moves up.
    fn remove_record(&mut self, at: usize, record_at: usize) {
        let count = self.read_u16(at).unwrap_or(0);
        let end = (at + 2 + usize::from(count) * RECORD + 4).min(self.bytes.len());
        if count == 0 || record_at + RECORD > end {
            return;
        }
        self.bytes.copy_within(record_at + RECORD..end, record_at);
        self.bytes[end - RECORD..end].fill(0);
        self.write_u16(at, count - 1);
    }

    /// The descriptive part of this TIFF file as a block of its own.
    pub(super) fn descriptive_block(&self) -> Option<Vec<u8>> {
        let file = self;
        let bounded = |entries: Vec<Entry>| -> Vec<Entry> {
            let small = entries.into_iter().filter(|entry| entry.value.len() <= MAX_VALUE);
            small.take(MAX_RECORDS).collect()
        };
        let mut first = bounded(file.first()?);
        first.retain(|entry| DESCRIPTIVE.contains(&entry.tag));
        let sub = |tag| file.sub_directory(tag).map(bounded).filter(|entries| !entries.is_empty());
        let (exif, gps) = (sub(EXIF_IFD), sub(GPS_IFD));
        if first.is_empty() && exif.is_none() && gps.is_none() {
            return None;
        }
        let mut block = Self { bytes: file.bytes.get(..4)?.to_vec(), big_endian: file.big_endian };
        block.bytes.extend([0; 4]);
        block.write_u32(4, 8);
        let links = [(EXIF_IFD, exif), (GPS_IFD, gps)];
        let link_count = links.iter().filter(|(_, entries)| entries.is_some()).count();
        let links_at = block.append_directory(file, &first, link_count);
        let present = links.into_iter().filter_map(|(tag, entries)| Some((tag, entries?)));
        for (index, (tag, entries)) in present.enumerate() {
            let at = links_at + index * RECORD;
            let directory_at = block.bytes.len() as u32;
            block.write_u16(at, tag);
            block.write_u16(at + 2, LONG);
            block.write_u32(at + 4, 1);
            block.write_u32(at + 8, directory_at);
            block.append_directory(file, &entries, 0);
        }
        Some(block.bytes)
    }

    /// Appends a copy of `entries` of `source` as a directory with room for `links` more records,
    /// and answers where that room is.
    fn append_directory(&mut self, source: &Self, entries: &[Entry], links: usize) -> usize {
        let at = self.bytes.len();
        let records = entries.len() + links;
        self.bytes.resize(at + 2 + records * RECORD + 4, 0);
        self.write_u16(at, records as u16);
        for (index, entry) in entries.iter().enumerate() {
            let record = at + 2 + index * RECORD;
            self.write_u16(record, entry.tag);
            self.write_u16(record + 2, entry.kind);
            self.write_u32(record + 4, entry.count);
            let value = source.value(entry);
            if value.len() <= 4 {
                self.bytes[record + 8..record + 8 + value.len()].copy_from_slice(value);
            } else {
                let value_at = self.bytes.len() as u32;
                self.write_u32(record + 8, value_at);
                self.bytes.extend_from_slice(value);
                // Values start on a word boundary.
                self.bytes.resize(self.bytes.len().next_multiple_of(2), 0);
            }
        }
        at + 2 + entries.len() * RECORD
    }
}
