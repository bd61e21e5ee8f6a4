//! A graph that is ready to run where the device policy puts networks: on the processor, or, in
//! builds that have the tensor library, on one of its devices.

use super::Device;
use super::generator::Run;
use super::worker::NetworkError;
use crate::nets::cpu::{Processor, Stop};
use crate::nets::graph::Graph;
#[cfg(feature = "infer")]
use crate::nets::tensor::OnDevice;
use crate::nets::{Planes, Source};

pub(super) enum Layers {
    Processor(Processor),
    #[cfg(feature = "infer")]
    OnDevice(OnDevice),
}

impl Layers {
    /// Reads every parameter from `source`.
    pub(super) fn new<E>(graph: Graph, device: &Device, source: Source<'_, E>) -> Result<Self, E> {
        #[cfg(feature = "infer")]
        if *device != Device::flex() {
            return OnDevice::new(graph, device, source).map(Self::OnDevice);
        }
        #[cfg(not(feature = "infer"))]
        let _ = device;
        Processor::new(graph, source).map(Self::Processor)
    }

    /// Memory of the weights as the processor holds them; `None` elsewhere.
    pub(super) fn weight_bytes(&self) -> Option<u64> {
        match self {
            Self::Processor(net) => Some(net.weight_bytes()),
            #[cfg(feature = "infer")]
            Self::OnDevice(_) => None,
        }
    }
}

impl Run for Layers {
    /// Runs the network and reads its result back, with every failure as an error.
    fn run(&self, inputs: &[Planes], stop: Stop<'_>) -> Result<Vec<Planes>, NetworkError> {
        match self {
            Self::Processor(net) => Run::run(net, inputs, stop),
            #[cfg(feature = "infer")]
            Self::OnDevice(net) => device::run(net, inputs, stop),
        }
    }
}

#[cfg(feature = "infer")]
mod device {
    //! Failures of the graphics stack.

    use std::panic::{AssertUnwindSafe, catch_unwind};

    use burn::tensor::Tensor;

    use super::{NetworkError, OnDevice, Planes, Stop};
    use crate::infer::worker::panic_text;

    pub(super) fn run(
        net: &OnDevice,
        inputs: &[Planes],
        stop: Stop<'_>,
    ) -> Result<Vec<Planes>, NetworkError> {
        let run = || {
            let inputs = inputs.iter().map(|planes| net.upload(planes)).collect();
            let outputs = net.run(inputs, stop);
            if stop() {
                return Err(NetworkError::Stopped);
            }
            outputs.into_iter().map(read_back).collect()
        };
        // Some allocation failures of the graphics stack arrive as panics; they are told from
        // others here, so that the tile can be made smaller.
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
            if speaks_of_memory(panic_text(&*panic)) {
                Err(NetworkError::OutOfMemory)
            } else {
                std::panic::resume_unwind(panic)
            }
        })
    }

    fn read_back(tensor: Tensor<4>) -> Result<Planes, NetworkError> {
        let [_, channels, height, width] = tensor.dims();
        let data = tensor.try_into_vec_as::<f32>().map_err(|err| {
            let text = err.to_string();
            if speaks_of_memory(&text) {
                NetworkError::OutOfMemory
            } else {
                NetworkError::Failed(text)
            }
        })?;
        Ok(Planes { channels, height, width, data })
    }

    fn speaks_of_memory(text: &str) -> bool {
        let text = text.to_lowercase();
        text.contains("out of memory") || text.contains("outofmemory") || text.contains("allocat")
    }
}
