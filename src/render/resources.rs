//! The render pipelines and their textures, which are created once and stored in egui's renderer.

use std::collections::HashMap;
use std::iter;
use std::num::NonZeroU64;

use eframe::egui_wgpu::wgpu;

use crate::data::Texels;

use super::content::Paint;
use super::textures::{Resident, ResidentLabels, fit, upload};
use super::uniforms::{IS_UNLABELLED, NEEDS_LABELS, Uniforms};

const IMAGE_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
const VALUES_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R16Float;
const PROBABILITY_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R32Float;
const TRUTH_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R8Uint;

/// The render pipelines and textures on one graphics device.
pub struct Pipeline {
    /// One pipeline for each set of visible layers, created when it is first needed.
    pipelines: HashMap<u32, wgpu::RenderPipeline>,
    shader: wgpu::ShaderModule,
    pipeline_layout: wgpu::PipelineLayout,
    format: wgpu::TextureFormat,
    /// The pipeline that fills the canvas.
    pub(super) ground: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    sampler: wgpu::Sampler,
    image: Resident,
    values: Resident,
    truth: Resident,
    labels: ResidentLabels,
    /// The number of times that one of these four textures was created.
    uploads: u64,
    /// What belongs to each place of a frame.
    places: HashMap<u32, Drawn>,
}

/// What is drawn in one place of a frame: a mask over the image that all places share.
struct Drawn {
    flags: u32,
    uniforms: wgpu::Buffer,
    probability: Resident,
    bind_group: wgpu::BindGroup,
    /// The number of uploads when the textures were bound.
    bound: u64,
}

