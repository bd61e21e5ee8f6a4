//! Pivotal tuning (Roich et al. 2021): around a code that draws a picture roughly, the generator's
//! weights are changed a little, until it draws the picture as it is. Codes nearby change along, so
//! that the picture can be edited; a regulariser holds the others where they were.

use std::collections::{BTreeMap, BTreeSet};

use super::generator::{Generator, inputs};
use super::worker::NetworkError;
use crate::latent::Adam;
use crate::latent::invert::{Pyramid, Term, weighted};
use crate::latent::random::Normal;
use crate::nets::Planes;
use crate::nets::cpu::Stop;
use crate::nets::cpu::gradient::Differentiable;
use crate::nets::graph::{Graph, Layout, Op};

/// Step of Adam; weights of the published networks are about 1.
const LEARNING_RATE: f32 = 1e-3;
/// How far from the pivot, towards a random code, the generator should be what it was, in the mean
/// distance of random codes.
const LOCAL: f32 = 0.5;
/// What its change there counts beside the picture.
const LOCALITY: f64 = 0.1;

/// What a step costs beside one of the search for a code.
pub(super) const STEP_COST: f64 = 2.5;

/// The code around which the weights are tuned.
pub(super) struct Pivot<'a> {
    /// `[rows, w_dim]`.
    pub w: &'a [f32],
    pub noise: &'a [Planes],
    pub seed: u64,
}

/// What tuning has led to.
pub(super) struct Tuned {
    /// What the weights change by, by official name.
    pub changes: BTreeMap<String, Vec<f32>>,
    /// The pivot's picture with these.
    pub picture: Planes,
}

/// Tunes the weights of the synthesis by `steps` steps. `terms` say how far a picture is from the
/// wanted one. Ends early where `stop` answers true, with the latest; `None` where nothing was
/// drawn yet.
pub(super) fn tune(
    generator: &mut dyn Generator,
    pivot: &Pivot<'_>,
    terms: &mut [(f64, &mut dyn Term)],
    steps: usize,
    watch: &mut dyn FnMut(usize, &Planes),
    stop: Stop<'_>,
) -> Result<Option<Tuned>, NetworkError> {
    let failed = |reason: String| NetworkError::Failed(reason);
    let (space, mean) = (generator.space().clone(), generator.mean().to_vec());
    let mut random = Normal::new(pivot.seed);
    let (graph, source) = generator.synthesis();
    let (graph, names) = (graph.clone(), tuned(graph));
    let mut start = BTreeMap::new();
    for name in &names {
        start.insert(name.clone(), source(name).map_err(failed)?);
    }
    let mut weights = start.clone();
    let mut adams: BTreeMap<&String, Adam> =
        start.iter().map(|(name, list)| (name, Adam::new(list.len()))).collect();
    let pivot_inputs = inputs(&space, pivot.w, pivot.noise)?;
    let mut latest: Option<Tuned> = None;
    // One look more than there are steps: the last one wants to be seen, too.
    for done in 0..=steps {
        if stop() {
            break;
        }
        // A code on the way to a random one, and what it was before.
        let row = generator.sample(&mut random, 1, stop)?;
        let toward = pivot.w.iter().zip(row.iter().cycle()).zip(mean.iter().cycle());
        let near: Vec<f32> = toward.map(|((w, to), mean)| w + LOCAL * (to - mean)).collect();
        let before = generator.draw(&near, pivot.noise, stop)?;
        let (_, source) = generator.synthesis();
        let mut current = |name: &str| match weights.get(name) {
            Some(list) => Ok(list.clone()),
            None => source(name),
        };
        let network = Differentiable::new(graph.clone(), names.clone(), &mut current)
            .map_err(|err| failed(err.to_string()))?;
        let mut slopes = BTreeMap::new();
        let mut add = |inputs: &[Planes], judge: &mut dyn FnMut(&Planes) -> Planes| {
            let trace = network.run(inputs, stop).map_err(|_| NetworkError::Stopped)?;
            let slope = judge(&trace.outputs[0]);
            let gradients = rayon::scope(|_| network.backward(&trace, &[slope], stop));
            let gradients = gradients.map_err(|_| NetworkError::Stopped)?;
            for (name, more) in gradients.params {
                let sum: &mut Vec<f32> =
                    slopes.entry(name).or_insert_with(|| vec![0.0; more.len()]);
                sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            }
            Ok::<_, NetworkError>(())
        };
        let own = add(&pivot_inputs, &mut |picture| {
            watch(done, picture);
            latest = Some(Tuned { changes: weights.clone(), picture: picture.clone() });
            weighted(terms, picture).1
        });
        if done == steps {
            break;
        }
        let area = before.height * before.width;
        let mut local = Pyramid::new(before, vec![1.0; area]);
        let rest = own.and_then(|()| {
            add(&inputs(&space, &near, pivot.noise)?, &mut |picture| {
                let mut terms: Vec<(f64, &mut dyn Term)> = Vec::new();
                terms.extend(local.as_mut().map(|local| (LOCALITY, local as &mut dyn Term)));
                weighted(&mut terms, picture).1
            })
        });
        match rest {
            // What was stopped in the middle leaves the step before.
            Err(_) if stop() => break,
            rest => rest?,
        }
        for (name, adam) in &mut adams {
            if let (Some(weight), Some(slope)) = (weights.get_mut(*name), slopes.get(*name)) {
                adam.step(weight, slope, LEARNING_RATE);
            }
        }
    }
    if let Some(tuned) = &mut latest {
        for (name, weight) in &mut tuned.changes {
            let before = start[name].iter();
            weight.iter_mut().zip(before).for_each(|(weight, before)| *weight -= before);
        }
    }
    Ok(latest)
}

/// The weights that are tuned: those of the convolutions of pictures. What reads the code stays, and
/// with it what directions mean.
fn tuned(graph: &Graph) -> BTreeSet<String> {
    let convolutions = graph.nodes().iter().filter_map(|node| match &node.op {
        Op::Conv(conv) if conv.layout != Layout::OutIn => Some(conv.weight.clone()),
        _ => None,
    });
    convolutions.collect()
}
