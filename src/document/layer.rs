//! Layers: what they hold and how they mix with what lies beneath.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::geom::IRect;
use crate::params::Params;
use crate::pixels::TiledImage;

static NEXT_LAYER_ID: AtomicU64 = AtomicU64::new(1);

/// Identity of a layer within the running program; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LayerId(pub u64);

impl LayerId {
    pub fn fresh() -> Self {
        Self(NEXT_LAYER_ID.fetch_add(1, Ordering::Relaxed))
    }
}

/// Blend modes of the W3C "Compositing and Blending Level 1" recommendation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlendMode {
    #[default]
    Normal,
    Multiply,
    Screen,
    Overlay,
    Darken,
    Lighten,
    ColorDodge,
    ColorBurn,
    HardLight,
    SoftLight,
    Difference,
    Exclusion,
    Hue,
    Saturation,
    Color,
    Luminosity,
}

impl BlendMode {
    pub const ALL: [Self; 16] = [
        Self::Normal,
        Self::Darken,
        Self::Multiply,
        Self::ColorBurn,
        Self::Lighten,
        Self::Screen,
        Self::ColorDodge,
        Self::Overlay,
        Self::SoftLight,
        Self::HardLight,
        Self::Difference,
        Self::Exclusion,
        Self::Hue,
        Self::Saturation,
        Self::Color,
        Self::Luminosity,
    ];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Multiply => "Multiply",
            Self::Screen => "Screen",
            Self::Overlay => "Overlay",
            Self::Darken => "Darken",
            Self::Lighten => "Lighten",
            Self::ColorDodge => "Color dodge",
            Self::ColorBurn => "Color burn",
            Self::HardLight => "Hard light",
            Self::SoftLight => "Soft light",
            Self::Difference => "Difference",
            Self::Exclusion => "Exclusion",
            Self::Hue => "Hue",
            Self::Saturation => "Saturation",
            Self::Color => "Color",
            Self::Luminosity => "Luminosity",
        }
    }
}

/// How far a network had a hand in pixels, whatever has become of the layer that it made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Synthesis {
    #[default]
    None,
    /// It has drawn in a picture, or changed one.
    Part,
    /// It has drawn all of them, from no picture.
    All,
}

impl Synthesis {
    /// Of a picture in which both are seen.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        if self == other { self } else { Self::Part }
    }

    /// Of what a network has made of such pixels.
    #[must_use]
    pub fn changed(self) -> Self {
        self.max(Self::Part)
    }

    /// Of what these layers show together.
    pub fn of(layers: &[Arc<Layer>]) -> Self {
        fn seen(layers: &[Arc<Layer>]) -> Option<Synthesis> {
            let shown = layers.iter().filter(|layer| layer.shows());
            let each = shown.filter_map(|layer| match &layer.kind {
                LayerKind::Raster(raster) => Some(raster.synthesis),
                LayerKind::Generated(generated) => Some(generated.raster.synthesis),
                LayerKind::Group(inner) => seen(inner),
                // It colours what others have drawn.
                LayerKind::Adjustment(_) => None,
            });
            each.reduce(Synthesis::with)
        }
        seen(layers).unwrap_or_default()
    }
}

/// Pixels with a place on the canvas.
#[derive(Clone, Debug)]
pub struct Raster {
    /// RGBA in the document's depth; transparent outside its extent.
    pub image: TiledImage,
    /// Document position of the image's top left pixel.
    pub origin: (i32, i32),
    pub synthesis: Synthesis,
}

impl Raster {
    /// Pixels in which no network had a hand.
    pub const fn new(image: TiledImage, origin: (i32, i32)) -> Self {
        Self { image, origin, synthesis: Synthesis::None }
    }

    #[must_use]
    pub fn by(self, synthesis: Synthesis) -> Self {
        Self { synthesis, ..self }
    }

    /// The area covered, in document pixels.
    pub fn bounds(&self) -> IRect {
        IRect::from_origin_size(self.origin, self.image.size())
    }
}

/// A mask that hides (0) or shows (255) its layer; its fill value holds outside its extent.
#[derive(Clone, Debug)]
pub struct LayerMask {
    /// One channel, 8 bits.
    pub image: TiledImage,
    /// Document position of the image's top left pixel.
    pub origin: (i32, i32),
    pub enabled: bool,
}

