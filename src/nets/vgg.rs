//! The convolutions of VGG (Simonyan and Zisserman 2015; torchvision's `vgg16` and `vgg19`), whose
//! activations other tools compare.

use super::graph::{Conv, Graph, Value};

/// Mean of colours in `0..=1` that torchvision's weights take off.
pub const VGG_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Their standard deviation, which then divides.
pub const VGG_DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// Blocks of 3×3 convolutions with ReLU; the largest of 2×2 pixels goes on to the next block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vgg {
    /// Channels after each convolution of each block.
    pub blocks: Vec<Vec<usize>>,
}

/// One convolution of the row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layer {
    pub conv: Conv,
    /// Block, then place in it, as layers are called.
    pub block: usize,
    pub place: usize,
}

impl Layer {
    /// The name of the activation, such as `relu4_2`.
    pub fn activation(&self) -> String {
        format!("relu{}_{}", self.block + 1, self.place + 1)
    }

    /// Whether a pooling comes before the convolution.
    pub const fn is_pooled(&self) -> bool {
        self.place == 0 && self.block > 0
    }
}

impl Vgg {
    /// Every convolution in order.
    pub(super) fn layers(&self) -> Vec<Layer> {
        // Convolution and ReLU are two modules, a pooling is one.
        let (mut at, mut from) = (0, 3);
        let mut layers = Vec::new();
        for (block, widths) in self.blocks.iter().enumerate() {
            at += usize::from(block > 0);
            for (place, &to) in widths.iter().enumerate() {
                let conv = Conv::new(&format!("features.{at}"), from, to, 3);
                layers.push(Layer { conv, block, place });
                (at, from) = (at + 2, to);
            }
        }
        layers
    }

    /// RGB less [`VGG_MEAN`] over [`VGG_DEVIATION`], `[3, h, w]`, to the last activation. Activations
    /// are called `relu1_1` and so on.
    pub fn graph(&self) -> Graph {
        let (mut g, ends) = self.row();
        if let Some(&last) = ends.last() {
            g.name(last, "output");
            g.output(last);
        }
        g
    }

    /// The same to the last activation of each block, a result each: what LPIPS compares (Zhang
    /// et al. 2018).
    pub fn stages(&self) -> Graph {
        let (mut g, ends) = self.row();
        ends.into_iter().for_each(|end| g.output(end));
        g
    }

    /// Every layer, and the last activation of each block.
    fn row(&self) -> (Graph, Vec<Value>) {
        let mut g = Graph::new();
        let mut x = g.input(3);
        let mut ends = Vec::new();
        for layer in self.layers() {
            if layer.is_pooled() {
                ends.push(x);
                x = g.max_pool(x, 2, 2, [0; 4]);
            }
            let name = layer.activation();
            x = g.conv(x, layer.conv);
            x = g.relu(x);
            g.name(x, name);
        }
        ends.push(x);
        (g, ends)
    }
}
