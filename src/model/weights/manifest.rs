//! The tensors in the files of a network.

use burn::tensor::Device;

use crate::model::config::ConfigError;
use crate::model::key_table::KeySpec;
use crate::model::network::{Model, Network};

/// The keys and shapes of all parameters of a network, in the order of the module.
///
/// # Errors
/// The network cannot be built.
pub fn parameters(network: &dyn Network) -> Result<Vec<KeySpec>, ConfigError> {
    // Parameters are initialised lazily, so that this allocates almost nothing.
    let model = network.build(&Device::flex())?;
    let mut specs = Vec::new();
    model.visit_parameters(&mut |path, parameter| {
        let name = network.key(path);
        let shape = file_shape(network, &name, parameter.shape());
        specs.push(KeySpec { name, shape });
    });
    Ok(specs)
}

/// The number of values in all parameters; 0 if the network cannot be built.
pub fn parameter_count(network: &dyn Network) -> usize {
    parameters(network).map_or(0, |specs| numbers(&specs))
}

/// The number of values in tensors of these shapes.
pub fn numbers(specs: &[KeySpec]) -> usize {
    specs.iter().map(|spec| spec.shape.iter().product::<usize>()).sum()
}

/// The keys and shapes of all tensors of the authors' model: the parameters and the tensors that do not influence
/// the mask.
///
/// # Errors
/// The network cannot be built.
pub fn all(network: &dyn Network) -> Result<Vec<KeySpec>, ConfigError> {
    let auxiliary = network.auxiliary().into_iter().map(|(spec, _)| spec);
    Ok(parameters(network)?.into_iter().chain(auxiliary).collect())
}

/// The keys and values of all parameters of a model, as stored in files.
pub fn tensors_of(network: &dyn Network, model: &dyn Model) -> super::Tensors {
    let mut tensors = super::Tensors::new();
    model.visit_parameters(&mut |path, parameter| {
        let name = network.key(path);
        let shape = file_shape(network, &name, parameter.shape());
        tensors.insert(name, (shape, parameter.values()));
    });
    tensors
}

fn file_shape(network: &dyn Network, key: &str, shape: Vec<usize>) -> Vec<usize> {
    if network.is_scalar(key) { Vec::new() } else { shape }
}
