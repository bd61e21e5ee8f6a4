//! Whether a drawn face is still the same person: a term of searches for codes.
//!
//! The network is a descriptor of faces (ArcFace's IR-SE), which people import: none comes with the
//! program. It compares a picture with the photo that it is made to be like and nothing else: no
//! descriptor is kept, shown or compared with any other face.

use std::collections::BTreeSet;

use crate::latent::invert::Term;
use crate::nets::cpu::gradient::{Differentiable, Trace};
use crate::nets::{Planes, Source};
use crate::portrait::Template;
use crate::zoo::Spec;

/// Side at which pSp and e4e cut the face out of a picture that is aligned as FFHQ's are.
const ALIGNED_SIDE: usize = 256;
/// Rows and columns of that cut, from and to.
const FFHQ: [[isize; 2]; 2] = [[35, 223], [32, 220]];
/// The same place in a crop of ours, which is tighter: beyond its border the border goes on.
const PORTRAIT: [[isize; 2]; 2] = [[-54, 234], [-19, 269]];

/// A descriptor, ready to run both ways on the processor.
pub struct Identity {
    network: Differentiable,
    side: usize,
}

impl Identity {
    /// # Errors
    /// A sentence of `source`, or that the network is none.
    pub fn new(spec: &Spec, source: Source<'_, String>) -> Result<Self, String> {
        let Spec::IrSe(net) = spec else {
            return Err(format!("a {} describes no faces", spec.architecture()));
        };
        let network = Differentiable::new(net.graph(), BTreeSet::new(), source);
        Ok(Self { network: network.map_err(|err| err.to_string())?, side: net.side })
    }

    /// How far a face is from that in `target`, `[3, side, side]` in `-1..=1` and aligned by
    /// `template`, where `weights`, one a pixel, say that it counts: elsewhere a picture is taken
    /// to be the target.
    pub fn toward(self, target: Planes, weights: Vec<f32>, template: Template) -> ToIdentity {
        let [rows, columns] = match template {
            Template::Ffhq => FFHQ,
            Template::Portrait => PORTRAIT,
        };
        let cut = Cut {
            rows: Shares::new(target.height, rows, self.side),
            columns: Shares::new(target.width, columns, self.side),
        };
        let mut toward = ToIdentity { of: self, target, weights, cut, seen: Vec::new() };
        toward.seen = toward.look(&toward.target).map_or_else(Vec::new, |trace| descriptor(&trace));
        toward
    }
}

/// A descriptor beside the face that it is to see.
pub struct ToIdentity {
    of: Identity,
    target: Planes,
    weights: Vec<f32>,
    cut: Cut,
    seen: Vec<f32>,
}

impl ToIdentity {
    fn look(&self, picture: &Planes) -> Option<Trace> {
        // Nobody stops it: a look is short.
        self.of.network.run(&[self.cut.of(picture)], &|| false).ok()
    }

    /// One less the cosine between the descriptors, and its gradient.
    fn measured(&self, picture: &Planes) -> Option<(f64, Planes)> {
        let trace = self.look(picture)?;
        let (cosine, slope) = cosine(&descriptor(&trace), &self.seen);
        let slope = Planes::vector(slope.into_iter().map(|slope| -slope as f32).collect());
        let gradients = self.of.network.backward(&trace, &[slope], &|| false).ok()?;
        let by_picture = self.cut.back(gradients.inputs.first()?, picture);
        Some((1.0 - cosine, by_picture))
    }
}

impl Term for ToIdentity {
    fn measure(&mut self, picture: &Planes) -> (f64, Planes) {
        let weights = || self.weights.iter().cycle();
        let mixed = picture.data.iter().zip(&self.target.data).zip(weights());
        let data = mixed.map(|((have, want), weight)| want + weight * (have - want)).collect();
        let none = || (0.0, Planes { data: vec![0.0; picture.data.len()], ..*picture });
        let (loss, mut slope) = self.measured(&Planes { data, ..*picture }).unwrap_or_else(none);
        slope.data.iter_mut().zip(weights()).for_each(|(slope, weight)| *slope *= weight);
        (loss, slope)
    }
}

