//! How long the installed networks take on small inputs.

use std::time::Instant;

use serde_json::json;

use super::super::networks;
use super::super::report::{self, Failure};
use super::{Args, Bench};
use crate::infer::models::ModelStore;
use crate::infer::protocol::ModelRef;
use crate::infer::worker::Models;
use crate::nets::Planes;
use crate::zoo::{Extent, Purpose};

/// A network's name with inputs on which it is run again and again.
struct Subject {
    model: ModelRef,
    inputs: Vec<Planes>,
}

impl Subject {
    /// Loads the network and makes inputs of `side` pixels for it.
    fn new(store: &mut ModelStore, id: &str, side: u32) -> Result<Self, Failure> {
        let installed = store.library().find(id);
        installed.map_err(|err| Failure::input(report::sentence(&err)))?;
        let model = ModelRef::Id(id.into());
        let network = store.network(&model).map_err(Failure::failed)?;
        let capability = network.capability();
        let picture = match capability.extent {
            Extent::Fixed(side) => side,
            _ => [side.next_multiple_of(capability.multiple.max(1)) as usize; 2],
        };
        let (purpose, channels) = (capability.purpose, network.input_channels());
        let inputs = channels.into_iter().enumerate().map(|(index, channels)| {
            // What is not a picture is a vector: latents, strengths, styles.
            let [height, width] = match (purpose, index) {
                (Purpose::Generate, _) => [1, 1],
                (Purpose::Inpaint, _) | (_, 0) => picture,
                _ => [1, 1],
            };
            let values = (0..channels * height * width).map(|at| (at * 37 % 251) as f32 / 250.0);
            Planes { channels, height, width, data: values.collect() }
        });
        let inputs = inputs.collect();
        Ok(Self { model, inputs })
    }

    fn run(&self, store: &mut ModelStore) -> Result<(), Failure> {
        let network = store.network(&self.model).map_err(Failure::failed)?;
        let outputs = network.run(&self.inputs, &|| false);
        let failed = |err| Failure::failed(format!("{}: {err}", self.model));
        std::hint::black_box(outputs.map_err(failed)?);
        Ok(())
    }

    /// The shape of the first input.
    fn shape(&self) -> Vec<usize> {
        let first = self.inputs.first();
        first.map_or_else(Vec::new, |planes| vec![1, planes.channels, planes.height, planes.width])
    }

    /// Megapixels of the first input; a vector has none.
    fn megapixels(&self) -> f64 {
        let pixels = self.inputs.first().map_or(0, |planes| planes.width * planes.height);
        if pixels > 1 { pixels as f64 / 1e6 } else { 0.0 }
    }
}

/// All installed networks that are wanted.
pub(super) fn run(bench: &mut Bench, args: &Args) -> Result<(), Failure> {
    let (installed, _) = crate::zoo::Library::discover().list();
    let ids: Vec<_> = installed
        .into_iter()
        .map(|model| model.manifest.id)
        .filter(|id| bench.wants(&entry_name(id)))
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    let mut store = networks::store(args.device)?;
    let device = if store.on_processor() { "cpu" } else { "gpu" };
    for id in ids {
        let subject = Subject::new(&mut store, &id, args.side)?;
        let (shape, megapixels) = (subject.shape(), subject.megapixels());
        bench.time(&entry_name(&id), device, megapixels, || {
            let started = Instant::now();
            subject.run(&mut store)?;
            let rate = started.elapsed().as_secs_f64() / megapixels;
            let rate = (megapixels > 0.0).then(|| format!(", {rate:.1} s/MP"));
            Ok(Some(format!("input {shape:?}{}", rate.unwrap_or_default())))
        })?;
    }
    Ok(())
}

/// One network by name, for comparing with other programs that run it.
pub(super) fn run_one(args: &Args, id: &str) -> Result<(), Failure> {
    let mut store = networks::store(args.device)?;
    let subject = Subject::new(&mut store, id, args.side)?;
    subject.run(&mut store)?;
    let mut seconds = Vec::with_capacity(args.runs);
    for _ in 0..args.runs {
        let started = Instant::now();
        subject.run(&mut store)?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let (input, median) = (subject.shape(), seconds[seconds.len() / 2]);
    if args.json {
        return report::print_json(&json!({ "name": id, "input": input, "seconds": median }));
    }
    report::print(format!("{id}  input {input:?}  {median:.3} s"))
}

fn entry_name(id: &str) -> String {
    format!("network/{id}")
}
