//! Which tensors the files of a network have.

use burn::tensor::Device;

use crate::model::config::ConfigError;
use crate::model::key_table::KeySpec;
use crate::model::network::{Model, Network};

/// Every parameter of a network with its key and shape, in the order of the module.
pub fn parameters(network: &dyn Network) -> Result<Vec<KeySpec>, ConfigError> {
    // Parameters are made lazily, so that this allocates next to nothing.
    let model = network.build(&Device::flex())?;
    let mut specs = Vec::new();
    model.visit_parameters(&mut |path, parameter| {
        let name = network.key(path);
        let shape = file_shape(network, &name, parameter.shape());
        specs.push(KeySpec { name, shape });
    });
    Ok(specs)
}

/// Numbers in all parameters; 0 where the sizes make no network.
pub fn parameter_count(network: &dyn Network) -> usize {
    parameters(network).map_or(0, |specs| numbers(&specs))
}

/// Numbers in tensors of these shapes.
pub fn numbers(specs: &[KeySpec]) -> usize {
    specs.iter().map(|spec| spec.shape.iter().product::<usize>()).sum()
}

/// Every tensor of the authors' model: parameters, and those that the mask does not depend on.
pub fn all(network: &dyn Network) -> Result<Vec<KeySpec>, ConfigError> {
    let auxiliary = network.auxiliary().into_iter().map(|(spec, _)| spec);
    Ok(parameters(network)?.into_iter().chain(auxiliary).collect())
}

/// Keys and values of all parameters of a model, as files have them.
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
