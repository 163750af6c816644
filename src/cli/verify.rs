//! `himix verify`: compares the network's tensors with recorded activations.

use std::collections::BTreeMap;
use std::path::PathBuf;

use burn::tensor::Tensor;
use clap::Args;
use himix::device::{self, DeviceError, Fault};
use himix::model::weights::{Located, bundle};
use himix::model::{Inputs, Model, Target, Tokens, Trace};

use super::arguments::{DeviceArguments, ModelArguments};
use super::reference::Reference;
use super::{Failure, terminal};

const EXAMPLES: &str = "\
Examples:
  himix verify --model my-bundle --reference activations.safetensors
  himix verify --model authors.ckpt --config config.json --reference activations.safetensors
  himix verify --model rule --reference activations.safetensors --device gpu --tolerance 1e-3

The reference holds input.image, and input.ids and input.mask, input.text (word vectors) or input.box where the network reads
them, and any of the network's intermediate tensors, as
`himix predict --activations` writes them. No vocabulary is needed. Expect relative L2 errors of up to 1e-4 on the CPU
and up to 1e-3 on a GPU.";

/// Compare the network's tensors with recorded activations
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// .safetensors file with recorded inputs and intermediate tensors
    #[arg(long, value_name = "FILE")]
    reference: PathBuf,
    /// Largest accepted relative L2 error of a tensor
    #[arg(long, value_name = "E", default_value = "1e-4", value_parser = tolerance)]
    tolerance: f64,
    #[command(flatten)]
    device: DeviceArguments,
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(value) if value >= 0.0 && value.is_finite() => Ok(value),
        _ => Err("the tolerance must be a number from 0, for example 1e-4".into()),
    }
}

/// The error of one tensor.
struct Row {
    name: String,
    /// The relative error: ‖ours − reference‖ / ‖reference‖.
    relative: f64,
    /// The largest absolute error: max |ours − reference|.
    largest: f64,
}

impl Row {
    fn new(name: impl Into<String>, ours: &[f32], reference: &[f32]) -> Self {
        let (mut difference, mut norm, mut largest) = (0.0, 0.0, 0.0);
        for (ours, reference) in ours.iter().zip(reference) {
            let apart = (f64::from(*ours) - f64::from(*reference)).abs();
            difference += apart * apart;
            norm += f64::from(*reference).powi(2);
            // `max` would ignore NaN.
            if apart > largest || apart.is_nan() {
                largest = apart;
            }
        }
        Self { name: name.into(), relative: (difference / f64::max(norm, 1e-300)).sqrt(), largest }
    }

    /// Returns whether the error is within the tolerance; NaN is not.
    fn passes(&self, tolerance: f64) -> bool {
        self.relative <= tolerance
    }
}

/// Runs the command.
pub fn run(arguments: &VerifyArguments) -> Result<(), Failure> {
    let located = bundle::locate(&arguments.model.source(None))?;
    located.weights.notices().iter().for_each(terminal::note);
    let reference = Reference::open(&arguments.reference, located.config.network.as_ref())?;
    let busy = terminal::busy("running the network");
    let choice = arguments.device.choice()?;
    device::reach(choice).map_err(Failure::work)?;
    let device = device::open(choice).for_prediction();
    let (rows, device) = device::with_fallback(device, |device| {
        let target = Target { device: device.device.clone(), is_half: device.is_half };
        measure(&located, &reference, &target)
    })?;
    drop(busy);
    device.notice.iter().for_each(terminal::note);
    let mut text = format!("{:28}{:>14}{:>22}\n", "tensor", "relative L2", "largest |difference|");
    for Row { name, relative, largest } in &rows {
        text += &format!("{name:28}{relative:14.2e}{largest:22.2e}\n");
    }
    // NaN counts as the largest error.
    let key = |row: &&Row| if row.relative.is_nan() { f64::INFINITY } else { row.relative };
    let Some(worst) = rows.iter().max_by(|a, b| key(a).total_cmp(&key(b))) else {
        return Err(Failure::input(format!("{}: there is nothing to compare", arguments.reference.display())));
    };
    let tolerance = arguments.tolerance;
    let beyond = rows.iter().filter(|row| !row.passes(tolerance)).count();
    let verdict = if beyond == 0 { "passed" } else { "failed" };
    let count = rows.len();
    let summary = format!(
        "{beyond} of {count} tensors beyond tolerance {tolerance:.1e}; largest relative L2 error {:.2e} ({}); computed on {}",
        worst.relative, worst.name, device.name
    );
    terminal::print(&format!("{text}{verdict}: {summary}"))?;
    if beyond == 0 { Ok(()) } else { Err(Failure::work(format!("verification failed: {summary}"))) }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::work(fault)
    }
}

