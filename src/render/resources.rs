//! The render pipelines and their textures, which are created once and stored in egui's renderer.

use std::collections::HashMap;
use std::num::NonZeroU64;

use eframe::egui_wgpu::wgpu;

use crate::data::Texels;

use super::textures::{ImageLayer, ProbabilityLayer, Resident, TruthLayer, fit_truth, upload};
use super::uniforms::Uniforms;

const IMAGE_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
const VALUES_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R16Float;
const PROBABILITY_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R32Float;
const TRUTH_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R8Uint;

/// The render pipelines and textures on one graphics device.
pub struct Pipeline {
    /// One pipeline for each set of visible layers, created when it is first needed.
    pipelines: HashMap<u32, wgpu::RenderPipeline>,
    /// The flags of the image that was prepared last.
    flags: u32,
    shader: wgpu::ShaderModule,
    pipeline_layout: wgpu::PipelineLayout,
    format: wgpu::TextureFormat,
    /// The pipeline that fills the canvas.
    pub(super) ground: wgpu::RenderPipeline,
    pub(super) bind_group: wgpu::BindGroup,
    layout: wgpu::BindGroupLayout,
    sampler: wgpu::Sampler,
    uniforms: wgpu::Buffer,
    image: Resident,
    values: Resident,
    probability: Resident,
    truth: Resident,
}

impl Pipeline {
    /// Compiles the shader for a render target of `format` and creates the resources without an image.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, format: wgpu::TextureFormat) -> Self {
        let shader = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("himix picture"),
            source: wgpu::ShaderSource::Wgsl(include_str!("../../shaders/picture.wgsl").into()),
        });
        let layout = layout(device);
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("himix picture"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let ground = compile(device, &shader, &pipeline_layout, format, ("ground", &[]));
        let sampler = device.create_sampler(&wgpu::SamplerDescriptor {
            label: Some("himix picture"),
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            ..wgpu::SamplerDescriptor::default()
        });
        let uniforms = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("himix picture"),
            size: size_of::<Uniforms>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let image = Resident::empty(device, queue, IMAGE_FORMAT);
        let values = Resident::empty(device, queue, VALUES_FORMAT);
        let probability = Resident::empty(device, queue, PROBABILITY_FORMAT);
        let truth = Resident::empty(device, queue, TRUTH_FORMAT);
        let bind_group = bind(device, &layout, &uniforms, &sampler, [&image, &probability, &truth, &values]);
        Self {
            pipelines: HashMap::new(),
            flags: 0,
            shader,
            pipeline_layout,
            format,
            ground,
            bind_group,
            layout,
            sampler,
            uniforms,
            image,
            values,
            probability,
            truth,
        }
    }

    /// Returns the pipeline for the image that was prepared last.
    pub(super) fn current(&self) -> Option<&wgpu::RenderPipeline> {
        self.pipelines.get(&self.flags)
    }

    /// Uploads the uniforms and the layers that are not on the device yet, and compiles a pipeline if these
    /// flags have none. Returns the number of layers that were uploaded.
    pub(super) fn update(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        image: &ImageLayer,
        probability: Option<&ProbabilityLayer>,
        truth: Option<&TruthLayer>,
        uniforms: &Uniforms,
    ) -> u64 {
        self.flags = uniforms.flags;
        if !self.pipelines.contains_key(&self.flags) {
            // The pipeline is specialised for these flags.
            let constants = [("FLAGS", f64::from(self.flags))];
            let part = ("fragment", constants.as_slice());
            let pipeline = compile(device, &self.shader, &self.pipeline_layout, self.format, part);
            self.pipelines.insert(self.flags, pipeline);
        }
        queue.write_buffer(&self.uniforms, 0, bytemuck::bytes_of(uniforms));
        let mut uploaded = 0;
        let (resident, format, bytes): (_, _, &[u8]) = match &image.texels {
            Texels::Rgba(bytes) => (&mut self.image, IMAGE_FORMAT, bytes),
            Texels::StoredPixels { halves, .. } => (&mut self.values, VALUES_FORMAT, bytemuck::cast_slice(halves)),
        };
        if resident.key != Some(image.key) {
            let view = upload(device, queue, format, image.texture_size, bytes);
            *resident = Resident { key: Some(image.key), view };
            uploaded += 1;
        }
        if let Some(layer) = probability.filter(|layer| self.probability.key != Some(layer.key)) {
            let bytes = bytemuck::cast_slice(layer.values.as_slice());
            let view = upload(device, queue, PROBABILITY_FORMAT, layer.size, bytes);
            self.probability = Resident { key: Some(layer.key), view };
            uploaded += 1;
        }
        if let Some(layer) = truth.filter(|layer| self.truth.key != Some(layer.key)) {
            let (size, bytes) = fit_truth(&layer.mask, device.limits().max_texture_dimension_2d as usize);
            let view = upload(device, queue, TRUTH_FORMAT, size, &bytes);
            self.truth = Resident { key: Some(layer.key), view };
            uploaded += 1;
        }
        if uploaded > 0 {
            let textures = [&self.image, &self.probability, &self.truth, &self.values];
            self.bind_group = bind(device, &self.layout, &self.uniforms, &self.sampler, textures);
        }
        uploaded
    }
}

