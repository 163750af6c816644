// Draws the image and its overlay in one pass. Positions are in image pixels; the centre of a pixel is at ½.

struct Picture {
    // The image position at the top left of the viewport, and the extent of the viewport in image pixels.
    corner: vec2f,
    span: vec2f,
    // The size of the image in pixels, and the size of a screen pixel in image pixels.
    size: vec2f,
    step: vec2f,
    // The number of texels per image pixel; 1 unless the image was too large for a texture.
    texels: f32,
    threshold: f32,
    opacity: f32,
    flags: u32,
    // The width of an outline, in screen pixels.
    outline: f32,
    outline_opacity: f32,
    // The value displayed as black, and the reciprocal of the window width; colours range from 0 to 255.
    low: f32,
    per_width: f32,
    // The fill colours, which are transparent where the image is shown unchanged: see fill_at.
    fill: array<vec4f, 8>,
    prediction_outline: vec4f,
    truth_outline: vec4f,
    // The colour around the image.
    canvas: vec4f,
    // The number of the active label.
    active_label: u32,
    // The level of the image's texture that is sampled where the image is reduced; each has half the columns and rows of
    // the one before.
    level: f32,
    // The sizes of the textures in texels, which are not asked for at every pixel.
    image_texels: vec2f,
    truth_texels: vec2f,
    label_texels: vec2f,
    probability_texels: vec2f,
    padding: vec2u,
    // The colours of the labels by their numbers, which are transparent where nothing is drawn.
    labels: array<vec4f, 256>,
}

const SHOW_PREDICTION: u32 = 1u;
const SHOW_TRUTH: u32 = 2u;
const FILL: u32 = 4u;
const CONTOUR: u32 = 8u;
const SMOOTH: u32 = 16u;
const INVERT: u32 = 32u;
const HEAT: u32 = 64u;
const HATCH: u32 = 128u;
const VALUES: u32 = 256u;
const REDUCED: u32 = 512u;
// Every label is drawn in its colour.
const LABELS: u32 = 1024u;
// The active label takes the place of the mask, or of the ground truth.
const LABEL_IS_MASK: u32 = 2048u;
const LABEL_IS_TRUTH: u32 = 4096u;
// No pixel that is drawn has a label, so that none is read.
const UNLABELLED: u32 = 8192u;
// Where the numbers of samples of a reduced image begin, and their bits.
const SAMPLES_ACROSS: u32 = 16u;
const SAMPLES_DOWN: u32 = 20u;
const SAMPLES: u32 = 15u;

@group(0) @binding(0) var<uniform> picture: Picture;
@group(0) @binding(1) var image: texture_2d<f32>;
@group(0) @binding(2) var image_sampler: sampler;
@group(0) @binding(3) var probability: texture_2d<f32>;
@group(0) @binding(4) var truth: texture_2d<u32>;
@group(0) @binding(5) var values: texture_2d<f32>;
@group(0) @binding(6) var labels: texture_2d<u32>;

struct Corner {
    @builtin(position) position: vec4f,
    @location(0) across: vec2f,
}

// Returns the corners of one triangle that covers the viewport.
@vertex
fn vertex(@builtin(vertex_index) index: u32) -> Corner {
    let across = vec2f(f32((index << 1u) & 2u), f32(index & 2u));
    return Corner(vec4f(across.x * 2.0 - 1.0, 1.0 - across.y * 2.0, 0.0, 1.0), across);
}

// The set of layers is fixed when the pipeline is created, so that hidden layers cost nothing: a device without
// branching executes both sides.
override FLAGS: u32 = 0u;

fn has(flag: u32) -> bool {
    return (FLAGS & flag) != 0u;
}

// Returns the displayed brightness of a value in the display window, 0 to 1.
fn shade(value: vec3f) -> vec3f {
    let shown = clamp((value - picture.low) * picture.per_width, vec3f(0.0), vec3f(1.0));
    return select(shown, vec3f(1.0) - shown, has(INVERT));
}

// Returns the colour of a value in Magma, a perceptually uniform colour map whose upper end is not the yellow of
// true positives: six-degree fits to its table by Matt Zucker (CC0). src/data/colour_map.rs uses the same
// coefficients.
fn magma(t: f32) -> vec3f {
    let c0 = vec3f(-0.002136485053939582, -0.000749655052795221, -0.005386127855323933);
    let c1 = vec3f(0.2516605407371642, 0.6775232436837668, 2.494026599312351);
    let c2 = vec3f(8.353717279216625, -3.577719514958484, 0.3144679030132573);
    let c3 = vec3f(-27.66873308576866, 14.26473078096533, -13.64921318813922);
    let c4 = vec3f(52.17613981234068, -27.94360607168351, 12.94416944238394);
    let c5 = vec3f(-50.76852536473588, 29.04658282127291, 4.23415299384598);
    let c6 = vec3f(18.65570506591883, -11.48977351997711, -5.601961508734096);
    return clamp(c0 + t * (c1 + t * (c2 + t * (c3 + t * (c4 + t * (c5 + t * c6))))), vec3f(0.0), vec3f(1.0));
}

