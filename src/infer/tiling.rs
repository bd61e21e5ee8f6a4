//! Running a network over a picture in tiles, smaller ones where memory asks for it.

use super::plan::{self, Tile};
use super::protocol::Stage;
use super::worker::{Context, End, Models, Network};
use crate::geom::Size;
use crate::nets::Planes;
use crate::zoo::Capability;

/// Runs a network and takes its first result.
pub(super) fn run_one(
    network: &mut dyn Network,
    inputs: &[Planes],
    context: &Context<'_>,
) -> Result<Planes, End> {
    let cancel = context.cancel();
    let results = network.run(inputs, &|| cancel.is_set())?;
    results.into_iter().next().ok_or_else(|| End::Failed("the network answered nothing".into()))
}

/// [`run_one`] from a colour picture to another: red, green and blue one after the other where the
/// network knows grey only.
pub(super) fn run_on_color(
    network: &mut dyn Network,
    inputs: &[Planes],
    context: &Context<'_>,
) -> Result<Planes, End> {
    let Some((picture, others)) = inputs.split_first().filter(|_| network.capability().is_grey())
    else {
        return run_one(network, inputs, context);
    };
    let mut made = Planes::default();
    for plane in picture.data.chunks_exact((picture.height * picture.width).max(1)) {
        let plane = Planes { channels: 1, data: plane.to_vec(), ..*picture };
        let one = run_one(network, &[&[plane], others].concat(), context)?;
        made.data.extend(one.data);
        made = Planes { channels: made.channels + one.channels, data: made.data, ..one };
    }
    Ok(made)
}

/// What `run` makes, on the processor where the device has too little memory.
pub(super) fn or_fall_back<T>(
    models: &mut dyn Models,
    run: &mut dyn FnMut(&mut dyn Models) -> Result<T, End>,
) -> Result<T, End> {
    match run(models) {
        Err(End::OutOfMemory) if models.fall_back() => run(models),
        made => made,
    }
}

/// A picture to be covered.
pub(super) struct Tiling {
    pub size: Size,
    pub capability: Capability,
    /// Side of a tile's core; `None` leaves the choice to the plan.
    pub side: Option<u32>,
}

/// Computes one tile.
pub(super) type Body<'a> =
    &'a mut dyn FnMut(&mut dyn Models, Tile, &mut Context<'_>) -> Result<(), End>;

impl Tiling {
    /// Calls `body` for tile after tile. Where the device runs out of memory the tiles are
    /// halved, finished ones are kept, and in the end the processor goes on.
    pub(super) fn run(
        &self,
        models: &mut dyn Models,
        context: &mut Context<'_>,
        body: Body<'_>,
    ) -> Result<(), End> {
        let Self { size, capability, side } = self;
        let mut side = side.map_or_else(|| plan::default_tile(capability), plan::clamp_tile);
        // Networks that shuffle pixels see the same blocks in a tile as in the whole picture.
        let halo_px = capability.halo_px.next_multiple_of(capability.multiple.max(1));
        let mut waiting = plan::cores(size.rect(), side);
        waiting.reverse();
        let (mut done, mut done_px) = (0u32, 0u64);
        while let Some(core) = waiting.pop() {
            context.check()?;
            let fraction = done_px as f64 / size.pixels() as f64;
            context.progress(Stage::Running, done, done + 1 + waiting.len() as u32, fraction);
            if core.width() > side || core.height() > side {
                waiting.extend(plan::cores(core, side).into_iter().rev());
                continue;
            }
            match body(models, Tile::new(core, halo_px, *size), context) {
                Ok(()) => {
                    done += 1;
                    done_px += core.size().pixels();
                }
                Err(End::OutOfMemory) => {
                    waiting.push(core);
                    if side > plan::MIN_TILE {
                        side = (side / 2).max(plan::MIN_TILE);
                        context
                            .notice(format!("Out of memory: going on with tiles of {side} pixels"));
                    } else if models.fall_back() {
                        context.notice("Out of memory: going on with the processor".into());
                    } else {
                        return Err(End::OutOfMemory);
                    }
                }
                Err(end) => return Err(end),
            }
        }
        Ok(())
    }
}