/// Creates a pipeline that runs one fragment function over a triangle that covers the viewport. Its output is
/// opaque.
fn compile(
    device: &wgpu::Device,
    shader: &wgpu::ShaderModule,
    layout: &wgpu::PipelineLayout,
    format: wgpu::TextureFormat,
    (fragment, constants): (&str, &[(&str, f64)]),
) -> wgpu::RenderPipeline {
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("himix picture"),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module: shader,
            entry_point: Some("vertex"),
            buffers: &[],
            compilation_options: wgpu::PipelineCompilationOptions::default(),
        },
        fragment: Some(wgpu::FragmentState {
            module: shader,
            entry_point: Some(fragment),
            targets: &[Some(wgpu::ColorTargetState { format, blend: None, write_mask: wgpu::ColorWrites::ALL })],
            compilation_options: wgpu::PipelineCompilationOptions {
                constants,
                ..wgpu::PipelineCompilationOptions::default()
            },
        }),
        primitive: wgpu::PrimitiveState::default(),
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        multiview_mask: None,
        cache: None,
    })
}

/// Returns the layout of the shader's bindings, in the order of `bind`.
fn layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    let texture = |sample_type| wgpu::BindingType::Texture {
        sample_type,
        view_dimension: wgpu::TextureViewDimension::D2,
        multisampled: false,
    };
    let bindings = [
        wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Uniform,
            has_dynamic_offset: false,
            min_binding_size: NonZeroU64::new(size_of::<Uniforms>() as u64),
        },
        texture(wgpu::TextureSampleType::Float { filterable: true }),
        wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering),
        // The shader interpolates this texture itself, because not every device filters 32-bit floats.
        texture(wgpu::TextureSampleType::Float { filterable: false }),
        texture(wgpu::TextureSampleType::Uint),
        texture(wgpu::TextureSampleType::Float { filterable: true }),
    ];
    let entries: Vec<_> = (0..)
        .zip(bindings)
        .map(|(binding, ty)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::FRAGMENT,
            ty,
            count: None,
        })
        .collect();
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("himix picture"),
        entries: &entries,
    })
}

/// Binds the uniforms, the sampler and the four textures to the shader.
fn bind(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    uniforms: &wgpu::Buffer,
    sampler: &wgpu::Sampler,
    [image, probability, truth, values]: [&Resident; 4],
) -> wgpu::BindGroup {
    let resources = [
        uniforms.as_entire_binding(),
        wgpu::BindingResource::TextureView(&image.view),
        wgpu::BindingResource::Sampler(sampler),
        wgpu::BindingResource::TextureView(&probability.view),
        wgpu::BindingResource::TextureView(&truth.view),
        wgpu::BindingResource::TextureView(&values.view),
    ];
    let entries: Vec<_> =
        (0..).zip(resources).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("himix picture"),
        layout,
        entries: &entries,
    })
}