// Returns the stored image at a position in its texture, 0 to 1 along both axes.
fn stored_at(place: vec2f, level: f32) -> vec3f {
    if has(VALUES) {
        return vec3f(textureSampleLevel(values, image_sampler, place, level).r);
    }
    return textureSampleLevel(image, image_sampler, place, level).rgb * 255.0;
}

// Returns the image around `at`: the mean of the texels if a screen pixel spans several. src/render/reduction.rs chooses
// the level and the numbers of samples, whose mean then covers all texels.
fn image_at(at: vec2f) -> vec3f {
    let texels = picture.image_texels;
    let texel = at * picture.texels;
    if !has(REDUCED) {
        return shade(stored_at(select(floor(texel) + 0.5, texel, has(SMOOTH)) / texels, 0.0));
    }
    let samples = vec2u(FLAGS >> SAMPLES_ACROSS, FLAGS >> SAMPLES_DOWN) & vec2u(SAMPLES);
    let apart = picture.step * picture.texels / vec2f(samples);
    let first = texel - 0.5 * apart * vec2f(samples - 1u);
    if all(samples == vec2u(2u)) {
        // The usual numbers of samples, without loops.
        var sum = stored_at(first / texels, picture.level);
        sum += stored_at((first + apart * vec2f(1.0, 0.0)) / texels, picture.level);
        sum += stored_at((first + apart * vec2f(0.0, 1.0)) / texels, picture.level);
        sum += stored_at((first + apart) / texels, picture.level);
        return shade(sum / 4.0);
    }
    var sum = vec3f(0.0);
    for (var row = 0u; row < samples.y; row++) {
        for (var column = 0u; column < samples.x; column++) {
            sum += stored_at((first + apart * vec2f(f32(column), f32(row))) / texels, picture.level);
        }
    }
    return shade(sum / f32(samples.x * samples.y));
}

// Returns the probability at `at`, bilinear between the cell centres of the model's grid as at image resolution,
// and its change per screen pixel to the right and downwards.
fn probability_and_slope(at: vec2f) -> vec3f {
    let cells = vec2i(picture.probability_texels);
    let grid_per_pixel = picture.probability_texels / picture.size;
    let grid = at * grid_per_pixel - 0.5;
    let low = vec2i(floor(grid));
    let part = grid - floor(grid);
    let a = clamp(low, vec2i(0), cells - 1);
    let b = clamp(low + 1, vec2i(0), cells - 1);
    let upper = vec2f(textureLoad(probability, a, 0).r, textureLoad(probability, vec2i(b.x, a.y), 0).r);
    let lower = vec2f(textureLoad(probability, vec2i(a.x, b.y), 0).r, textureLoad(probability, b, 0).r);
    let rows = mix(upper, lower, part.y);
    let columns = mix(vec2f(upper.x, lower.x), vec2f(upper.y, lower.y), part.x);
    let slope = vec2f(rows.y - rows.x, columns.y - columns.x) * grid_per_pixel * picture.step;
    return vec3f(mix(rows.x, rows.y, part.x), slope);
}

fn probability_at(at: vec2f) -> f32 {
    return probability_and_slope(at).x;
}

// Decides what is foreground, as src/data/foreground.rs does.
fn is_foreground(probability: f32) -> bool {
    return probability >= picture.threshold;
}

// Returns the index of a pixel's fill colour; src/data/overlay.rs defines the colour of each outcome.
fn fill_at(predicted: bool, lesion: bool) -> u32 {
    return select(0u, 1u, predicted) + select(0u, 2u, lesion) + select(0u, 4u, has(SHOW_TRUTH));
}

fn is_inside(at: vec2f) -> bool {
    return all(at >= vec2f(0.0)) && all(at < picture.size);
}

// Returns the number of the label at `at`; 0 where there is none.
fn label_at(at: vec2f) -> u32 {
    if has(UNLABELLED) || !is_inside(at) {
        return 0u;
    }
    return textureLoad(labels, vec2i(floor(at * picture.label_texels / picture.size)), 0).r;
}

fn is_active(label: u32) -> bool {
    return label != 0u && label == picture.active_label;
}

