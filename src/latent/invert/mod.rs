//! Inversion: the code whose picture is nearest to a given one, by optimisation.
//!
//! The schedule is that of StyleGAN2's projector (Karras et al. 2020, appendix D): Adam with a
//! ramp up and down, random steps in W that die away, noise maps kept free of structure. Codes are
//! optimised in W or row by row in W+ (Abdal et al. 2019). With a mask only some pixels count,
//! which fills the others from what the generator knows (Yeh et al. 2017).

mod loss;
mod noise;

pub use loss::{Pyramid, Term, near_hole};

use super::adam::Adam;
use super::random::Normal;
use crate::nets::Planes;

/// What a picture depends on, or by how much.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs {
    /// `[rows, dim]`, row by row.
    pub w: Vec<f32>,
    /// The noise of each layer, square.
    pub noise: Vec<Vec<f32>>,
}

/// A generator that can say how its picture depends on what it is drawn from.
pub trait Slopes {
    /// Why there is no picture; also that somebody asked to stop.
    type Error;

    /// Draws the picture `[3, side, side]` of `inputs`, nominally `-1..=1`, or its features where
    /// points are dragged, has `judge` answer the gradient of some number by it, and answers the
    /// gradient of that number by `inputs`. The noise may be left out where `with_noise` is false.
    ///
    /// # Errors
    /// Those of the generator.
    fn slopes(
        &mut self,
        inputs: &Inputs,
        with_noise: bool,
        judge: &mut dyn FnMut(&Planes) -> Planes,
    ) -> Result<Inputs, Self::Error>;
}

/// In which space a code is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Space {
    /// One row for all layers: easier to edit, less alike.
    W,
    /// A row for each layer.
    #[default]
    WPlus,
}

/// How a code is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    pub space: Space,
    /// At least 1.
    pub steps: usize,
    /// Largest step of Adam, in standard deviations of a number of W.
    pub learning_rate: f32,
    /// First random steps in W, in standard deviations; they help to leave a bad start and hurt a
    /// good one.
    pub exploration: f32,
    /// `0..=1`: from the most alike to the best to edit. Pulls rows towards the mean of W and
    /// towards each other.
    pub editability: f32,
    /// How much it counts how different pictures look to a network, where there is one, beside how
    /// different their pixels are.
    pub perceptual: f64,
    /// How much it counts whether a face is the same one to a network that describes faces, where
    /// there is one.
    pub identity: f64,
    /// Steps in which the generator's weights are tuned around the code that was found; 0 for none.
    pub pivotal_steps: usize,
    /// Whether the noise maps are optimised, too. They take over what the code cannot say, and
    /// stay behind when it is edited.
    pub with_noise: bool,
    /// Seed of the random steps.
    pub seed: u64,
    /// Steps from one picture in [`Progress`] to the next; 0 for none.
    pub picture_every: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            space: Space::WPlus,
            steps: 300,
            learning_rate: 0.1,
            exploration: 0.05,
            editability: 0.1,
            perceptual: 0.2,
            identity: 0.1,
            pivotal_steps: 0,
            with_noise: false,
            seed: 0,
            picture_every: 10,
        }
    }
}

/// The share of the steps in which the learning rate rises, and that in which it falls.
const RAMP_UP: f32 = 0.05;
const RAMP_DOWN: f32 = 0.25;
/// The share of the steps with random ones.
const EXPLORING: f32 = 0.75;
/// Weight of the noise maps' structure for each of their pixels. The projector's 1e5 goes with maps
/// of a million pixels and a perceptual loss; the slopes of squared differences are a hundred times
/// smaller.
const NOISE_WEIGHT: f64 = 1e-3;
/// Weights of the two pulls at full editability, for rows one standard deviation away.
const PULL_TO_MEAN: f64 = 0.02;
const PULL_TOGETHER: f64 = 0.05;

/// Where codes of a generator lie: what the search starts from and is measured by.
#[derive(Clone, Copy, Debug)]
pub struct Prior<'a> {
    /// The mean of W, one row.
    pub mean: &'a [f32],
    /// Standard deviation of a number of W, over all of them; above 0.
    pub sigma: f32,
}

/// How far an inversion has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Steps done and to do.
    pub done: usize,
    pub steps: usize,
    /// Of the best code so far, without pulls.
    pub loss: f64,
    /// The latest picture, every few steps.
    pub picture: Option<&'a Planes>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Inverted {
    /// The best inputs that were seen.
    pub inputs: Inputs,
    /// Their picture.
    pub picture: Planes,
    /// Their loss, without pulls.
    pub loss: f64,
    /// Steps that were done.
    pub steps: usize,
}

