//! Finds directions of a generator.

use super::learn;
use super::protocol::{Choice, Discover, Method, Stage};
use super::worker::{Context, End, Models};
use crate::latent::boundary::Labelled;
use crate::latent::random::Normal;
use crate::latent::{self, Direction, DirectionSet, Moments, Provenance};

/// Codes whose spread is measured.
const SAMPLES: usize = 10_000;
/// Codes that are mapped at a time.
const BATCH: usize = 1_000;
/// What the direction of a person's choices is called first.
const LIKED: &str = "Liked";
/// Choices of either kind that say something.
pub const MIN_CHOICES: usize = 3;
/// Most directions of one search.
pub const MAX_COUNT: usize = 64;

pub(super) fn run(
    task: &Discover,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<DirectionSet, End> {
    if !(1..=MAX_COUNT).contains(&task.count) {
        return Err(End::Failed(format!("1 to {MAX_COUNT} directions can be found at a time")));
    }
    context.progress(Stage::Loading, 0, 1, 0.0);
    let hash = models.hash(&task.model).map_err(End::Failed)?;
    let generator = models.generator(&task.model).map_err(End::Failed)?;
    let space = generator.space().clone();
    let cancel = context.cancel();
    let stop = || cancel.is_set();
    // How codes spread: it says what one sigma is, whatever the method.
    let mut moments = Moments::new(space.w_dim);
    let mut normal = Normal::new(0);
    while moments.count() < SAMPLES {
        context.check()?;
        let (done, total) = (moments.count() as u32, SAMPLES as u32);
        context.progress(Stage::Running, done, total, f64::from(done) / f64::from(total));
        moments.push(&generator.sample(&mut normal, BATCH, &stop)?)?;
    }
    let count = task.count.min(space.w_dim);
    let pca = moments.pca(space.w_dim)?;
    let found: Vec<(String, Vec<f32>)> = match &task.method {
        Method::Pca => {
            let components = pca.components().take(count).map(<[f32]>::to_vec);
            components.enumerate().map(|(at, v)| (format!("PCA {}", at + 1), v)).collect()
        }
        Method::Faces => Vec::new(),
        Method::Choices(choices) => vec![(LIKED.into(), liked(choices, &hash, space.w_dim)?)],
        Method::Sefa => {
            let weights: Vec<&[f32]> = generator.styles().iter().map(|s| &*s.weight).collect();
            let vectors = latent::sefa(&weights, space.w_dim, count)?;
            vectors.into_iter().enumerate().map(|(at, v)| (format!("SeFa {}", at + 1), v)).collect()
        }
    };
    let mut set = DirectionSet::new(space.w_dim);
    for (name, vector) in found {
        let provenance = Provenance {
            method: name.split(' ').next().unwrap_or_default().to_lowercase(),
            model: Some(hash.clone()),
            details: String::new(),
        };
        set.add(Direction::new(&name, space.w_dim, vector, provenance)?.in_sigma(&pca)?)?;
    }
    if task.method == Method::Faces {
        learn::run(task, &hash, &pca, models, context, &mut set)?;
    }
    set.set_pca(pca)?;
    Ok(set)
}

/// The normal of the plane between what a person likes and what they do not, by the mean rows of
/// the codes.
fn liked(choices: &[Choice], hash: &str, dim: usize) -> Result<Vec<f32>, End> {
    let count = |liked: bool| choices.iter().filter(|choice| choice.liked == liked).count();
    if count(true).min(count(false)) < MIN_CHOICES {
        let text = format!("{MIN_CHOICES} pictures of either kind are needed, liked and not");
        return Err(End::Failed(text));
    }
    let (mut codes, mut labels) = (Vec::new(), Vec::new());
    for Choice { code, liked } in choices {
        if code.model() != hash {
            return Err(End::Failed("a picture is of another model".into()));
        }
        let rows = code.w().chunks_exact(dim);
        let share = 1.0 / rows.len().max(1) as f32;
        let mut mean = vec![0.0; dim];
        rows.for_each(|row| mean.iter_mut().zip(row).for_each(|(sum, v)| *sum += v * share));
        codes.extend(mean);
        labels.push(if *liked { 1.0 } else { -1.0 });
    }
    let all: Vec<usize> = (0..choices.len()).collect();
    Ok(Labelled::new(&codes, &labels)?.support_vectors(&all, 1.0, 0)?.normal)
}
