//! How long the installed networks take on small inputs.

use std::time::Instant;

use serde_json::json;

use super::super::networks;
use super::super::report::{self, Failure};
use super::{Args, Bench};
use crate::infer::models::ModelStore;
use crate::infer::protocol::ModelRef;
use crate::infer::worker::{Models, NetworkError, Planes};
use crate::zoo::Purpose;

/// A network ready to be run on the same input again and again.
struct Subject {
    model: ModelRef,
    purpose: Purpose,
    planes: Planes,
}

impl Subject {
    fn new(store: &ModelStore, id: &str, side: u32) -> Result<Self, Failure> {
        let installed = store.library().find(id);
        let installed = installed.map_err(|err| Failure::input(report::sentence(&err)))?;
        let side = side as usize;
        let data = (0..3 * side * side).map(|at| (at * 37 % 251) as f32 / 250.0).collect();
        let planes = Planes { channels: 3, height: side, width: side, data };
        let (model, purpose) = (ModelRef::Id(id.into()), installed.manifest.purpose);
        Ok(Self { model, purpose, planes })
    }

    /// Runs the network once and answers the shape of its input.
    fn run(&self, store: &mut ModelStore) -> Result<Vec<usize>, Failure> {
        let failed = |err: NetworkError| Failure::failed(format!("{}: {err}", self.model));
        match self.purpose {
            Purpose::Upscale => {
                let network = store.upscaler(&self.model).map_err(Failure::failed)?;
                std::hint::black_box(network.enlarge(&self.planes).map_err(failed)?);
                Ok(vec![1, self.planes.channels, self.planes.height, self.planes.width])
            }
            Purpose::Generate => {
                let network = store.generator(&self.model).map_err(Failure::failed)?;
                let latent: Vec<_> =
                    (0..network.latent_len()).map(|at| (at as f32 * 0.7).sin()).collect();
                let shape = vec![1, latent.len()];
                std::hint::black_box(network.draw(&[latent]).map_err(failed)?);
                Ok(shape)
            }
        }
    }

    /// Megapixels of the input; a latent has none.
    fn megapixels(&self) -> f64 {
        match self.purpose {
            Purpose::Upscale => (self.planes.width * self.planes.height) as f64 / 1e6,
            Purpose::Generate => 0.0,
        }
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
        let subject = Subject::new(&store, &id, args.side)?;
        let megapixels = subject.megapixels();
        let mut first = None;
        bench.time(&entry_name(&id), device, megapixels, || {
            let started = Instant::now();
            let shape = subject.run(&mut store)?;
            let seconds = started.elapsed().as_secs_f64();
            // The first run, which is not counted, loads the network.
            let loaded = *first.get_or_insert(seconds);
            let rate = (megapixels > 0.0).then(|| format!(", {:.1} s/MP", seconds / megapixels));
            Ok(Some(format!("input {shape:?}, first {loaded:.2} s{}", rate.unwrap_or_default())))
        })?;
    }
    Ok(())
}

/// One network by name, for comparing with other programs that run it.
pub(super) fn run_one(args: &Args, id: &str) -> Result<(), Failure> {
    let mut store = networks::store(args.device)?;
    let subject = Subject::new(&store, id, args.side)?;
    let input = subject.run(&mut store)?;
    let mut seconds = Vec::with_capacity(args.runs);
    for _ in 0..args.runs {
        let started = Instant::now();
        subject.run(&mut store)?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    if args.json {
        return report::print_json(&json!({ "name": id, "input": input, "seconds": median }));
    }
    report::print(format!("{id}  input {input:?}  {median:.3} s"))
}

fn entry_name(id: &str) -> String {
    format!("network/{id}")
}
