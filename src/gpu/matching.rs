//! Matching of patches on the adapter: the twin of `inpaint`'s, bit for bit.

use wgpu::util::DeviceExt as _;

use super::readback::Readback;
use super::{Bind, GpuContext, GpuError, Pipelines};
use crate::inpaint::{Match, Matcher, OFFSET_TRIES, Round, Step};
use crate::ops::Uniform;

/// Runs passes of matching as compute shaders.
#[derive(Debug)]
pub struct PatchMatcher {
    pipelines: Pipelines,
}

impl PatchMatcher {
    pub fn new(context: &GpuContext) -> Self {
        Self { pipelines: Pipelines::new(context) }
    }

    fn passes(&self, round: &Round<'_>, matches: &[Match]) -> Result<Vec<Match>, GpuError> {
        let context = self.pipelines.context();
        let storage = |words: &[u32]| {
            context.device().create_buffer_init(&wgpu::util::BufferInitDescriptor {
                label: Some("matching"),
                contents: bytemuck::cast_slice(words),
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
            })
        };
        let word = |low: u16, high: u16| u32::from(low) | u32::from(high) << 16;
        let halves = round.features.as_flattened().chunks_exact(2);
        let features: Vec<u32> = halves.map(|pair| word(pair[0] as u16, pair[1] as u16)).collect();
        let packed = |flags: &[bool]| {
            flags.iter().enumerate().fold(0, |word, (bit, &is)| word | u32::from(is) << bit)
        };
        let sources: Vec<u32> = round.is_source.chunks(32).map(packed).collect();
        let field: Vec<u32> =
            matches.iter().flat_map(|found| [word(found.x, found.y), found.cost as u32]).collect();
        let [features, sources, mut before, mut after] =
            [&features, &sources, &field, &field].map(|words| storage(words));
        let limit = context.limits().max_storage_buffer_binding_size;
        if features.size().max(before.size()) > limit {
            let size = crate::geom::Size::new(round.width as u32, 0);
            return Err(GpuError::TooLarge { what: "the surroundings of a hole", size });
        }
        let mut encoder =
            context.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for step in round.steps {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            let Step { jump, reach, offsets, min_offset, is_stale, salt } = *step;
            // An empty buffer cannot be bound.
            let flat = offsets.iter().flat_map(|&(dx, dy)| [dx as u32, dy as u32]);
            let words: Vec<u32> = flat.chain([0, 0]).collect();
            let tries = OFFSET_TRIES.min(offsets.len() as u32);
            let height = round.features.len() / round.width.max(1);
            let params = [
                ("width", Uniform::U32(round.width as u32)),
                ("height", Uniform::U32(height as u32)),
                ("side", Uniform::U32(round.side as u32)),
                ("rect_x", Uniform::I32(round.rect.x0)),
                ("rect_y", Uniform::I32(round.rect.y0)),
                ("columns", Uniform::U32(round.rect.width())),
                ("rows", Uniform::U32(round.rect.height())),
                ("jump", Uniform::I32(jump)),
                ("reach", Uniform::I32(reach)),
                ("min_offset", Uniform::I32(min_offset)),
                ("is_stale", Uniform::U32(u32::from(is_stale))),
                ("salt", Uniform::U32(salt)),
                ("offset_tries", Uniform::U32(tries)),
                ("offset_count", Uniform::U32(offsets.len().max(1) as u32)),
            ];
            let bindings = [
                ("params", Bind::Uniform(&params)),
                ("features", Bind::Buffer(&features)),
                ("is_source", Bind::Buffer(&sources)),
                ("offsets", Bind::Words(&words)),
                ("before", Bind::Buffer(&before)),
                ("matches", Bind::Buffer(&after)),
            ];
            let extent = [round.rect.width(), round.rect.height(), 1];
            self.pipelines.dispatch(&mut pass, ("inpaint/matching", "main"), &bindings, extent)?;
            drop(pass);
            std::mem::swap(&mut before, &mut after);
        }
        let bytes = before.size();
        Readback::submit(context, encoder, &before, bytes).wait(context, |bytes| {
            let words: Vec<u32> = bytemuck::pod_collect_to_vec(bytes);
            let found = |pair: &[u32]| Match {
                x: pair[0] as u16,
                y: (pair[0] >> 16) as u16,
                cost: pair[1] as i32,
            };
            words.chunks_exact(2).map(found).collect()
        })
    }
}

impl Matcher for PatchMatcher {
    fn run(&self, round: &Round<'_>, matches: &[Match]) -> Option<Vec<Match>> {
        if matches.is_empty() {
            return None;
        }
        let result = self.passes(round, matches);
        result.map_err(|err| tracing::warn!(reason = %err, "the processor matches patches")).ok()
    }
}
