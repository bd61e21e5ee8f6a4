//! EXIF through the door and out again: orientation, positions, previews, maker notes.

use exif::{In, Tag};
use ganvas::color::WorkingProfile;
use ganvas::document::Metadata;
use ganvas::geom::Size;
use ganvas::io::{
    Format, Limits, MetadataPolicy, Notice, SaveOptions, decode, encode_to_vec, exif_summary,
};
use ganvas::pixels::{Depth, PixelBuf};

use super::io_open::opened;

const MAKER_NOTE: &[u8] = b"maker's own bytes, counted from the start";
const LATITUDE: [u32; 6] = [28, 1, 34, 1, 2424, 100];
const PREVIEW: &[u8] = b"\xff\xd8 a preview of the uncropped picture \xff\xd9";

/// A block as cameras write it, in either byte order.
struct Block {
    bytes: Vec<u8>,
    big: bool,
}

impl Block {
    fn short(&mut self, value: u16) -> &mut Self {
        self.bytes.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    fn long(&mut self, value: u32) -> &mut Self {
        self.bytes.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    fn record(&mut self, tag: u16, kind: u16, count: u32, value: u32) -> &mut Self {
        self.short(tag).short(kind).long(count);
        // A short stands in the first two bytes of the field.
        if kind == 3 { self.short(value as u16).short(0) } else { self.long(value) }
    }

    /// Orientation 6, an EXIF directory with extent and maker note, a GPS directory, a preview.
    fn camera(big: bool) -> Vec<u8> {
        let mut block = Self { bytes: if big { b"MM".to_vec() } else { b"II".to_vec() }, big };
        block.short(42).long(8);
        block.short(3).record(0x0112, 3, 1, 6).record(0x8769, 4, 1, 50).record(0x8825, 4, 1, 140);
        block.long(200);
        assert_eq!(block.bytes.len(), 50);
        block.short(3).record(0x927c, 7, MAKER_NOTE.len() as u32, 92);
        block.record(0xa002, 4, 1, 4000).record(0xa003, 3, 1, 3000).long(0);
        assert_eq!(block.bytes.len(), 92);
        block.bytes.extend(MAKER_NOTE);
        block.bytes.resize(140, 0);
        block.short(2).record(1, 2, 2, 0x4e00_004e).record(2, 5, 3, 170).long(0);
        assert_eq!(block.bytes.len(), 170);
        for number in LATITUDE {
            block.long(number);
        }
        block.bytes.resize(200, 0);
        block.short(2).record(0x0201, 4, 1, 230).record(0x0202, 4, 1, PREVIEW.len() as u32);
        block.long(0);
        assert_eq!(block.bytes.len(), 230);
        block.bytes.extend(PREVIEW);
        block.bytes
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn latitude_bytes(big: bool) -> Vec<u8> {
    let numbers = LATITUDE.iter();
    numbers.flat_map(|n| if big { n.to_be_bytes() } else { n.to_le_bytes() }).collect()
}

/// Writes a picture of 5×4 pixels with `exif` and reads it back.
fn through(exif: &[u8], format: Format, policy: MetadataPolicy) -> (Vec<u8>, Metadata, Size) {
    let pixels = PixelBuf::filled(Size::new(5, 4), 4, Depth::U8, [9, 99, 199, 255]);
    let metadata = Metadata { exif: Some(exif.into()), ..Metadata::default() };
    let options = SaveOptions { metadata: policy, ..SaveOptions::new(format) };
    let (bytes, _) = encode_to_vec(&pixels, &WorkingProfile::srgb(), &metadata, &options).unwrap();
    let read = decode(&bytes, &Limits::default()).unwrap();
    (bytes, read.metadata, read.pixels.size())
}

#[test]
fn positions_and_previews_go_and_maker_notes_keep_their_place() {
    for big in [false, true] {
        let camera = Block::camera(big);
        assert!(holds(&camera, &latitude_bytes(big)) && holds(&camera, PREVIEW));
        let (file, metadata, size) = through(&camera, Format::Png, MetadataPolicy::NoGps);
        assert!(!holds(&file, &latitude_bytes(big)), "big endian: {big}");
        assert!(!holds(&file, b"preview"), "big endian: {big}");
        // Written with orientation 6 still in it, the reader turned it and reset the block.
        assert_eq!(size, Size::new(4, 5));
        let block = metadata.exif.unwrap();
        assert_eq!(&block[92..92 + MAKER_NOTE.len()], MAKER_NOTE);
        let fields = exif::Reader::new().read_raw(block.to_vec()).unwrap();
        let number = |tag| fields.get_field(tag, In::PRIMARY).unwrap().value.get_uint(0);
        assert_eq!(number(Tag::Orientation), Some(1));
        assert_eq!(number(Tag::PixelXDimension), Some(5));
        assert_eq!(number(Tag::PixelYDimension), Some(4));
        assert!(fields.fields().all(|field| field.tag.context() != exif::Context::Gps));
        assert!(fields.fields().all(|field| field.ifd_num == In::PRIMARY));
    }
}

#[test]
fn positions_stay_where_they_are_wanted() {
    for big in [false, true] {
        let (file, metadata, _) = through(&Block::camera(big), Format::Png, MetadataPolicy::Keep);
        assert!(holds(&file, &latitude_bytes(big)));
        assert!(!holds(&file, b"preview"));
        let names: Vec<_> = exif_summary(&metadata.exif.unwrap(), 100);
        let latitude = names.iter().find(|(name, _)| name == "GPSLatitude");
        assert!(latitude.is_some_and(|(_, value)| value.starts_with("28 deg 34 min")), "{names:?}");
    }
}

#[test]
fn a_camera_file_keeps_its_facts_in_every_format() {
    let camera = opened("exif-orientation6-gps.jpg");
    assert_eq!((camera.source.orientation, camera.pixels.size()), (6, Size::new(480, 320)));
    let block = camera.metadata.exif.unwrap();
    for format in [Format::Jpeg, Format::Png, Format::WebP, Format::Tiff] {
        for policy in [MetadataPolicy::Keep, MetadataPolicy::NoGps] {
            let (_, metadata, size) = through(&block, format, policy);
            assert_eq!(size, Size::new(5, 4), "an orientation was left in {format}");
            let fields = exif_summary(&metadata.exif.unwrap(), 100);
            let value = |name: &str| {
                fields.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
            };
            assert_eq!(value("Make"), Some("TestCam"), "{format}: {fields:?}");
            assert_eq!(value("DateTimeOriginal"), Some("2024-02-29 12:34:56"), "{format}");
            assert_eq!(value("GPSLatitude").is_some(), policy == MetadataPolicy::Keep, "{format}");
            assert_eq!(value("GPSAltitude").is_some(), policy == MetadataPolicy::Keep, "{format}");
        }
    }
}

#[test]
fn hostile_blocks_do_no_harm() {
    let camera = Block::camera(true);
    let try_both = |block: &[u8]| {
        for format in [Format::Png, Format::Tiff] {
            for policy in [MetadataPolicy::Keep, MetadataPolicy::NoGps] {
                through(block, format, policy);
            }
        }
    };
    for len in 0..camera.len() {
        try_both(&camera[..len]);
    }
    let mut seed = 7_u32;
    for _ in 0..400 {
        let mut block = camera.clone();
        for _ in 0..4 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (seed >> 10) as usize % 230;
            block[at] = (seed >> 2) as u8;
        }
        try_both(&block);
    }
}

#[test]
fn a_damaged_block_is_named() {
    let pixels = PixelBuf::filled(Size::new(5, 4), 4, Depth::U8, [9, 99, 199, 255]);
    let mut png = encode_to_vec(
        &pixels,
        &WorkingProfile::srgb(),
        &Metadata { exif: Some(Block::camera(false).into()), ..Metadata::default() },
        &SaveOptions::new(Format::Png),
    )
    .unwrap()
    .0;
    let at = png.windows(4).position(|window| window == b"eXIf").unwrap() + 4;
    png[at] = b'X';
    // The checksum of the chunk, so that only the block is wrong.
    let len = u32::from_be_bytes(png[at - 8..at - 4].try_into().unwrap()) as usize;
    let crc = crc32(&png[at - 4..at + len]);
    png[at + len..at + len + 4].copy_from_slice(&crc.to_be_bytes());
    let read = decode(&png, &Limits::default()).unwrap();
    assert!(matches!(read.notices[..], [Notice::MetadataLost { what: "EXIF data", .. }]));
    assert_eq!(read.metadata.exif, None);
}

/// CRC-32 as PNG has it (ISO 3309).
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}
