//! Finds faces and what networks make of them.

use super::protocol::{Faces, ModelRef, Stage};
use super::worker::{Context, End, Models, network_for};
use crate::color::{WorkingProfile, convert};
use crate::faces::{self, Face, Wants};
use crate::nets::Planes;
use crate::pixels::PixelBuf;
use crate::zoo::Purpose;

pub(super) fn run(
    task: &Faces,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<Vec<Face>, End> {
    context.progress(Stage::Running, 0, 1, 0.0);
    find(task, models, context)
}

/// The same as part of a larger job.
pub(super) fn find(
    task: &Faces,
    models: &mut dyn Models,
    context: &mut Context<'_>,
) -> Result<Vec<Face>, End> {
    let cancel = context.cancel();
    let stop = || cancel.is_set();
    look(&task.image, &task.profile, &task.models, task.wants, models, &stop)
}

/// The faces of a picture (RGBA, encoded in `profile`), with the network for each purpose.
pub(super) fn look(
    image: &PixelBuf,
    profile: &WorkingProfile,
    networks: &[(Purpose, ModelRef)],
    wants: Wants,
    models: &mut dyn Models,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<Face>, End> {
    let mut converted = None;
    if !profile.is_srgb() {
        let image: &mut PixelBuf = converted.insert(image.clone());
        convert::to_srgb(profile, image).map_err(|err| End::Failed(err.to_string()))?;
    }
    let image = converted.as_ref().unwrap_or(image);
    let mut runner = Runner { models, stop, networks, end: None };
    let found = faces::analyse(image, &mut runner, wants);
    match (found, runner.end) {
        (Ok(faces), _) => Ok(faces),
        (Err(_), Some(end)) => Err(end),
        (Err(reason), None) => Err(End::Failed(reason)),
    }
}

/// Runs the networks of a request by what they are for.
struct Runner<'a> {
    models: &'a mut dyn Models,
    stop: &'a (dyn Fn() -> bool + Sync),
    networks: &'a [(Purpose, ModelRef)],
    /// Why a network did not answer, in the service's own terms.
    end: Option<End>,
}

impl faces::Run for Runner<'_> {
    fn run(&mut self, which: Purpose, inputs: &[Planes]) -> Result<Vec<Planes>, String> {
        let model = self.networks.iter().find(|(purpose, _)| *purpose == which);
        let (_, model) = model.ok_or_else(|| format!("no model for {which} is installed"))?;
        let result = network_for(self.models, model, which)
            .and_then(|network| Ok(network.run(inputs, self.stop)?));
        result.map_err(|end| {
            let text = end.to_string();
            self.end = Some(end);
            text
        })
    }
}
