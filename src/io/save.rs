//! From pixels to a file: first whole beside its place, then renamed into it.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::metadata::{MetadataPolicy, for_export};
use super::provenance::{DigitalSource, labelled};
use super::{Format, Notice, jpeg, png, simple, tiff, webp};
use crate::color::{ProfileError, WorkingProfile, convert};
use crate::document::Metadata;
use crate::geom::Size;
use crate::pixels::{Depth, PixelBuf, Sample, Samples};

/// How a picture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaveOptions {
    pub format: Format,
    /// JPEG quality, 1 to 100; the other formats are lossless.
    pub quality: u8,
    /// `None`: as deep as the pixels where the format can, else 8 bits.
    pub depth: Option<Depth>,
    pub metadata: MetadataPolicy,
    /// What the file says of networks that drew in it, whatever else of metadata is written.
    pub label: Option<DigitalSource>,
}

impl SaveOptions {
    pub const DEFAULT_QUALITY: u8 = 92;

    pub const fn new(format: Format) -> Self {
        Self {
            format,
            quality: Self::DEFAULT_QUALITY,
            depth: None,
            metadata: MetadataPolicy::Keep,
            label: None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("'{}' has no extension of a format that can be written ({})", .0.display(), writable())]
    UnknownExtension(PathBuf),
    #[error("{0} cannot be written; choose one of {names}", names = writable())]
    ReadOnlyFormat(Format),
    #[error("{0} holds 8 bits a channel, not 16")]
    DepthTooLarge(Format),
    #[error("the quality must be 1 to 100, not {0}")]
    Quality(u8),
    #[error("{format} pictures have at most {limit} pixels a side, and this one is {size}")]
    SizeTooLarge { format: Format, size: Size, limit: u32 },
    #[error("the colours cannot be converted to sRGB: {0}")]
    Profile(#[source] ProfileError),
    #[error("the {format} encoder failed: {reason}")]
    Encode { format: Format, reason: String },
    #[error("the folder '{}' does not exist", .0.display())]
    NoFolder(PathBuf),
    #[error("'{}' is a folder", .0.display())]
    IsFolder(PathBuf),
    #[error("cannot write '{}': {cause}", path.display())]
    Write {
        #[source]
        cause: std::io::Error,
        path: PathBuf,
    },
}

fn writable() -> String {
    Format::WRITABLE.map(Format::name).join(", ")
}

/// Checks what can be checked of `path` before any work is done, and answers the format that its
/// extension asks for.
pub fn check_target(path: &Path) -> Result<Format, SaveError> {
    let format = Format::from_path(path).ok_or_else(|| SaveError::UnknownExtension(path.into()))?;
    if !Format::WRITABLE.contains(&format) {
        return Err(SaveError::ReadOnlyFormat(format));
    }
    check_place(path)?;
    Ok(format)
}

/// Checks whether a file can be put at `path`, before any work is done.
///
/// # Errors
/// Where that is a folder, or its folder is missing.
pub fn check_place(path: &Path) -> Result<(), SaveError> {
    if path.is_dir() {
        return Err(SaveError::IsFolder(path.into()));
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(SaveError::NoFolder(folder.into()));
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Writes RGBA `pixels`, encoded in `profile`, to `path`. Either the whole file is there
/// afterwards or what was there before.
pub fn save(
    path: &Path,
    pixels: &PixelBuf,
    profile: &WorkingProfile,
    metadata: &Metadata,
    options: &SaveOptions,
) -> Result<Vec<Notice>, SaveError> {
    check_place(path)?;
    let (bytes, notices) = encode_to_vec(pixels, profile, metadata, options)?;
    write_whole(path, &bytes).map_err(|cause| SaveError::Write { cause, path: path.into() })?;
    Ok(notices)
}

/// Writes a file beside its place and renames it into it.
///
/// # Errors
/// Those of the file system; then what was there before still is.
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    put_in_place(path, |file| file.write_all(bytes))
}

/// Puts what `write` writes in the place of `path`, once it is whole and on the disk.
pub(super) fn put_in_place<E: From<std::io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    // Through a link, so that the link stays one.
    let target = path.canonicalize().unwrap_or_else(|_| path.into());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ganvas-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As an ordinary new file; the process's mask applies.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder_of(&target))?;
    write(file.as_file_mut())?;
    if let Ok(existing) = std::fs::metadata(&target) {
        if existing.permissions().readonly() {
            return Err(std::io::Error::from(std::io::ErrorKind::PermissionDenied).into());
        }
        file.as_file().set_permissions(existing.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| E::from(error.error))?;
    Ok(())
}

/// The bytes that [`save`] would write; also what a size estimate needs.
pub fn encode_to_vec(
    pixels: &PixelBuf,
    profile: &WorkingProfile,
    metadata: &Metadata,
    options: &SaveOptions,
) -> Result<(Vec<u8>, Vec<Notice>), SaveError> {
    let format = options.format;
    if !Format::WRITABLE.contains(&format) {
        return Err(SaveError::ReadOnlyFormat(format));
    }
    let mut notices = Vec::new();
    let Prepared { pixels, icc, metadata } =
        prepare(pixels, profile, metadata, options, &mut notices)?;
    let encoded = match format {
        Format::Png => png::encode(&pixels, icc, &metadata, &mut notices),
        Format::Jpeg => jpeg::encode(&pixels, options.quality, icc, &metadata, &mut notices),
        Format::WebP => webp::encode(&pixels, icc, &metadata),
        Format::Tiff => tiff::encode(&pixels, icc, &metadata),
        Format::Bmp => simple::encode_bmp(&pixels),
        Format::Gif => return Err(SaveError::ReadOnlyFormat(format)),
    };
    let encoded = encoded.map_err(|reason| SaveError::Encode { format, reason })?;
    Ok((encoded, notices))
}

/// A picture as the encoder of its format is given it.
pub(super) struct Prepared<'p, 'a> {
    pub pixels: Cow<'p, PixelBuf>,
    pub icc: Option<&'a [u8]>,
    pub metadata: Metadata,
}

/// Everything that happens to a picture on its way to the encoder of `options.format`.
pub(super) fn prepare<'p, 'a>(
    pixels: &'p PixelBuf,
    profile: &'a WorkingProfile,
    metadata: &Metadata,
    options: &SaveOptions,
    notices: &mut Vec<Notice>,
) -> Result<Prepared<'p, 'a>, SaveError> {
    let format = options.format;
    if !(1..=100).contains(&options.quality) {
        return Err(SaveError::Quality(options.quality));
    }
    let size = pixels.size();
    let limit = format.max_side();
    if size.is_empty() || size.width > limit || size.height > limit {
        return Err(SaveError::SizeTooLarge { format, size, limit });
    }
    let mut pixels = Cow::Borrowed(pixels);
    let keeps_profile = format.has_profile() && options.metadata != MetadataPolicy::None;
    let icc = if keeps_profile { profile.icc.as_deref() } else { None };
    if icc.is_none() && !profile.is_srgb() {
        convert::to_srgb(profile, pixels.to_mut()).map_err(SaveError::Profile)?;
        notices.push(Notice::SavedAsSrgb { from: profile.name.to_string() });
    }
    let depth = match options.depth {
        Some(Depth::U16) if format.max_depth() == Depth::U8 => {
            return Err(SaveError::DepthTooLarge(format));
        }
        Some(depth) => depth,
        None if pixels.depth() == Depth::U16 && format.max_depth() == Depth::U8 => {
            notices.push(Notice::DepthReduced { format });
            Depth::U8
        }
        None => pixels.depth(),
    };
    if depth != pixels.depth() {
        pixels = Cow::Owned(pixels.to_depth(depth));
    }
    if !format.has_alpha() && pixels.has_transparency() {
        lay_on_white(pixels.to_mut());
        notices.push(Notice::AlphaFlattened { format });
    }
    let mut metadata = for_export(metadata, options.metadata, size, notices);
    if let Some(source) = options.label {
        match labelled(metadata.xmp.as_deref(), source) {
            Some(xmp) => metadata.xmp = Some(xmp.into()),
            None => {
                let reason = "nothing can be added to the XMP packet".into();
                notices.push(Notice::MetadataLost { what: "the label of its origin", reason });
            }
        }
    }
    let is_bare = matches!(format, Format::Bmp | Format::Gif);
    if is_bare && (metadata.exif.is_some() || metadata.xmp.is_some()) {
        let reason = format!("{format} has no place for them");
        notices.push(Notice::MetadataLost { what: "metadata", reason });
    }
    if metadata.iptc.is_some() && !matches!(format, Format::Jpeg | Format::Tiff) {
        let reason = format!("{format} has no place for it");
        notices.push(Notice::MetadataLost { what: "IPTC data", reason });
    }
    Ok(Prepared { pixels, icc, metadata })
}

/// Composites straight-alpha RGBA over opaque white, on encoded values.
fn lay_on_white(pixels: &mut PixelBuf) {
    fn run<S: Sample>(samples: &mut [S]) {
        for pixel in samples.chunks_exact_mut(4) {
            let alpha = pixel[3].to_f32();
            if alpha < 1.0 {
                for value in &mut pixel[..3] {
                    *value = S::from_f32(value.to_f32() * alpha + (1.0 - alpha));
                }
                pixel[3] = S::from_f32(1.0);
            }
        }
    }
    match pixels.samples_mut() {
        Samples::U8(samples) => run(samples),
        Samples::U16(samples) => run(samples),
    }
}
