//! Magenta's style network with conditional instance norm (Dumoulin, Shlens, Kudlur 2017): one
//! network, many styles, any blend of them.

use super::graph::{Conv, Graph, Layout};
use super::transfer::{EPS, Place, Transfer};

/// Each style is a row in every norm's table of factors and offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiStyle {
    /// Styles.
    pub styles: usize,
    /// Channels after each contracting layer.
    pub contract: [usize; 3],
    /// Residual blocks.
    pub blocks: usize,
    /// Channels after the first two expanding layers.
    pub expand: [usize; 2],
}

impl MultiStyle {
    /// RGB in `0..=1`, `[3, h, w]` with sides that are multiples of 4, and a weight for each
    /// style, `[styles]`, summing to 1, to the restyled picture.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new();
        let picture = g.input(3);
        let weights = g.input(self.styles);
        let Self { contract, blocks, expand, .. } = *self;
        Transfer { contract, blocks, expand }.build(&mut g, picture, &mut |g, x, place, conv| {
            let name = match place {
                Place::Contract(number) => format!("contract.{number}"),
                Place::Residual(block, number) => format!("res.{block}.{number}"),
                Place::Expand(number) => format!("expand.{number}"),
            };
            let channels = conv.channels_out;
            let x = g.conv(x, Conv { weight: format!("{name}.w"), bias: None, ..conv });
            let [scale, shift] = ["gamma", "beta"].map(|leaf| {
                let weight = format!("{name}.norm.{leaf}");
                let table = Conv::linear("", self.styles, channels).no_bias();
                g.conv(weights, Conv { weight, layout: Layout::InOut, ..table })
            });
            g.instance_norm_by(x, scale, shift, EPS)
        });
        g
    }
}
