//! Networks that read a face's code at a glance: where searches start.

use super::worker::NetworkError;
use crate::nets::cpu::{Processor, Stop};
use crate::nets::{LatentSpace, Planes, Source};
use crate::zoo::Spec;

/// An encoder, ready to run on the processor.
pub struct Encoder {
    network: Processor,
    side: u32,
    /// Numbers of a code.
    numbers: usize,
}

/// The side of the face that an encoder reads, and rows and numbers a row of its codes; `None` for
/// other networks.
pub fn code_of(spec: &Spec) -> Option<(usize, [usize; 2])> {
    match spec {
        Spec::PortraitEncoder(net) => Some((net.side(), [net.rows, net.dim])),
        Spec::GradualStyleEncoder(net) => Some((net.side, [net.rows, net.dim()])),
        Spec::AutoencoderKl(net) => Some((net.side(), [1, net.blueprint().space.w_dim])),
        _ => None,
    }
}

/// Whether an encoder's codes are as long as a generator's.
pub fn fits(spec: &Spec, space: &LatentSpace) -> bool {
    code_of(spec).is_some_and(|(_, code)| code == [space.rows(), space.w_dim])
}

impl Encoder {
    /// # Errors
    /// A sentence of `source`, or that the network is none.
    pub fn new(spec: &Spec, source: Source<'_, String>) -> Result<Self, String> {
        let Some((side, [rows, dim])) = code_of(spec) else {
            return Err(format!("a {} reads no codes", spec.architecture()));
        };
        let graph = match spec {
            // Without what draws.
            Spec::AutoencoderKl(net) => net.reader(),
            other => other.graph(),
        };
        let network = Processor::new(graph, source)?;
        Ok(Self { network, side: side as u32, numbers: rows * dim })
    }

    /// Side of the face that it reads, in pixels.
    pub const fn side(&self) -> u32 {
        self.side
    }

    /// What it takes for the code of an aligned face, `[3, side, side]` in `0..=1`: one or more,
    /// for some networks can be read in several ways.
    ///
    /// # Errors
    /// That it was stopped.
    pub fn read(&self, face: &Planes, stop: Stop<'_>) -> Result<Vec<Vec<f32>>, NetworkError> {
        let data = face.data.iter().map(|value| value * 2.0 - 1.0).collect();
        let codes = self.network.run(&[Planes { data, ..*face }], stop);
        let codes = codes.map_err(|_| NetworkError::Stopped)?.into_iter().map(|code| code.data);
        Ok(codes.filter(|code| code.len() == self.numbers).collect())
    }
}