fn descriptor(trace: &Trace) -> Vec<f32> {
    trace.outputs.first().map_or_else(Vec::new, |vector| vector.data.clone())
}

/// The cosine between two vectors and its gradient by the first.
fn cosine(a: &[f32], b: &[f32]) -> (f64, Vec<f64>) {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let (a2, b2) = (dot(a, a).max(1e-12), dot(b, b).max(1e-12));
    let lengths = (a2 * b2).sqrt();
    let cosine = dot(a, b) / lengths;
    let slope = a.iter().zip(b).map(|(a, b)| f64::from(*b) / lengths - cosine * f64::from(*a) / a2);
    (cosine, slope.collect())
}

/// What each number along one axis is made of: pixels and their shares.
struct Shares(Vec<Vec<(usize, f32)>>);

impl Shares {
    /// From `from` pixels to [`ALIGNED_SIDE`], of these those in `part`, from there to `to`: the
    /// published adaptive means, one after the other.
    fn new(from: usize, [first, last]: [isize; 2], to: usize) -> Self {
        let aligned = means(from, ALIGNED_SIDE);
        let length = (last - first) as usize;
        let inside = |at: usize| {
            let place = first + at as isize;
            place.clamp(0, ALIGNED_SIDE as isize - 1) as usize
        };
        let rows = means(length, to).into_iter().map(|window| {
            let mut shares = vec![0.0; from];
            for (at, share) in window {
                aligned[inside(at)].iter().for_each(|(pixel, own)| shares[*pixel] += share * own);
            }
            shares.into_iter().enumerate().filter(|(_, share)| *share != 0.0).collect()
        });
        Self(rows.collect())
    }
}

/// PyTorch's adaptive average pooling along one axis.
fn means(from: usize, to: usize) -> Vec<Vec<(usize, f32)>> {
    let window = |at: usize| {
        let (start, end) = (at * from / to, ((at + 1) * from).div_ceil(to));
        (start..end).map(|pixel| (pixel, 1.0 / (end - start) as f32)).collect()
    };
    (0..to).map(window).collect()
}

/// The face in a picture, at the side that the network reads.
struct Cut {
    rows: Shares,
    columns: Shares,
}

impl Cut {
    fn of(&self, picture: &Planes) -> Planes {
        let (height, width) = (self.rows.0.len(), self.columns.0.len());
        let mut data = Vec::with_capacity(picture.channels * height * width);
        for plane in picture.data.chunks_exact((picture.height * picture.width).max(1)) {
            for row in &self.rows.0 {
                let mut line = vec![0.0; picture.width];
                for (y, share) in row {
                    let from = &plane[y * picture.width..][..picture.width];
                    line.iter_mut().zip(from).for_each(|(sum, x)| *sum += share * x);
                }
                let sums = self.columns.0.iter();
                data.extend(
                    sums.map(|of| of.iter().map(|(x, share)| share * line[*x]).sum::<f32>()),
                );
            }
        }
        Planes { channels: picture.channels, height, width, data }
    }

    /// From the gradient by the cut to that by a picture of the size of `like`.
    fn back(&self, slope: &Planes, like: &Planes) -> Planes {
        let mut data = vec![0.0; like.data.len()];
        let area = (like.height * like.width).max(1);
        let planes = slope.data.chunks_exact((slope.height * slope.width).max(1));
        for (plane, into) in planes.zip(data.chunks_exact_mut(area)) {
            for (row, slopes) in self.rows.0.iter().zip(plane.chunks_exact(slope.width.max(1))) {
                let mut line = vec![0.0; like.width];
                for (of, slope) in self.columns.0.iter().zip(slopes) {
                    of.iter().for_each(|(x, share)| line[*x] += share * slope);
                }
                for (y, share) in row {
                    let to = &mut into[y * like.width..][..like.width];
                    to.iter_mut().zip(&line).for_each(|(sum, x)| *sum += share * x);
                }
            }
        }
        Planes { data, ..*like }
    }
}
