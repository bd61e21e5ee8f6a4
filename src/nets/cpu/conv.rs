//! Convolutions on the processor: which kernel runs which.
//!
//! Winograd's minimal filtering takes the 3×3 convolutions of stride 1 with enough channels, a
//! product of matrices the 1×1 ones, a channel-wise kernel the depthwise ones, one of its own those
//! that read or make few channels, another the transposed ones whose squares do not overlap, the
//! direct kernel the rest.

use super::Stop;
use super::depthwise::Depthwise;
use super::direct::Direct;
use super::epilogue::{Epilogue, Modulation};
use super::few::Few;
use super::map::Map;
use super::pointwise::Pointwise;
use super::tiled::Tiled;
use super::winograd::{Phases, Winograd};
use crate::nets::graph::{Conv, Layout};

/// Fewest channels, in and out, with which the transforms of Winograd's method pay off.
pub(super) const WINOGRAD_CHANNELS: usize = 12;

/// A convolution that is ready to run.
#[derive(Clone, Debug)]
pub enum Kernel {
    Winograd(Winograd),
    Phases(Phases),
    Pointwise(Pointwise),
    Few(Few),
    Direct(Direct),
    Depthwise(Depthwise),
    Tiled(Tiled),
}

impl Kernel {
    /// `weight` as in the checkpoint; `parts` are the channels of the maps that are read as one.
    pub fn new(conv: &Conv, weight: &[f32], parts: &[usize], epilogue: Epilogue) -> Self {
        let (from, to) = (conv.channels_in, conv.channels_out);
        if Depthwise::fit(conv) {
            return Self::Depthwise(Depthwise::new(conv, weight, epilogue));
        }
        let dense = dense_weight(conv, weight);
        if Phases::fit(conv) {
            return Self::Phases(Phases::new(conv, &dense, parts, epilogue));
        }
        if Tiled::fit(conv) {
            return Self::Tiled(Tiled::new(conv, &dense, parts, &epilogue));
        }
        if Pointwise::fit(conv) {
            return Self::Pointwise(Pointwise::new(&dense, to, parts, epilogue));
        }
        let is_plain =
            conv.kernel == [3, 3] && (conv.stride, conv.dilation, conv.transposed) == (1, 1, false);
        if is_plain && from.min(to) >= WINOGRAD_CHANNELS {
            return Self::Winograd(Winograd::new(
                &dense,
                to,
                parts,
                (conv.pad, conv.edge),
                epilogue,
            ));
        }
        if Few::fit(conv) {
            return Self::Few(Few::new(conv, &dense, parts, epilogue));
        }
        Self::Direct(Direct::new(conv, &dense, parts, epilogue))
    }

    /// Memory of the prepared weights.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Winograd(kernel) => kernel.bytes(),
            Self::Phases(kernel) => kernel.bytes(),
            Self::Pointwise(kernel) => kernel.bytes(),
            Self::Few(kernel) => kernel.bytes(),
            Self::Direct(kernel) => kernel.bytes(),
            Self::Depthwise(kernel) => kernel.bytes(),
            Self::Tiled(kernel) => kernel.bytes(),
        }
    }

    /// Convolves the concatenation of `maps`, all of one size. What is left out when `stop`
    /// answers true is unspecified.
    pub fn run(&self, maps: &[&Map], stop: Stop<'_>) -> Map {
        self.run_modulated(maps, None, stop)
    }

    /// [`Kernel::run`] with `modulation` before the bias, where [`takes_modulation`].
    pub fn run_modulated(
        &self,
        maps: &[&Map],
        modulation: Option<Modulation<'_>>,
        stop: Stop<'_>,
    ) -> Map {
        match self {
            Self::Winograd(kernel) => kernel.run(maps, modulation, stop),
            Self::Phases(kernel) => kernel.run(maps, modulation, stop),
            Self::Pointwise(kernel) => kernel.run(maps, modulation, stop),
            Self::Few(kernel) => kernel.run(maps, modulation, stop),
            Self::Direct(kernel) => {
                let side = maps.first().map_or([0; 2], |map| [map.height, map.width]);
                kernel.run(maps, modulation, kernel.output(side), stop)
            }
            Self::Depthwise(kernel) => kernel.run(maps, stop),
            Self::Tiled(kernel) => kernel.run(maps, stop),
        }
    }

    /// [`Kernel::run`] to results of a size that several inputs of a strided one may have.
    pub fn run_to(&self, maps: &[&Map], side: [usize; 2], stop: Stop<'_>) -> Map {
        match self {
            Self::Direct(kernel) => kernel.run(maps, None, side, stop),
            Self::Tiled(kernel) => kernel.run_to(maps, side, stop),
            _ => self.run(maps, stop),
        }
    }
}

/// Whether its kernel can modulate the results.
pub(super) fn takes_modulation(conv: &Conv) -> bool {
    conv.groups == 1 && !Tiled::fit(conv)
}

/// The weight as `[out, in, height, width]`: groups become blocks among zeros, transposed
/// weights and tables are turned.
pub(super) fn dense_weight(conv: &Conv, weight: &[f32]) -> Vec<f32> {
    let (from, to) = (conv.channels_in, conv.channels_out);
    let area = conv.kernel[0] * conv.kernel[1];
    let turned = match conv.layout {
        Layout::Kernel => conv.transposed,
        Layout::InOut => true,
        Layout::OutFirst | Layout::OutIn => false,
    };
    if conv.groups == 1 && !turned {
        return weight.to_vec();
    }
    let (group_in, group_out) = (from / conv.groups, to / conv.groups);
    let mut dense = vec![0.0; to * from * area];
    for group in 0..conv.groups {
        for o in 0..group_out {
            for i in 0..group_in {
                let (out, input) = (group * group_out + o, group * group_in + i);
                let at = if turned { input * group_out + o } else { out * group_in + i };
                let target = &mut dense[(out * from + input) * area..][..area];
                target.copy_from_slice(&weight[at * area..][..area]);
            }
        }
    }
    dense
}

#[cfg(test)]
mod tests;