// Returns whether `at`, where this label is, lies at its inner edge.
fn is_label_outline(at: vec2f, label: u32) -> bool {
    let reach = max(picture.outline * picture.step, vec2f(0.25));
    return label != 0u
        && !(label_at(at + vec2f(reach.x, 0.0)) == label && label_at(at - vec2f(reach.x, 0.0)) == label
            && label_at(at + vec2f(0.0, reach.y)) == label && label_at(at - vec2f(0.0, reach.y)) == label);
}

fn is_lesion(at: vec2f) -> bool {
    if !is_inside(at) {
        return false;
    }
    if has(LABEL_IS_TRUTH) {
        return is_active(label_at(at));
    }
    return textureLoad(truth, vec2i(floor(at * picture.truth_texels / picture.size)), 0).r != 0u;
}

// Returns the share of a screen pixel that the outline of the mask covers, from its distance to the threshold
// divided by the slope.
fn prediction_outline(at: vec2f) -> f32 {
    let here = probability_and_slope(at);
    let slope = length(here.yz);
    if slope < 1e-5 {
        return 0.0;
    }
    return clamp(picture.outline * 0.5 + 0.5 - abs(here.x - picture.threshold) / slope, 0.0, 1.0);
}

fn is_truth_outline(at: vec2f) -> bool {
    let reach = max(picture.outline * picture.step, vec2f(0.25));
    return is_lesion(at)
        && !(is_lesion(at + vec2f(reach.x, 0.0)) && is_lesion(at - vec2f(reach.x, 0.0))
            && is_lesion(at + vec2f(0.0, reach.y)) && is_lesion(at - vec2f(0.0, reach.y)));
}

// Draws the background of the image. It has its own pipeline: otherwise a software device would spend the time of
// an image pixel on every background pixel.
@fragment
fn ground() -> @location(0) vec4f {
    return picture.canvas;
}

@fragment
fn fragment(corner: Corner) -> @location(0) vec4f {
    let at = picture.corner + corner.across * picture.span;
    if !is_inside(at) {
        return picture.canvas;
    }
    var colour = image_at(at);
    var label = 0u;
    if has(LABELS) || has(LABEL_IS_MASK) {
        label = label_at(at);
    }
    let label_colour = picture.labels[label];
    if has(HEAT) && has(SHOW_PREDICTION) {
        // Pixels with a low lesion probability leave the image visible.
        let p = clamp(probability_at(at), 0.0, 1.0);
        colour = mix(colour, magma(p), picture.opacity * smoothstep(0.02, 0.25, p));
    } else if has(FILL) && has(LABELS) {
        colour = mix(colour, label_colour.rgb, picture.opacity * label_colour.a);
    } else if has(FILL) {
        // Each image pixel belongs to the mask or not, as it is counted and saved.
        var predicted = false;
        if has(LABEL_IS_MASK) {
            predicted = is_active(label);
        } else {
            predicted = has(SHOW_PREDICTION) && is_foreground(probability_at(floor(at) + 0.5));
        }
        let lesion = has(SHOW_TRUTH) && is_lesion(at);
        var over = picture.fill[fill_at(predicted, lesion)];
        var opacity = picture.opacity * over.a;
        if has(HATCH) && has(SHOW_TRUTH) && predicted && !lesion {
            let stripe = (at.x / picture.step.x + at.y / picture.step.y) / 8.0;
            opacity *= select(0.25, 1.0, fract(stripe) < 0.5);
        }
        if lesion && !predicted {
            // Pale stripes in the opposite direction to those of false positives, because red alone is not visible
            // on red mucosa.
            let stripe = (at.x / picture.step.x - at.y / picture.step.y) / 10.0;
            over = mix(over, vec4f(1.0), select(0.0, 0.75, fract(stripe) < 0.2));
        }
        colour = mix(colour, over.rgb, opacity);
    }
    if has(CONTOUR) {
        if has(SHOW_TRUTH) && is_truth_outline(at) {
            colour = mix(colour, picture.truth_outline.rgb, picture.outline_opacity);
        }
        if has(LABELS) && is_label_outline(at, label) {
            colour = mix(colour, label_colour.rgb, label_colour.a * picture.outline_opacity);
        } else if has(LABEL_IS_MASK) && is_active(label) && is_label_outline(at, label) {
            colour = mix(colour, picture.prediction_outline.rgb, picture.outline_opacity);
        }
        if has(SHOW_PREDICTION) && !has(LABEL_IS_MASK) {
            let covered = prediction_outline(at) * picture.outline_opacity;
            colour = mix(colour, picture.prediction_outline.rgb, covered);
        }
    }
    return vec4f(colour, 1.0);
}