impl DeviceError for Failure {
    fn fault(&self) -> Option<Fault> {
        (self.status == 1).then(|| Fault { device: String::new(), reason: self.to_string() })
    }
}

/// Compares every tensor of the reference, in the order in which the network computes them, and additionally the
/// logits as `predict` computes them, which alone may be in half precision.
fn measure(located: &Located, reference: &Reference, target: &Target) -> Result<Vec<Row>, Failure> {
    let device = &target.device;
    let model = located.load(device)?;
    let inputs = reference.inputs(device);
    let mut trace = Trace::on();
    model.forward(inputs.clone(), &mut trace);
    let recorded = trace.into_tensors();
    let shapes: BTreeMap<&str, &[usize]> =
        recorded.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.as_slice())).collect();
    reference.must_fit(&shapes)?;
    let mut rows = Vec::new();
    for tensor in &recorded {
        for name in reference.names_of(&tensor.name) {
            let ours = reference.part_of(name, &tensor.shape, read_back(tensor.values.clone())?);
            rows.push(Row::new(name, &ours, &reference.read(name)?));
        }
    }
    if reference.has("logits") {
        let ours = logits_as_predicted(model, &inputs, target)?;
        rows.push(Row::new("logits, as predict computes", &ours, &reference.read("logits")?));
    }
    Ok(rows)
}

/// Returns the logits image by image, because the executor processes one image at a time.
fn logits_as_predicted(model: Box<dyn Model>, inputs: &Inputs, target: &Target) -> Result<Vec<f32>, Failure> {
    let executor = model.prepare(target);
    let mut logits = Vec::new();
    for item in 0..inputs.image.dims()[0] {
        let features = executor.encode_image(inputs.image.clone().narrow(0, item, 1));
        let text = match (&inputs.vectors, inputs.tokens.clone()) {
            (Some(vectors), _) => Some(executor.encode_vectors(vectors.clone().narrow(0, item, 1))),
            (None, tokens) => tokens.map(|Tokens { ids, mask }| {
                executor.encode_text(Tokens { ids: ids.narrow(0, item, 1), mask: mask.narrow(0, item, 1) })
            }),
        };
        let prompt = match &inputs.boxes {
            Some(boxes) => {
                let corners = read_back(boxes.clone().narrow(0, item, 1))?;
                executor.encode_box(std::array::from_fn(|index| corners[index]))
            }
            None => text.unwrap_or_default(),
        };
        logits.extend(read_back(executor.decode(&features, &prompt))?);
    }
    Ok(logits)
}

fn read_back<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, Failure> {
    let data = tensor.try_into_data();
    data.map(|data| data.iter::<f32>().collect()).map_err(|error| {
        let reason = device::reason(&error.to_string());
        Failure::work(format!("the results cannot be read back from the device ({reason})"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_relative_to_the_reference_and_see_what_is_no_number() {
        let row = Row::new("x", &[3.0, 4.5], &[3.0, 4.0]);
        assert!((row.relative - 0.1).abs() < 1e-12 && row.largest == 0.5);
        let row = Row::new("x", &[f32::NAN, 1.0], &[1.0, 1.0]);
        assert!(row.relative.is_nan() && row.largest.is_nan());
    }
}
