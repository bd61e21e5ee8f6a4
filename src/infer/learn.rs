//! Directions with names: faces are drawn, networks say what they show, and a regression finds the
//! way along which that changes (Shen et al. 2020, InterFaceGAN; here ridge regression).

use super::faces;
use super::generator::Generator;
use super::picture::{from_range, resize_lanczos3, to_picture};
use super::protocol::{Discover, Faces, Stage};
use super::worker::{Context, End, Models};
use crate::color::{ProfileMap, WorkingProfile};
use crate::faces::{Face, Wants};
use crate::geom::{IRect, Size};
use crate::latent::boundary::Labelled;
use crate::latent::random::normal_latent;
use crate::latent::{Direction, DirectionSet, Noise, Pca, Provenance};
use crate::pixels::{Depth, PixelBuf};
use crate::portrait::Measures;
use crate::zoo::Range;

/// Faces that are drawn.
const DRAWN: usize = 1200;
/// Fewer recognised faces teach nothing.
const MIN_FACES: usize = 200;
/// Side at which the networks look at a face, without its margin.
const SEEN_SIDE: u32 = 256;
/// Width of the margin around, over the side: generators crop more tightly than detectors want.
const MARGIN: f64 = 0.35;
/// Share of the faces that the regression does not see.
const HELD_OUT: f64 = 0.25;
/// Of the regression, in units of the codes' mean variance.
const RIDGE: f64 = 0.05;
/// A direction whose regression predicts the unseen faces less well than this is left out.
const MIN_CORRELATION: f64 = 0.25;

/// What a face shows, each a number.
const NAMES: [&str; 7] =
    ["Smile", "Age", "Masculine", "Turn right", "Look up", "Mouth open", "Eyes open"];

/// Adds the directions that could be learnt to `set`, which knows how W spreads.
pub(super) fn run(
    task: &Discover,
    hash: &str,
    pca: &Pca,
    models: &mut dyn Models,
    context: &mut Context<'_>,
    set: &mut DirectionSet,
) -> Result<(), End> {
    let mut codes = Vec::new();
    let mut labels: Vec<[f32; NAMES.len()]> = Vec::new();
    for at in 0..DRAWN {
        context.check()?;
        context.progress(Stage::Running, at as u32, DRAWN as u32, at as f64 / DRAWN as f64);
        let generator = models.generator(&task.model).map_err(End::Failed)?;
        let (row, picture) = draw(generator, at as u64, context)?;
        let search = Faces {
            image: std::sync::Arc::new(picture),
            profile: WorkingProfile::srgb(),
            wants: Wants { landmarks: true, age_gender: true, ..Wants::default() },
            models: task.finders.clone(),
        };
        let found = faces::find(&search, models, context)?;
        if let Some(shown) = found.first().and_then(numbers) {
            codes.extend(row);
            labels.push(shown);
        }
    }
    if labels.len() < MIN_FACES {
        let (seen, wanted) = (labels.len(), MIN_FACES);
        return Err(End::Failed(format!(
            "only {seen} of {DRAWN} pictures show a face that is recognised; {wanted} are needed"
        )));
    }
    for (at, name) in NAMES.iter().enumerate() {
        let column: Vec<f32> = labels.iter().map(|label| label[at]).collect();
        let column = standardised(&column);
        let labelled = Labelled::new(&codes, &column)?;
        let (learn, held) = labelled.split(HELD_OUT, 0);
        let Ok(boundary) = labelled.ridge(&learn, RIDGE) else { continue };
        let dim = boundary.normal.len();
        let said = held.iter().map(|&i| boundary.distance(&codes[i * dim..(i + 1) * dim]));
        let seen: Vec<f32> = held.iter().map(|&i| column[i]).collect();
        let correlation = correlation(&said.collect::<Vec<_>>(), &seen);
        if correlation < MIN_CORRELATION {
            context.notice(format!("{name} cannot be told from this generator's faces"));
            continue;
        }
        let provenance = Provenance {
            method: "ridge".into(),
            model: Some(hash.to_owned()),
            details: format!(
                "{} drawn faces as networks see them; correlation {correlation:.2} on {} unseen",
                learn.len(),
                held.len()
            ),
        };
        set.add(Direction::new(name, dim, boundary.normal, provenance)?.in_sigma(pca)?)?;
    }
    Ok(())
}

