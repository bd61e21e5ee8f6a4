//! How different two pictures look to a network, and how to change one so that they look alike: a
//! term of searches for codes.
//!
//! The networks are those of LPIPS (Zhang et al. 2018), which people import: none comes with the
//! program. For faces the trunk of a portrait encoder does in their place; without either a search
//! goes by its pixels alone.

use std::collections::BTreeSet;

use super::features::{Judge, Prepared, Reader};
use super::protocol::ModelRef;
use crate::latent::invert::Term;
use crate::metrics::{Backbone, perceptual_slope};
use crate::nets::cpu::gradient::{Differentiable, Trace};
use crate::nets::{Planes, Source};
use crate::zoo::{Library, Purpose, Spec, open_network};

/// Smallest side of pictures that its networks see whole.
pub const MIN_SIDE: usize = 48;

/// A network of LPIPS, ready to run both ways on the processor.
pub struct Perceptual {
    network: Differentiable,
    reader: Reader,
    heads: Vec<Vec<f32>>,
    is_lpips: bool,
}

impl Perceptual {
    /// # Errors
    /// A sentence of `source`, or that the network is none that compares.
    pub fn new(spec: &Spec, source: Source<'_, String>) -> Result<Self, String> {
        let Prepared { judge, graph, reader, heads } = Prepared::new(spec)?;
        let is_lpips = matches!(judge, Judge::Lpips(_));
        if !is_lpips && !matches!(judge, Judge::Portrait) {
            return Err(format!("LPIPS makes nothing of a {}", spec.architecture()));
        }
        let network = Differentiable::new(graph, BTreeSet::new(), source);
        Ok(Self { network: network.map_err(|err| err.to_string())?, reader, heads, is_lpips })
    }

    /// The distance from `target`, `[3, side, side]` in `-1..=1`, where `weights`, one a pixel,
    /// say that it counts: elsewhere a picture is taken to be the target. `None` where it is
    /// smaller than [`MIN_SIDE`].
    pub fn toward(self, target: Planes, weights: Vec<f32>) -> Option<Toward> {
        if target.height.min(target.width) < MIN_SIDE {
            return None;
        }
        let seen = self.see(&target)?.outputs;
        Some(Toward { of: self, target, weights, seen })
    }

    fn see(&self, picture: &Planes) -> Option<Trace> {
        let picture = self.reader.drawn(picture.clone());
        // Nobody stops it: a look is short.
        self.network.run(&[picture], &|| false).ok()
    }
}

/// A network beside what it is to see.
pub struct Toward {
    of: Perceptual,
    target: Planes,
    weights: Vec<f32>,
    seen: Vec<Planes>,
}

impl Toward {
    /// Whether its distances are LPIPS.
    pub const fn is_lpips(&self) -> bool {
        self.of.is_lpips
    }

    /// The distance and its gradient; an answer wherever `picture` has the target's size.
    fn look(&self, picture: &Planes) -> Option<(f64, Planes)> {
        let trace = self.of.see(picture)?;
        let slopes = perceptual_slope(&trace.outputs, &self.seen, &self.of.heads);
        let (distance, slopes) = slopes.ok()?;
        let gradients = self.of.network.backward(&trace, &slopes, &|| false).ok()?;
        Some((distance, self.of.reader.drawn_slope(gradients.inputs.into_iter().next()?)))
    }
}

impl Term for Toward {
    fn measure(&mut self, picture: &Planes) -> (f64, Planes) {
        let weights = || self.weights.iter().cycle();
        let mixed = picture.data.iter().zip(&self.target.data).zip(weights());
        let data = mixed.map(|((have, want), weight)| want + weight * (have - want)).collect();
        let none = || (0.0, Planes { data: vec![0.0; picture.data.len()], ..*picture });
        let (distance, mut slope) = self.look(&Planes { data, ..*picture }).unwrap_or_else(none);
        slope.data.iter_mut().zip(weights()).for_each(|(slope, weight)| *slope *= weight);
        (distance, slope)
    }
}

/// Whether a network has a trunk that compares faces.
pub(super) const fn has_trunk(spec: &Spec) -> bool {
    matches!(spec, Spec::PortraitEncoder(_))
}

/// The installed network of LPIPS that serves best: VGG16 has seen to most slopes of that kind.
pub fn installed(library: &Library) -> Option<ModelRef> {
    let rank = |spec: &Spec| match Prepared::new(spec).ok()?.judge {
        Judge::Lpips(Backbone::Vgg16) => Some(0),
        Judge::Lpips(Backbone::AlexNet) => Some(1),
        Judge::Lpips(Backbone::SqueezeNet) => Some(2),
        _ => None,
    };
    let purposes = [Purpose::Judge, Purpose::Features];
    let models = library.list().0.into_iter();
    let suitable = models.filter(|model| purposes.contains(&model.manifest.purpose));
    let ranked = suitable.filter_map(|model| {
        let (_, detected) = open_network(&model.weights).ok()?;
        Some((rank(&detected.spec)?, model.manifest.id))
    });
    ranked.min().map(|(_, id)| ModelRef::Id(id))
}