impl LayerMask {
    /// One that acts, from the top left of the canvas on.
    pub const fn over_canvas(image: TiledImage) -> Self {
        Self { image, origin: (0, 0), enabled: true }
    }
}

/// An operation kept as its parameters. Interpreted by `compose`, which knows operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adjustment {
    /// Registry name of a pointwise or neighbourhood operation.
    pub op: String,
    pub params: Params,
    /// The operation's parameter version when stored.
    pub version: u32,
}

/// The result of a network together with what made it.
#[derive(Clone, Debug)]
pub struct Generated {
    pub raster: Raster,
    /// What made the pixels (model id and hash, seed, parameters), for display and re-editing.
    pub recipe: Arc<serde_json::Value>,
    /// A file that the recipe needs and that is too large for it.
    pub attachment: Option<Arc<[u8]>>,
}

#[derive(Clone, Debug)]
pub enum LayerKind {
    Raster(Raster),
    Adjustment(Adjustment),
    /// An isolated group, bottom child first.
    Group(Vec<Arc<Layer>>),
    Generated(Generated),
}

/// What the layers panel shows and changes.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerProps {
    pub name: Arc<str>,
    pub visible: bool,
    /// Protects pixels, mask and position from edits.
    pub locked: bool,
    /// `0..=1`
    pub opacity: f32,
    pub blend: BlendMode,
}

/// One layer. Held in an `Arc` and replaced, never changed in place.
#[derive(Clone, Debug)]
pub struct Layer {
    pub id: LayerId,
    pub props: LayerProps,
    pub mask: Option<LayerMask>,
    pub kind: LayerKind,
}

impl Layer {
    /// A visible, opaque, normal layer with a fresh id.
    pub fn new(name: &str, kind: LayerKind) -> Self {
        let props = LayerProps {
            name: name.into(),
            visible: true,
            locked: false,
            opacity: 1.0,
            blend: BlendMode::Normal,
        };
        Self { id: LayerId::fresh(), props, mask: None, kind }
    }

    pub fn raster(name: &str, image: TiledImage, origin: (i32, i32)) -> Self {
        Self::new(name, LayerKind::Raster(Raster::new(image, origin)))
    }

    /// Whether the layer paints at all.
    pub fn shows(&self) -> bool {
        self.props.visible && self.props.opacity > 0.0
    }

    /// Pixels of a raster or generated layer.
    pub const fn raster_content(&self) -> Option<&Raster> {
        match &self.kind {
            LayerKind::Raster(raster) | LayerKind::Generated(Generated { raster, .. }) => {
                Some(raster)
            }
            _ => None,
        }
    }

    /// What a generated layer's recipe needs beside itself.
    pub const fn attachment(&self) -> Option<&Arc<[u8]>> {
        match &self.kind {
            LayerKind::Generated(generated) => generated.attachment.as_ref(),
            _ => None,
        }
    }

    pub fn children(&self) -> Option<&[Arc<Self>]> {
        match &self.kind {
            LayerKind::Group(children) => Some(children),
            _ => None,
        }
    }

    /// A copy with fresh ids throughout, sharing all pixels.
    pub fn duplicate(&self, name: &str) -> Self {
        let mut copy = self.with_fresh_ids();
        copy.props.name = name.into();
        copy
    }

    /// The same layer moved by whole pixels: pixels, mask and, for a group, its children.
    pub fn translated(&self, dx: i32, dy: i32) -> Self {
        let shift = |origin: &mut (i32, i32)| {
            origin.0 = origin.0.saturating_add(dx);
            origin.1 = origin.1.saturating_add(dy);
        };
        let mut moved = self.clone();
        match &mut moved.kind {
            LayerKind::Raster(raster) | LayerKind::Generated(Generated { raster, .. }) => {
                shift(&mut raster.origin);
            }
            LayerKind::Group(children) => {
                for child in children {
                    *child = Arc::new(child.translated(dx, dy));
                }
            }
            LayerKind::Adjustment(_) => {}
        }
        if let Some(mask) = &mut moved.mask {
            shift(&mut mask.origin);
        }
        moved
    }

    fn with_fresh_ids(&self) -> Self {
        let mut copy = self.clone();
        copy.id = LayerId::fresh();
        if let LayerKind::Group(children) = &mut copy.kind {
            for child in children {
                *child = Arc::new(child.with_fresh_ids());
            }
        }
        copy
    }
}
