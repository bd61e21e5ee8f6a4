//! `ganvas latent drag`: points of a code's picture go where they should be.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use serde_json::json;

use super::super::codes::{self, Target};
use super::super::report::{self, Failure};
use super::super::{generate, input, networks};
use crate::device::DeviceChoice;
use crate::infer::drag::{Drag, MAX_STEPS};
use crate::infer::protocol::Task;
use crate::io::luminance_mask;
use crate::latent::drag::{MAX_PULLS, Options, Place, Pull};

/// Drags points of a code's picture to where they should be
#[derive(clap::Args)]
pub(super) struct Args {
    /// The code file
    code: PathBuf,
    /// Points and where they go, in pixels of the generator's picture
    #[arg(long, value_name = "X,Y>X,Y …")]
    points: Points,
    /// The picture to write; the extension chooses the format
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// The code file to write
    #[arg(long = "code", value_name = "OUT.safetensors")]
    code_output: Option<PathBuf>,
    /// The code's generator: an installed one or a checkpoint file [default: the installed one
    /// that the code names]
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// A picture of the generator's size: white may move, black should stay
    #[arg(long, value_name = "MASK")]
    mask: Option<PathBuf>,
    /// Most steps; fewer where all points have arrived
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = parse_steps)]
    steps: usize,
    /// Radius of the patch around a point that is moved, in pixels [default: by the picture's size]
    #[arg(long, value_name = "PX", value_parser = parse_px)]
    radius: Option<f32>,
    /// How far from its last place a point is looked for, in pixels [default: by the picture's
    /// size]
    #[arg(long, value_name = "PX", value_parser = parse_px)]
    reach: Option<f32>,
    /// The layer whose features are followed, by its side in pixels [default: by the picture's
    /// size]
    #[arg(long, value_name = "SIDE")]
    layer: Option<usize>,
    /// Leave out the label that says that a network has drawn the picture
    #[arg(long)]
    no_label: bool,
    /// Where to compute: auto, cpu or gpu:N
    #[arg(long, default_value_t, value_name = "DEVICE")]
    device: DeviceChoice,
    /// Machine-readable summary
    #[arg(long)]
    json: bool,
}

/// `X,Y>X,Y`, several with spaces between them.
#[derive(Clone, Debug, PartialEq)]
struct Points(Vec<Pull>);

impl FromStr for Points {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let place = |text: &str| {
            let (x, y) = text.split_once(',')?;
            let place = [x.trim().parse::<f32>().ok()?, y.trim().parse::<f32>().ok()?];
            place.iter().all(|at| at.is_finite()).then_some(place)
        };
        let pull = |text: &str| {
            let (handle, target) = text.split_once('>')?;
            Some(Pull { handle: place(handle)?, target: place(target)? })
        };
        let pulls = text.split_whitespace().map(pull).collect::<Option<Vec<_>>>();
        pulls.filter(|pulls| (1..=MAX_PULLS).contains(&pulls.len())).map(Self).ok_or_else(|| {
            format!("'{text}' is not X,Y>X,Y, or up to {MAX_PULLS} of these with spaces between")
        })
    }
}

impl Points {
    /// Whether all of them lie in a picture of this side.
    fn check(&self, side: usize) -> Result<(), Failure> {
        let is_outside = |place: &&Place| !place.iter().all(|at| (0.0..=side as f32).contains(at));
        let mut places = self.0.iter().flat_map(|pull| [&pull.handle, &pull.target]);
        match places.find(is_outside) {
            None => Ok(()),
            Some([x, y]) => Err(Failure::input(format!(
                "the point {x},{y} lies outside the generator's picture of {side}×{side} pixels"
            ))),
        }
    }
}

fn parse_steps(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(steps) if (1..=MAX_STEPS).contains(&steps) => Ok(steps),
        _ => Err(format!("must be 1 to {MAX_STEPS}")),
    }
}

fn parse_px(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(px) if (0.25..=64.0).contains(&px) => Ok(px),
        _ => Err("must be 0.25 to 64".into()),
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    generate::check_picture(&args.output)?;
    args.code_output.as_deref().map(codes::check_target).transpose()?;
    let code = codes::read(&args.code)?;
    let mask = args.mask.as_deref();
    let mask = mask.map(|path| Ok::<_, Failure>(luminance_mask(&input::open(path)?.pixels)));
    let mask = mask.transpose()?;
    let store = networks::store(args.device)?;
    let target = Target::of_code(store.library(), args.model.as_deref(), (&args.code, &code))?;
    args.points.check(target.space.side)?;
    let defaults = Options::for_side(target.space.side);
    let options = Options {
        motion_radius_px: args.radius.unwrap_or(defaults.motion_radius_px),
        tracking_radius_px: args.reach.unwrap_or(defaults.tracking_radius_px),
        ..defaults
    };
    let task = Task::Drag(Drag {
        model: target.model.clone(),
        code: Arc::new(code),
        pulls: args.points.0.clone(),
        mask: mask.map(Arc::new),
        from: None,
        steps: args.steps,
        options: Some(options),
        feature_side: args.layer,
    });
    let output = networks::run(store, task, "Dragging")?;
    let dragged = output.dragged.ok_or_else(|| Failure::failed("nothing was dragged"))?;
    generate::save(&dragged.picture, &args.output, !args.no_label)?;
    if let Some(path) = &args.code_output {
        codes::write_code(path, &dragged.code, &target.model)?;
    }
    let (path, steps, distance_px) = (&args.output, dragged.steps, dragged.distance_px);
    if args.json {
        return report::print_json(&json!({
            "output": path.to_string_lossy(),
            "code": args.code_output.as_ref().map(|path| path.to_string_lossy()),
            "model": output.model,
            "handles": dragged.handles,
            "distance_px": distance_px,
            "arrived": dragged.arrived,
            "steps": steps,
            "seconds": output.seconds,
        }));
    }
    let (path, seconds) = (path.display(), output.seconds);
    report::print(format!("{path}: {distance_px:.1} px away after {steps} steps, {seconds:.1} s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_pairs_of_places() {
        let points: Points = "12,20.5>14,20  3,4>5,6".parse().unwrap();
        let want = [([12.0, 20.5], [14.0, 20.0]), ([3.0, 4.0], [5.0, 6.0])];
        assert_eq!(points.0, want.map(|(handle, target)| Pull { handle, target }));
        for bad in ["", "1,2", "1,2>3", "1,2>3,x", "1,2>3,NaN", "1,2>3,4 5"] {
            assert!(bad.parse::<Points>().is_err(), "{bad}");
        }
    }
}
