//! Dialogs and the drafts in them.

use super::files::ExportSettings;
use super::film::FilmSettings;
use super::project::SaveSettings;
use crate::geom::Size;
use crate::inpaint::Border;
use crate::ops::Operation;
use crate::params::Params;
use crate::patterns::Pattern;

pub enum Dialog {
    New(NewForm),
    ImageSize(SizeForm),
    CanvasSize(CanvasForm),
    Expand(ExpandForm),
    Pattern(PatternForm),
    /// A geometry operation with its parameters.
    Operation(ParamForm),
    Feather {
        radius_px: f32,
    },
    Export(ExportSettings),
    Save(SaveSettings),
    /// A path of the Latent panel as an animation.
    Film(Box<FilmSettings>),
    /// Asks for a file name where the desktop has no file dialog.
    OpenPath {
        text: String,
    },
    ConfirmClose {
        index: usize,
        quit: bool,
    },
    Preferences,
    Palette {
        query: String,
        at: usize,
    },
    Shortcuts,
    About,
}

pub struct NewForm {
    pub width: u32,
    pub height: u32,
    pub deep: bool,
    pub transparent: bool,
}

impl Default for NewForm {
    fn default() -> Self {
        Self { width: 1920, height: 1080, deep: false, transparent: false }
    }
}

/// Width and height, one following the other.
pub struct SizeForm {
    pub before: Size,
    pub width: u32,
    pub height: u32,
    pub linked: bool,
    pub filter: String,
}

impl SizeForm {
    pub fn new(before: Size) -> Self {
        let filter = "lanczos3".into();
        Self { before, width: before.width, height: before.height, linked: true, filter }
    }

    pub fn set_width(&mut self, width: u32) {
        self.width = width;
        if self.linked {
            self.height = follow(width, self.before.width, self.before.height);
        }
    }

    pub fn set_height(&mut self, height: u32) {
        self.height = height;
        if self.linked {
            self.width = follow(height, self.before.height, self.before.width);
        }
    }
}

/// The other side at the same proportion, rounded, at least 1.
fn follow(side: u32, before: u32, other_before: u32) -> u32 {
    let scaled = f64::from(side) * f64::from(other_before) / f64::from(before.max(1));
    (scaled.round() as u32).max(1)
}

pub struct CanvasForm {
    pub before: Size,
    pub width: u32,
    pub height: u32,
    pub anchor: String,
}

impl CanvasForm {
    pub fn new(before: Size) -> Self {
        Self { before, width: before.width, height: before.height, anchor: "center".into() }
    }
}

/// How far a picture is continued, in pixels.
pub struct ExpandForm {
    pub border: Border,
    /// Whether all sides grow alike.
    pub linked: bool,
}

impl ExpandForm {
    /// An eighth of the shorter side all around.
    pub fn new(size: Size) -> Self {
        let px = (size.width.min(size.height) / 8).max(1);
        Self { border: Border { left: px, top: px, right: px, bottom: px }, linked: true }
    }
}

/// A pattern for a new layer.
pub struct PatternForm {
    pub pattern: &'static Pattern,
    pub params: Params,
    pub seed: u64,
}

impl PatternForm {
    pub fn new(pattern: &'static Pattern) -> Self {
        Self { pattern, params: Params::defaults(pattern.params), seed: 0 }
    }
}

pub struct ParamForm {
    pub op: &'static dyn Operation,
    pub params: Params,
}

impl ParamForm {
    pub fn new(op: &'static dyn Operation) -> Self {
        Self { op, params: Params::defaults(op.spec().params) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linked_sides_keep_the_proportion() {
        let mut form = SizeForm::new(Size::new(4000, 3000));
        form.set_width(1000);
        assert_eq!((form.width, form.height), (1000, 750));
        form.linked = false;
        form.set_height(10);
        assert_eq!((form.width, form.height), (1000, 10));
        let mut thin = SizeForm::new(Size::new(10_000, 1));
        thin.set_width(5);
        assert_eq!(thin.height, 1);
    }
}
