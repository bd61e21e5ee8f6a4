//! Finds faces and what networks make of them.

use super::protocol::{Faces, ModelRef, Stage};
use super::worker::{Context, End, Models, network_for};
use crate::color::convert;
use crate::faces::{self, Face};
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
    let mut converted = None;
    if !task.profile.is_srgb() {
        let image: &mut PixelBuf = converted.insert((*task.image).clone());
        convert::to_srgb(&task.profile, image).map_err(|err| End::Failed(err.to_string()))?;
    }
    let image = converted.as_ref().unwrap_or(&task.image);
    let mut runner = Runner { models, context, networks: &task.models, end: None };
    let found = faces::analyse(image, &mut runner, task.wants);
    match (found, runner.end) {
        (Ok(faces), _) => Ok(faces),
        (Err(_), Some(end)) => Err(end),
        (Err(reason), None) => Err(End::Failed(reason)),
    }
}

/// Runs the networks of a request by what they are for.
struct Runner<'a, 'b> {
    models: &'a mut dyn Models,
    context: &'a mut Context<'b>,
    networks: &'a [(Purpose, ModelRef)],
    /// Why a network did not answer, in the service's own terms.
    end: Option<End>,
}

impl faces::Run for Runner<'_, '_> {
    fn run(&mut self, which: Purpose, inputs: &[Planes]) -> Result<Vec<Planes>, String> {
        let model = self.networks.iter().find(|(purpose, _)| *purpose == which);
        let (_, model) = model.ok_or_else(|| format!("no model for {which} is installed"))?;
        let cancel = self.context.cancel();
        let result = network_for(self.models, model, which)
            .and_then(|network| Ok(network.run(inputs, &|| cancel.is_set())?));
        result.map_err(|end| {
            let text = match &end {
                End::Failed(reason) => reason.clone(),
                End::OutOfMemory => "out of memory".into(),
                End::Cancelled => "cancelled".into(),
            };
            self.end = Some(end);
            text
        })
    }
}