/// Looks for the inputs whose picture has the least loss by `terms`, each with its weight, from
/// `start` on. Ends early where `stop` answers true, with the best so far, also where that made
/// the generator fail; `None` where there was none yet.
///
/// `start.w` is `[rows, dim]` with rows as long as the prior's mean.
///
/// # Errors
/// Those of the generator.
pub fn invert<G: Slopes + ?Sized>(
    generator: &mut G,
    prior: Prior<'_>,
    start: &Inputs,
    terms: &mut [(f64, &mut dyn Term)],
    options: &Options,
    watch: &mut dyn FnMut(Progress<'_>),
    stop: &dyn Fn() -> bool,
) -> Result<Option<Inverted>, G::Error> {
    let mut search = Search::new(prior, start, options);
    let mut best: Option<Inverted> = None;
    let steps = options.steps.max(1);
    // One look more than there are steps: the last step wants to be seen, too.
    for done in 0..=steps {
        if stop() {
            break;
        }
        let inputs = search.explored(done as f32 / steps as f32);
        let mut seen = (0.0, Planes::default());
        let slopes = generator.slopes(&inputs, options.with_noise, &mut |picture| {
            let (loss, slope) = weighted(terms, picture);
            seen = (loss, picture.clone());
            slope
        });
        let slopes = match slopes {
            // The generator was stopped in the middle: what was found before stays.
            Err(_) if stop() && best.is_some() => break,
            slopes => slopes?,
        };
        let (loss, picture) = seen;
        let shown = options.picture_every > 0 && done.is_multiple_of(options.picture_every);
        let least = best.as_ref().map_or(loss, |best| best.loss.min(loss));
        watch(Progress { done, steps, loss: least, picture: shown.then_some(&picture) });
        if best.as_ref().is_none_or(|best| loss < best.loss) {
            best = Some(Inverted { inputs, picture, loss, steps: done });
        }
        if let Some(best) = &mut best {
            best.steps = done;
        }
        if done < steps {
            search.step(slopes, done as f32 / steps as f32);
        }
    }
    Ok(best)
}

/// The weighted sum of the terms and its gradient.
pub fn weighted(terms: &mut [(f64, &mut dyn Term)], picture: &Planes) -> (f64, Planes) {
    let mut slope = Planes { data: vec![0.0; picture.data.len()], ..*picture };
    let mut loss = 0.0;
    for (weight, term) in terms {
        let (own, by_picture) = term.measure(picture);
        loss += *weight * own;
        for (sum, own) in slope.data.iter_mut().zip(by_picture.data) {
            *sum += *weight as f32 * own;
        }
    }
    (loss, slope)
}

/// The state of an optimisation.
struct Search<'a> {
    prior: Prior<'a>,
    options: &'a Options,
    rows: usize,
    /// In W one row, in W+ all.
    w: Vec<f32>,
    noise: Vec<Vec<f32>>,
    w_adam: Adam,
    noise_adam: Vec<Adam>,
    random: Normal,
}

impl<'a> Search<'a> {
    fn new(prior: Prior<'a>, start: &Inputs, options: &'a Options) -> Self {
        let dim = prior.mean.len().max(1);
        let rows = start.w.len() / dim;
        let w = match options.space {
            Space::WPlus => start.w.clone(),
            Space::W => mean_row(&start.w, dim),
        };
        let noise_adam = start.noise.iter().map(|noise| Adam::new(noise.len())).collect();
        Self {
            prior,
            options,
            rows,
            w_adam: Adam::new(w.len()),
            w,
            noise: start.noise.clone(),
            noise_adam,
            random: Normal::new(options.seed),
        }
    }

    /// The inputs of this step, with its random step; `t` is `0..=1`.
    fn explored(&mut self, t: f32) -> Inputs {
        let left = (1.0 - t / EXPLORING).max(0.0);
        let length = self.prior.sigma * self.options.exploration * left * left;
        let mut w = self.w.clone();
        if length > 0.0 {
            let random = self.random.by_ref();
            w.iter_mut().zip(random).for_each(|(value, random)| *value += length * random as f32);
        }
        if self.options.space == Space::W {
            w = w.repeat(self.rows);
        }
        Inputs { w, noise: self.noise.clone() }
    }

    /// Goes down `slopes`, and down those of the pulls.
    fn step(&mut self, slopes: Inputs, t: f32) {
        let falling = ((1.0 - t) / RAMP_DOWN).min(1.0);
        let ramp = (0.5 - 0.5 * (std::f32::consts::PI * falling).cos()) * (t / RAMP_UP).min(1.0);
        let rate = self.options.learning_rate * ramp;
        let mut slope = match self.options.space {
            Space::WPlus => slopes.w,
            Space::W => {
                let dim = self.prior.mean.len().max(1);
                mean_row(&slopes.w, dim).iter().map(|mean| mean * self.rows as f32).collect()
            }
        };
        self.add_pulls(&mut slope);
        self.w_adam.step(&mut self.w, &slope, rate * self.prior.sigma);
        if self.options.with_noise {
            let maps = self.noise.iter_mut().zip(slopes.noise).zip(&mut self.noise_adam);
            for ((map, mut slope), adam) in maps {
                noise::add_slope(map, NOISE_WEIGHT * map.len() as f64, &mut slope);
                adam.step(map, &slope, rate);
                noise::normalise(map);
            }
        }
    }

    /// The gradient of the mean squared distances, in standard deviations, of the rows from the
    /// mean of W and from their own mean.
    fn add_pulls(&self, slope: &mut [f32]) {
        let dim = self.prior.mean.len().max(1);
        let strength = f64::from(self.options.editability);
        let unit = 2.0 * strength / (self.w.len() as f64 * f64::from(self.prior.sigma).powi(2));
        let together = mean_row(&self.w, dim);
        for (at, (slope, value)) in slope.iter_mut().zip(&self.w).enumerate() {
            let (mean, own) = (self.prior.mean[at % dim], together[at % dim]);
            let pull =
                PULL_TO_MEAN * f64::from(value - mean) + PULL_TOGETHER * f64::from(value - own);
            *slope += (unit * pull) as f32;
        }
    }
}

/// The mean of rows of `dim` numbers.
fn mean_row(w: &[f32], dim: usize) -> Vec<f32> {
    let rows = (w.len() / dim).max(1);
    let sum = |column: usize| w.iter().skip(column).step_by(dim).sum::<f32>();
    (0..dim).map(|column| sum(column) / rows as f32).collect()
}
