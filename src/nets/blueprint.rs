//! A generator in parts, so that codes can be changed on their way to a picture.

use std::ops::Range;

use super::graph::{Graph, Layout, Value};

/// What a generator draws from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LatentSpace {
    /// Numbers in a latent; they are standard normal.
    pub z_dim: usize,
    /// Numbers in a row of W+; those of a latent where there is no mapping.
    pub w_dim: usize,
    /// Whether a mapping makes rows of latents. Without one a latent is the row.
    pub has_w: bool,
    /// Classes among which a picture's is chosen; 0 where there is no such choice.
    pub classes: usize,
    /// For each row of W+ the side of the pictures that it acts on, in pixels, coarse to fine.
    pub row_sides: Vec<usize>,
    /// Height and width of each noise picture.
    pub noise: Vec<[usize; 2]>,
    /// Side of the picture in pixels.
    pub side: usize,
    /// Numbers of a latent farther from 0 than this are drawn again; `None` for all of them.
    pub limit: Option<f64>,
    /// The numbers of a row that stand for the class, which truncation leaves alone.
    pub class_part: Range<usize>,
    /// The number of a row that is the truncation itself, where a network wants to know.
    pub truncation: Option<usize>,
}

impl LatentSpace {
    /// Rows of W+.
    pub fn rows(&self) -> usize {
        self.row_sides.len()
    }

    /// Nothing in particular: every class alike, as a network is given it; empty where there are
    /// none.
    pub fn mean_class(&self) -> Vec<f32> {
        vec![1.0 / self.classes.max(1) as f32; self.classes]
    }

    /// What truncation of a code `[rows, w_dim]` goes towards, as long; `mean` is that of W.
    pub fn center(&self, ws: &[f32], mean: &[f32]) -> Vec<f32> {
        let mut center = Vec::with_capacity(ws.len());
        for row in ws.chunks_exact(self.w_dim.max(1)) {
            let of = |at: usize| match row[at] {
                own if self.class_part.contains(&at) => own,
                _ if self.truncation == Some(at) => 0.0,
                _ => mean[at],
            };
            center.extend((0..row.len()).map(of));
        }
        center
    }

    /// Class number `class` as a network is given it; empty where there are none.
    pub fn one_hot(&self, class: usize) -> Vec<f32> {
        (0..self.classes).map(|at| f32::from(u8::from(at == class))).collect()
    }
}

/// A fully connected layer that reads a row of W+.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    pub row: usize,
    /// Name of its weight, [`Layout::OutIn`] or [`Layout::InOut`]. Where it has fewer inputs than a
    /// row has numbers, it reads the first ones.
    pub weight: String,
    pub layout: Layout,
    pub channels: usize,
}

/// A generator in parts.
#[derive(Clone, Debug)]
pub struct Blueprint {
    pub space: LatentSpace,
    /// From a latent, and a class where there are any, to a row of W; pixel by pixel, so that a
    /// picture of latents becomes one of rows.
    pub mapping: Option<Graph>,
    /// From the rows of W+, then a picture `[1, height, width]` for each noise, to a picture
    /// `[3, side, side]` in `-1..=1`, not clamped.
    pub synthesis: Graph,
    /// Of the synthesis: what each level hands to the next, coarse to fine.
    pub features: Vec<Value>,
    /// Name of the mean of W; without one it is that of many latents.
    pub mean: Option<String>,
    /// Names of the noises that come with the weights.
    pub noise: Vec<String>,
    /// What reads the rows, in order.
    pub styles: Vec<Style>,
}
