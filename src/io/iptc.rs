//! IPTC-IIM records (captions, keywords, rights) in their Photoshop image resource blocks.

use std::ops::Range;

/// Photoshop's resource of IPTC-NAA records (Adobe, Photoshop File Formats Specification).
const RESOURCE: u16 = 0x0404;
/// Tag marker of an IIM data set (IPTC, IIM 4.2, 1.5).
const MARKER: u8 = 0x1c;
/// The application record's data sets that name a place: content location code and name, city,
/// sublocation, province, country code and name (IIM 4.2, 6).
const PLACES: &[u8] = &[26, 27, 90, 92, 95, 100, 101];

/// The records inside image resource blocks; `None` where there are none or they are damaged.
pub(super) fn find(blocks: &[u8]) -> Option<&[u8]> {
    let mut at = 0;
    loop {
        let head = blocks.get(at..at + 7)?;
        if &head[..4] != b"8BIM" {
            return None;
        }
        let id = u16::from_be_bytes([head[4], head[5]]);
        // A name with its length before it, padded to an even number of bytes.
        let name = (usize::from(head[6]) + 2) & !1;
        let start = at + 6 + name;
        let len = blocks.get(start..start + 4)?;
        let len = u32::from_be_bytes([len[0], len[1], len[2], len[3]]) as usize;
        let body = start + 4..(start + 4).checked_add(len)?;
        let found = blocks.get(body.clone())?;
        if id == RESOURCE {
            return Some(found).filter(|records| !records.is_empty());
        }
        at = body.end + len % 2;
    }
}

/// The records as one image resource block.
pub(super) fn wrap(records: &[u8]) -> Vec<u8> {
    let mut block = b"8BIM\x04\x04\0\0".to_vec();
    block.extend((records.len() as u32).to_be_bytes());
    block.extend(records);
    block.resize(block.len() + records.len() % 2, 0);
    block
}

/// The records without those that name a place; `None` where nothing is left, or where they
/// cannot be told apart.
pub(super) fn without_places(records: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < records.len() {
        let set = data_set(records, at)?;
        let (record, number) = (records[at + 1], records[at + 2]);
        if !(record == 2 && PLACES.contains(&number)) {
            kept.extend(&records[set.clone()]);
        }
        at = set.end;
    }
    (!kept.is_empty()).then_some(kept)
}

/// The extent of the data set at `at`, header and all.
fn data_set(records: &[u8], at: usize) -> Option<Range<usize>> {
    let head = records.get(at..at + 5).filter(|head| head[0] == MARKER)?;
    let len = u16::from_be_bytes([head[3], head[4]]);
    let (bytes, len) = if len & 0x8000 == 0 {
        (5, usize::from(len))
    } else {
        // Extended: the lower bits tell how many bytes hold the length.
        let count = usize::from(len & 0x7fff);
        let digits = records.get(at + 5..at + 5 + count).filter(|_| count <= 4)?;
        (5 + count, digits.iter().fold(0usize, |len, digit| len << 8 | usize::from(*digit)))
    };
    let end = (at + bytes).checked_add(len).filter(|end| *end <= records.len())?;
    Some(at..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLE: &[u8] = b"\x1c\x02\x05\0\x05Title";
    const CITY: &[u8] = b"\x1c\x02\x5a\0\x04Bern";
    const LONG: &[u8] = b"\x1c\x02\x78\x80\x02\0\x03abc";

    #[test]
    fn records_are_found_behind_other_resources() {
        let records = [TITLE, CITY].concat();
        let mut blocks = b"8BIM\x04\x0c\x03abc\0\0\0\x03xyz\0".to_vec();
        blocks.splice(7..7, []);
        blocks.extend(wrap(&records));
        assert_eq!(find(&blocks), Some(&records[..]));
        assert_eq!(find(&wrap(&records)), Some(&records[..]));
        for end in 0..blocks.len() - 1 {
            assert!(find(&blocks[..end]).is_none() || end >= blocks.len() - 1, "{end}");
        }
        assert_eq!(find(b"8BIM\x04\x04\0\0\xff\xff\xff\xff"), None);
    }

    #[test]
    fn places_go_and_the_rest_stays() {
        let records = [TITLE, CITY, LONG].concat();
        assert_eq!(without_places(&records).unwrap(), [TITLE, LONG].concat());
        assert_eq!(without_places(CITY), None);
        assert_eq!(without_places(b"\x1c\x02\x05\0\xffshort"), None);
        assert_eq!(without_places(b"no records"), None);
    }
}
