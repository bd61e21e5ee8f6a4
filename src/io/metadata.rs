//! What travels beside the pixels: kept on load with the orientation already applied, filtered on
//! export.

use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::exif::Exif;
use super::{Notice, iptc};
use crate::document::Metadata;
use crate::geom::Size;

/// What of a picture's metadata is written along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetadataPolicy {
    /// EXIF, XMP, IPTC, resolution and the colour profile.
    #[default]
    Keep,
    /// The same without positions: EXIF's GPS directory and IPTC's names of places go, and an XMP
    /// packet that names GPS data goes whole. Maker notes stay as they are.
    NoGps,
    /// Nothing; colours are converted to sRGB, which needs no profile.
    None,
}

impl MetadataPolicy {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::NoGps => "no-gps",
            Self::None => "none",
        }
    }
}

impl FromStr for MetadataPolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Keep, Self::NoGps, Self::None]
            .into_iter()
            .find(|policy| policy.name() == text)
            .ok_or_else(|| format!("'{text}' is none of keep, no-gps, none"))
    }
}

/// Metadata as found in a file.
pub(super) struct Found {
    pub exif: Option<Vec<u8>>,
    pub xmp: Option<Vec<u8>>,
    pub iptc: Option<Vec<u8>>,
    /// Orientation stated by the container; wins over EXIF.
    pub orientation: Option<u16>,
    pub pixels_per_inch: Option<(f32, f32)>,
}

/// Metadata to keep, and the orientation (1 to 8) to apply to the pixels.
pub(super) fn keep(found: Found, notices: &mut Vec<Notice>) -> (Metadata, u16) {
    let had_exif = found.exif.as_ref().is_some_and(|bytes| !bytes.is_empty());
    let mut exif = found.exif.as_deref().and_then(Exif::parse);
    if had_exif && exif.is_none() {
        let reason = "it is damaged".into();
        notices.push(Notice::MetadataLost { what: "EXIF data", reason });
    }
    let orientation = found
        .orientation
        .or_else(|| exif.as_ref().and_then(Exif::orientation))
        .filter(|value| (1..=8).contains(value))
        .unwrap_or(1);
    let pixels_per_inch =
        found.pixels_per_inch.or_else(|| exif.as_ref().and_then(Exif::pixels_per_inch));
    if let Some(exif) = &mut exif {
        exif.reset_orientation();
    }
    let metadata = Metadata {
        exif: exif.map(|exif| exif.into_bytes().into()),
        xmp: found.xmp.filter(|xmp| !xmp.is_empty()).map(|xmp| upright_xmp(xmp).into()),
        iptc: found.iptc.map(Arc::from),
        pixels_per_inch: pixels_per_inch
            .filter(|(x, y)| [x, y].iter().all(|v| v.is_finite() && (1.0..1e5).contains(*v))),
    };
    (metadata, orientation)
}

/// The metadata to write for a picture of `size` pixels.
pub(super) fn for_export(
    metadata: &Metadata,
    policy: MetadataPolicy,
    size: Size,
    notices: &mut Vec<Notice>,
) -> Metadata {
    if policy == MetadataPolicy::None {
        return Metadata::default();
    }
    let exif = metadata.exif.as_deref().and_then(Exif::parse).map(|mut exif| {
        exif.remove_thumbnail();
        exif.set_extent(size.width, size.height);
        if policy == MetadataPolicy::NoGps {
            exif.remove_gps();
        }
        Arc::from(exif.into_bytes())
    });
    let mut xmp = metadata.xmp.clone();
    if policy == MetadataPolicy::NoGps && xmp.as_deref().is_some_and(names_gps) {
        let reason = "it names GPS data".into();
        notices.push(Notice::MetadataLost { what: "the XMP packet", reason });
        xmp = None;
    }
    let mut iptc = metadata.iptc.clone();
    if policy == MetadataPolicy::NoGps
        && let Some(records) = &iptc
    {
        iptc = iptc::without_places(records).map(Arc::from);
        if iptc.is_none() {
            let reason = "it cannot be told whether it names a place".into();
            notices.push(Notice::MetadataLost { what: "IPTC data", reason });
        }
    }
    Metadata { exif, xmp, iptc, pixels_per_inch: metadata.pixels_per_inch }
}

fn names_gps(xmp: &[u8]) -> bool {
    xmp.windows(3).any(|word| word.eq_ignore_ascii_case(b"gps"))
}

/// Sets `tiff:Orientation` to 1, whether written as attribute or as element.
fn upright_xmp(mut xmp: Vec<u8>) -> Vec<u8> {
    const NAME: &[u8] = b"tiff:Orientation";
    let places: Vec<usize> = xmp
        .windows(NAME.len())
        .enumerate()
        .filter(|(_, word)| *word == NAME)
        .map(|(at, _)| at + NAME.len())
        .collect();
    for place in places {
        let digit = xmp[place..].iter().take(8).position(u8::is_ascii_digit);
        let opens = xmp[place..].iter().take(8).any(|byte| matches!(byte, b'"' | b'\'' | b'>'));
        if let (Some(digit), true) = (digit, opens) {
            xmp[place + digit] = b'1';
        }
    }
    xmp
}

/// EXIF fields for people: name and value, in the order of the file, at most `limit`.
pub fn exif_summary(exif: &[u8], limit: usize) -> Vec<(String, String)> {
    let read = super::guard::guarded(|| ::exif::Reader::new().read_raw(exif.to_vec()).ok());
    let Ok(Some(block)) = read else { return Vec::new() };
    block
        .fields()
        .filter(|field| field.ifd_num == ::exif::In::PRIMARY)
        .filter(|field| !matches!(field.tag, ::exif::Tag::MakerNote | ::exif::Tag::UserComment))
        .take(limit)
        .map(|field| {
            let text: String = field
                .display_value()
                .with_unit(&block)
                .to_string()
                .chars()
                .filter(|c| !c.is_control())
                .take(120)
                .collect();
            (field.tag.to_string(), text.trim_matches('"').to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xmp_is_turned_upright() {
        let turned = b"<x tiff:Orientation=\"6\"/><tiff:Orientation>8</tiff:Orientation>".to_vec();
        let upright = b"<x tiff:Orientation=\"1\"/><tiff:Orientation>1</tiff:Orientation>";
        assert_eq!(upright_xmp(turned), upright);
        assert_eq!(upright_xmp(b"tiff:Orientation".to_vec()), b"tiff:Orientation");
    }

    #[test]
    fn xmp_with_positions_goes_whole() {
        let metadata =
            Metadata { xmp: Some(b"<exif:GPSLatitude>".as_slice().into()), ..Metadata::default() };
        let mut notices = Vec::new();
        let size = Size::new(1, 1);
        let kept = for_export(&metadata, MetadataPolicy::Keep, size, &mut notices);
        assert!(kept.xmp.is_some() && notices.is_empty());
        let cleaned = for_export(&metadata, MetadataPolicy::NoGps, size, &mut notices);
        assert!(cleaned.xmp.is_none() && notices.len() == 1);
    }
}
