//! From what a segmentation network says to a selection of the whole picture.

mod grid;
mod guided;
mod scratch;

use crate::nets::Planes;

pub(crate) use grid::Grid;
pub use guided::refine;
pub use scratch::{DEFAULT_SENSITIVITY, scratches};

/// The classes of Pascal VOC in their official order, which torchvision's networks know.
pub const VOC_CLASSES: [&str; 21] = [
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "dining table",
    "dog",
    "horse",
    "motorbike",
    "person",
    "potted plant",
    "sheep",
    "sofa",
    "train",
    "television",
];

/// What to select.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum What {
    /// Everything but the background, which is class 0 of a network with several.
    Subject,
    Class(usize),
}

impl What {
    /// The class by its number or, of a network with the classes of Pascal VOC, its name.
    pub fn parse(text: &str, classes: usize) -> Option<Self> {
        let text = text.trim().to_lowercase();
        if text == "subject" {
            return Some(Self::Subject);
        }
        let named = || match classes {
            21 => VOC_CLASSES.iter().position(|name| *name == text),
            _ => None,
        };
        let class = text.parse().ok().or_else(named)?;
        (class < classes).then_some(Self::Class(class))
    }
}

/// How likely each pixel belongs to `what`, `[1, h, w]` in `0..=1`. A result of one channel is a
/// probability already, several are logits of the classes. `None` where there is no such class.
pub fn probability(result: &Planes, what: What) -> Option<Planes> {
    let area = result.height * result.width;
    let one = |data: Vec<f32>| Planes { channels: 1, data, ..*result };
    if result.channels == 1 {
        let data = result.data.clone();
        return match what {
            What::Subject | What::Class(1) => Some(one(data)),
            What::Class(0) => Some(one(data.into_iter().map(|value| 1.0 - value).collect())),
            What::Class(_) => None,
        };
    }
    let class = match what {
        What::Subject => 0,
        What::Class(class) if class < result.channels => class,
        What::Class(_) => return None,
    };
    let data = result.softmax().data.into_iter().skip(class * area).take(area);
    Some(one(match what {
        What::Subject => data.map(|background| 1.0 - background).collect(),
        What::Class(_) => data.collect(),
    }))
}