/// What the draw calls of a place need.
pub(super) struct Prepared<'a> {
    pub(super) bind_group: &'a wgpu::BindGroup,
    pub(super) pipeline: &'a wgpu::RenderPipeline,
    /// The pipeline for what lies outside the box with labels, if labels are drawn.
    pub(super) unlabelled: Option<&'a wgpu::RenderPipeline>,
    /// The edges of that box: left, top, right and bottom in image pixels; `None` if no pixel has a label.
    pub(super) labelled: Option<[f32; 4]>,
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
        let image = Resident::empty(device, queue, IMAGE_FORMAT);
        let values = Resident::empty(device, queue, VALUES_FORMAT);
        let truth = Resident::empty(device, queue, TRUTH_FORMAT);
        let labels = ResidentLabels::empty(device, queue);
        Self {
            pipelines: HashMap::new(),
            shader,
            pipeline_layout,
            format,
            ground,
            layout,
            sampler,
            image,
            values,
            truth,
            labels,
            uploads: 0,
            places: HashMap::new(),
        }
    }

    /// Returns what was prepared for a place.
    pub(super) fn drawn(&self, place: u32) -> Option<Prepared<'_>> {
        let drawn = self.places.get(&place)?;
        let pipeline = self.pipelines.get(&drawn.flags)?;
        let unlabelled =
            (drawn.flags & NEEDS_LABELS != 0).then(|| self.pipelines.get(&(drawn.flags | IS_UNLABELLED)));
        let labelled = self.labels.labelled;
        Some(Prepared { bind_group: &drawn.bind_group, pipeline, unlabelled: unlabelled.flatten(), labelled })
    }

    /// Prepares what is drawn in a place: uploads the uniforms and the layers that are not on the device yet, and
    /// compiles a pipeline if these flags have none. Returns the number of layers that were uploaded. All places of
    /// a frame must have the same image and ground truth.
    pub(super) fn update(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, paint: &Paint) -> u64 {
        let Paint { place, image, probability, truth, labels, uniforms } = paint;
        let unlabelled = (uniforms.flags & NEEDS_LABELS != 0).then_some(uniforms.flags | IS_UNLABELLED);
        for flags in iter::once(uniforms.flags).chain(unlabelled) {
            // A pipeline is specialised for its flags.
            self.pipelines.entry(flags).or_insert_with(|| {
                let constants = [("FLAGS", f64::from(flags))];
                compile(device, &self.shader, &self.pipeline_layout, self.format, ("fragment", &constants))
            });
        }
        let before = self.uploads;
        let (resident, format) = match &image.texels {
            Texels::Rgba(_) => (&mut self.image, IMAGE_FORMAT),
            Texels::StoredPixels { .. } => (&mut self.values, VALUES_FORMAT),
        };
        if resident.key != Some(image.key) {
            let levels: Vec<&[u8]> = iter::once(&image.texels).chain(image.reduced.iter()).map(bytes_of).collect();
            let view = upload(device, queue, format, image.texture_size, &levels);
            *resident = Resident { key: Some(image.key), view };
            self.uploads += 1;
        }
        if let Some(layer) = truth.as_ref().filter(|layer| self.truth.key != Some(layer.key)) {
            let limit = device.limits().max_texture_dimension_2d as usize;
            let (size, bytes) = fit(&layer.mask.values, [layer.mask.width, layer.mask.height], limit);
            let view = upload(device, queue, TRUTH_FORMAT, size, &[&bytes]);
            self.truth = Resident { key: Some(layer.key), view };
            self.uploads += 1;
        }
        if labels.as_ref().is_some_and(|layer| self.labels.update(device, queue, layer)) {
            self.uploads += 1;
        }
        let image_view = match &image.texels {
            Texels::Rgba(_) => &self.image.view,
            Texels::StoredPixels { .. } => &self.values.view,
        };
        let shared = [&self.image.view, &self.truth.view, &self.values.view, &self.labels.view];
        let drawn = self.places.entry(*place).or_insert_with(|| {
            let uniforms = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("himix picture"),
                size: size_of::<Uniforms>() as u64,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            let probability = Resident::empty(device, queue, PROBABILITY_FORMAT);
            let bind_group = bind(device, &self.layout, &uniforms, &self.sampler, &probability, shared);
            Drawn { flags: 0, uniforms, probability, bind_group, bound: self.uploads }
        });
        drawn.flags = uniforms.flags;
        let mut uploaded = self.uploads - before;
        let mut is_bound = drawn.bound == self.uploads;
        if let Some(layer) = probability.as_ref().filter(|layer| drawn.probability.key != Some(layer.key)) {
            let bytes = bytemuck::cast_slice(layer.values.as_slice());
            let view = upload(device, queue, PROBABILITY_FORMAT, layer.size, &[bytes]);
            drawn.probability = Resident { key: Some(layer.key), view };
            uploaded += 1;
            is_bound = false;
        }
        if !is_bound {
            let Drawn { uniforms, probability, .. } = drawn;
            drawn.bind_group = bind(device, &self.layout, uniforms, &self.sampler, probability, shared);
            drawn.bound = self.uploads;
        }
        let textures = [image_view, &self.truth.view, &self.labels.view, &drawn.probability.view];
        let mut uniforms = *uniforms;
        uniforms.texture_sizes =
            textures.map(|view| [view.texture().width() as f32, view.texture().height() as f32]);
        queue.write_buffer(&drawn.uniforms, 0, bytemuck::bytes_of(&uniforms));
        uploaded
    }
}

/// The bytes of a level of the image.
fn bytes_of(texels: &Texels) -> &[u8] {
    match texels {
        Texels::Rgba(bytes) => bytes,
        Texels::StoredPixels { halves, .. } => bytemuck::cast_slice(halves),
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
        texture(wgpu::TextureSampleType::Uint),
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

/// Binds the uniforms, the sampler and the five textures to the shader.
fn bind(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    uniforms: &wgpu::Buffer,
    sampler: &wgpu::Sampler,
    probability: &Resident,
    [image, truth, values, labels]: [&wgpu::TextureView; 4],
) -> wgpu::BindGroup {
    let resources = [
        uniforms.as_entire_binding(),
        wgpu::BindingResource::TextureView(image),
        wgpu::BindingResource::Sampler(sampler),
        wgpu::BindingResource::TextureView(&probability.view),
        wgpu::BindingResource::TextureView(truth),
        wgpu::BindingResource::TextureView(values),
        wgpu::BindingResource::TextureView(labels),
    ];
    let entries: Vec<_> =
        (0..).zip(resources).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("himix picture"),
        layout,
        entries: &entries,
    })
}
