//! Compute pipelines made on first use, dispatches with bindings by name, and scratch buffers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use wgpu::util::DeviceExt as _;

use super::shader::{self, BindingKind, Entry};
use super::{GpuContext, GpuError};
use crate::ops::Uniform;

type Key = (&'static str, &'static str);

/// Every shader of the program on one device.
#[derive(Debug)]
pub struct Pipelines {
    context: GpuContext,
    modules: Mutex<HashMap<&'static str, wgpu::ShaderModule>>,
    compute: Mutex<HashMap<Key, Arc<wgpu::ComputePipeline>>>,
    scratch: Mutex<Vec<wgpu::Buffer>>,
}

/// What a binding of a shader is connected to.
#[derive(Clone, Copy, Debug)]
pub enum Bind<'a> {
    Buffer(&'a wgpu::Buffer),
    /// Fields of the uniform struct by name.
    Uniform(&'a [(&'a str, Uniform)]),
    /// Words of a small read-only storage buffer made for this dispatch.
    Words(&'a [u32]),
    Texture(&'a wgpu::TextureView),
    Sampler(&'a wgpu::Sampler),
}

impl Pipelines {
    pub fn new(context: &GpuContext) -> Self {
        Self {
            context: context.clone(),
            modules: Mutex::default(),
            compute: Mutex::default(),
            scratch: Mutex::default(),
        }
    }

    pub const fn context(&self) -> &GpuContext {
        &self.context
    }

    /// Records `entry` of `shader` over `extent` invocations. `bindings` may hold more than the
    /// entry uses, and must hold all it uses.
    pub fn dispatch(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        (shader, entry): (&str, &str),
        bindings: &[(&str, Bind<'_>)],
        extent: [u32; 3],
    ) -> Result<(), GpuError> {
        let (shader, entry) = shader::find(shader, entry)?;
        let pipeline = self.compute_pipeline(shader, entry);
        let group = self.bind(shader.name, entry, bindings, &pipeline.get_bind_group_layout(0))?;
        let limit = self.context.limits().max_compute_workgroups_per_dimension;
        let groups: [u32; 3] =
            std::array::from_fn(|axis| extent[axis].div_ceil(entry.workgroup[axis].max(1)));
        if groups.iter().any(|&count| count > limit) {
            let reason = format!("{groups:?} workgroups exceed {limit}");
            return Err(GpuError::Binding { shader: shader.name.into(), reason });
        }
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(groups[0], groups[1], groups[2]);
        Ok(())
    }

    fn bind(
        &self,
        shader: &str,
        entry: &Entry,
        bindings: &[(&str, Bind<'_>)],
        layout: &wgpu::BindGroupLayout,
    ) -> Result<wgpu::BindGroup, GpuError> {
        let mut resources = Vec::with_capacity(entry.bindings.len());
        for binding in entry.bindings {
            let fail = |reason: &str| GpuError::Binding {
                shader: shader.into(),
                reason: format!("binding '{}' {reason}", binding.name),
            };
            let bind = bindings
                .iter()
                .find(|(name, _)| *name == binding.name)
                .map(|(_, bind)| *bind)
                .ok_or_else(|| fail("is not connected"))?;
            let resource = match (bind, &binding.kind) {
                (Bind::Uniform(values), BindingKind::Uniform(layout)) => Resource::Owned(
                    self.upload(&layout.pack(shader, values)?, wgpu::BufferUsages::UNIFORM),
                ),
                (Bind::Words(words), BindingKind::StorageRead) => Resource::Owned(
                    self.upload(bytemuck::cast_slice(words), wgpu::BufferUsages::STORAGE),
                ),
                (Bind::Buffer(buffer), BindingKind::StorageRead | BindingKind::StorageWrite) => {
                    Resource::Borrowed(buffer.as_entire_binding())
                }
                (Bind::Texture(view), BindingKind::Handle) => {
                    Resource::Borrowed(wgpu::BindingResource::TextureView(view))
                }
                (Bind::Sampler(sampler), BindingKind::Handle) => {
                    Resource::Borrowed(wgpu::BindingResource::Sampler(sampler))
                }
                _ => return Err(fail("is connected to something else")),
            };
            resources.push((binding.index, resource));
        }
        let entries: Vec<_> = resources
            .iter()
            .map(|(index, resource)| wgpu::BindGroupEntry {
                binding: *index,
                resource: match resource {
                    Resource::Owned(buffer) => buffer.as_entire_binding(),
                    Resource::Borrowed(resource) => resource.clone(),
                },
            })
            .collect();
        Ok(self.context.device().create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(shader),
            layout,
            entries: &entries,
        }))
    }

    fn upload(&self, bytes: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.context.device().create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: None,
            contents: bytes,
            usage,
        })
    }

    fn compute_pipeline(
        &self,
        shader: &'static shader::Shader,
        entry: &'static Entry,
    ) -> Arc<wgpu::ComputePipeline> {
        let mut cache = self.compute.lock().unwrap_or_else(PoisonError::into_inner);
        let pipeline = cache.entry((shader.name, entry.name)).or_insert_with(|| {
            let module = self.module(shader);
            Arc::new(self.context.device().create_compute_pipeline(
                &wgpu::ComputePipelineDescriptor {
                    label: Some(shader.name),
                    layout: None,
                    module: &module,
                    entry_point: Some(entry.name),
                    compilation_options: wgpu::PipelineCompilationOptions {
                        zero_initialize_workgroup_memory: false,
                        ..Default::default()
                    },
                    cache: None,
                },
            ))
        });
        Arc::clone(pipeline)
    }

    fn module(&self, shader: &'static shader::Shader) -> wgpu::ShaderModule {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        modules
            .entry(shader.name)
            .or_insert_with(|| {
                self.context.device().create_shader_module(wgpu::ShaderModuleDescriptor {
                    label: Some(shader.name),
                    source: wgpu::ShaderSource::Wgsl(shader.source.into()),
                })
            })
            .clone()
    }

    /// A storage buffer of at least `bytes`, with arbitrary content. Commands recorded later may
    /// reuse a buffer given back earlier: the queue keeps their order.
    pub(super) fn take_scratch(&self, bytes: u64) -> wgpu::Buffer {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = scratch
            .iter()
            .enumerate()
            .filter(|(_, buffer)| buffer.size() >= bytes && buffer.size() <= 4 * bytes)
            .min_by_key(|(_, buffer)| buffer.size())
            .map(|(index, _)| index);
        if let Some(index) = fitting {
            return scratch.swap_remove(index);
        }
        self.context.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some("scratch"),
            size: bytes.max(16).next_multiple_of(16),
            usage: wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::COPY_SRC
                | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    /// Gives a buffer back once every command that uses it is recorded.
    pub(super) fn give_scratch(&self, buffer: wgpu::Buffer) {
        /// More than the deepest nesting needs; the rest is dropped.
        const KEPT: usize = 12;
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        if scratch.len() == KEPT {
            scratch.remove(0);
        }
        scratch.push(buffer);
    }
}

enum Resource<'a> {
    Owned(wgpu::Buffer),
    Borrowed(wgpu::BindingResource<'a>),
}