/// A row of W and its picture, large enough for the networks and with a margin around.
fn draw(
    generator: &mut dyn Generator,
    seed: u64,
    context: &Context<'_>,
) -> Result<(Vec<f32>, PixelBuf), End> {
    let cancel = context.cancel();
    let stop = || cancel.is_set();
    let space = generator.space().clone();
    let class = vec![1.0 / space.classes.max(1) as f32; space.classes];
    let row = generator.map(&normal_latent(seed, space.z_dim, 1.0), &class, &stop)?;
    let planes = generator.synthesize(&row.repeat(space.rows()), Noise::Const, &stop)?;
    let size = Size::new(planes.width as u32, planes.height as u32);
    let planes = from_range(planes, Range::Signed, size).map_err(End::Failed)?;
    let picture = to_picture(&planes, &ProfileMap::new(&WorkingProfile::srgb()), Depth::U16);
    let side = Size::new(SEEN_SIDE, SEEN_SIDE);
    let large = resize_lanczos3(&picture, side).map_err(End::Failed)?.to_depth(Depth::U8);
    Ok((row, with_margin(&large)))
}

/// The picture with its outermost pixels going on around it.
fn with_margin(picture: &PixelBuf) -> PixelBuf {
    let size = picture.size();
    let margin = (f64::from(size.width) * MARGIN) as i32;
    let area = IRect::new(0, 0, size.width as i32, size.height as i32).grow(margin);
    let mut out = PixelBuf::new(area.size(), picture.channels(), picture.depth());
    for y in 0..area.size().height {
        for x in 0..area.size().width {
            let from = |place: u32, side: u32| (place as i32 - margin).clamp(0, side as i32 - 1);
            let (from_x, from_y) = (from(x, size.width) as u32, from(y, size.height) as u32);
            out.set_pixel_f32(x, y, picture.pixel_f32(from_x, from_y));
        }
    }
    out
}

/// The numbers of [`NAMES`]; `None` where a network sees no face.
fn numbers(face: &Face) -> Option<[f32; NAMES.len()]> {
    let measures = Measures::of_mesh(face.landmarks.as_deref()?)?;
    let Measures { yaw_deg, pitch_deg, mouth_open, eyes_open, mouth_width, corner_lift } = measures;
    // Both vary about alike, in units of the eyes' distance.
    let smile = corner_lift + 0.5 * mouth_width;
    let numbers = [smile, face.age?, face.male?, yaw_deg, pitch_deg, mouth_open, eyes_open];
    numbers.iter().all(|number| number.is_finite()).then_some(numbers)
}

/// With mean 0 and deviation 1.
fn standardised(values: &[f32]) -> Vec<f32> {
    let count = values.len().max(1) as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
    let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / count;
    let sigma = variance.sqrt().max(1e-12);
    values.iter().map(|v| ((f64::from(*v) - mean) / sigma) as f32).collect()
}

/// Pearson's correlation; 0 where one does not vary.
fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let (a, b) = (standardised(a), standardised(b));
    let products = a.iter().zip(&b).map(|(a, b)| f64::from(*a) * f64::from(*b));
    products.sum::<f64>() / a.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlation_is_that_of_pearson() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert!((correlation(&a, &[2.0, 4.0, 6.0, 8.0, 10.0]) - 1.0).abs() < 1e-6);
        assert!((correlation(&a, &[5.0, 4.0, 3.0, 2.0, 1.0]) + 1.0).abs() < 1e-6);
        // NumPy's corrcoef.
        assert!((correlation(&a, &[2.0, 1.0, 4.0, 3.0, 5.0]) - 0.8).abs() < 1e-6);
        assert_eq!(correlation(&a, &[7.0; 5]), 0.0);
    }

    #[test]
    fn a_margin_goes_on_with_the_outermost_pixels() {
        let mut picture = PixelBuf::filled(Size::new(20, 20), 4, Depth::U8, [9, 9, 9, 255]);
        picture.set_pixel_f32(0, 0, [1.0, 0.0, 0.0, 1.0]);
        let wide = with_margin(&picture);
        assert_eq!(wide.size(), Size::new(34, 34));
        assert_eq!(wide.pixel_f32(0, 0), picture.pixel_f32(0, 0));
        assert_eq!(wide.pixel_f32(7, 7), picture.pixel_f32(0, 0));
        assert_eq!(wide.pixel_f32(33, 33), picture.pixel_f32(19, 19));
    }
}
