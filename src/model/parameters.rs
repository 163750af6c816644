//! Access to the parameters of any burn module as named tensors of any rank, so that weights, optimiser and export
//! do not depend on the module's type.

use std::any::Any;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use super::network::Model;

/// The named parameters of a model. It is implemented for every burn module that is a [`Model`].
pub trait Parameters {
    /// The number of values in all parameters.
    fn count(&self) -> usize;

    /// Calls `visit` with the path of every parameter, including running statistics, in the order of the module.
    fn visit_parameters(&self, visit: &mut dyn FnMut(&str, &dyn Parameter));

    /// Returns the model after `map` has replaced parameters, in the same order.
    fn map_parameters(self: Box<Self>, map: &mut dyn FnMut(&str, &mut dyn ParameterSlot)) -> Box<dyn Model>;

    /// Returns the model for evaluation, without gradients: on the plain device, with fixed statistics and without
    /// dropout.
    fn without_gradients(&self) -> Box<dyn Model>;

    /// Another model with the same weights in the same memory, whose gradients are separate: another thread can
    /// compute with it without waiting for this one. Running statistics are shared.
    fn detached(&self) -> Box<dyn Model>;

    /// Another handle to the same weights.
    fn boxed(&self) -> Box<dyn Model>;

    /// The module itself, for callers that know its type.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// Read access to a parameter.
pub trait Parameter {
    /// The shape. Reading it does not draw the random initial values.
    fn shape(&self) -> Vec<usize>;

    /// The values in row-major order.
    fn values(&self) -> Vec<f32>;

    /// The values flattened, without gradients.
    fn flat(&self) -> Tensor<1>;

    /// Whether it is trained. A frozen parameter is not, nor is a running statistic.
    fn is_trained(&self) -> bool;

    /// Removes the parameter's gradient from `gradients` and returns it flattened, on the plain device; `None` if
    /// there is none.
    fn take_gradient(&self, gradients: &mut Gradients) -> Option<Tensor<1>>;
}

/// A parameter that may be replaced.
pub trait ParameterSlot {
    /// The shape. Reading it does not draw the random initial values.
    fn shape(&self) -> Vec<usize>;

    /// The device. Reading it does not draw the random initial values.
    fn device(&self) -> Device;

    /// Sets the values, in row-major order, instead of the random initial values, which are never drawn.
    fn load(&mut self, values: Vec<f32>);

    /// Replaces the value by the result of `change`, which receives it flattened and without gradients. The
    /// parameter remains trainable.
    fn update(&mut self, change: &mut dyn FnMut(Tensor<1>) -> Tensor<1>);
}

impl<const D: usize> Parameter for Param<Tensor<D>> {
    fn shape(&self) -> Vec<usize> {
        self.lazy_shape().to_vec()
    }

    fn values(&self) -> Vec<f32> {
        self.val().into_data().iter::<f32>().collect()
    }

    fn flat(&self) -> Tensor<1> {
        let value = self.val().inner();
        let count = value.dims().iter().product::<usize>();
        value.reshape([count])
    }

    fn is_trained(&self) -> bool {
        self.val().is_require_grad()
    }

    fn take_gradient(&self, gradients: &mut Gradients) -> Option<Tensor<1>> {
        let gradient = self.val().grad_remove(gradients)?;
        let count = gradient.dims().iter().product::<usize>();
        Some(gradient.reshape([count]))
    }
}

/// A parameter while a mapper processes it.
struct Slot<const D: usize>(Option<Param<Tensor<D>>>);

impl<const D: usize> Slot<D> {
    fn param(&self) -> &Param<Tensor<D>> {
        self.0.as_ref().unwrap_or_else(|| unreachable!("a slot is filled between its uses"))
    }

    fn replace(&mut self, change: impl FnOnce(Param<Tensor<D>>) -> Param<Tensor<D>>) {
        self.0 = self.0.take().map(change);
    }
}

impl<const D: usize> ParameterSlot for Slot<D> {
    fn shape(&self) -> Vec<usize> {
        self.param().lazy_shape().to_vec()
    }

    fn device(&self) -> Device {
        self.param().lazy_device()
    }

    fn load(&mut self, values: Vec<f32>) {
        self.replace(|param| {
            let (shape, device, id) = (param.lazy_shape(), param.lazy_device(), param.id);
            let tensor = Tensor::from_data(TensorData::new(values, shape), &device);
            param.transform_for_load(tensor, id)
        });
    }

    fn update(&mut self, change: &mut dyn FnMut(Tensor<1>) -> Tensor<1>) {
        self.replace(|param| {
            let (id, tensor, mapper) = param.consume();
            let shape = tensor.dims();
            let count = shape.iter().product::<usize>();
            let moved = change(tensor.inner().reshape([count]));
            Param::from_mapped_value(id, Tensor::from_inner(moved.reshape(shape)).require_grad(), mapper)
        });
    }
}

/// The position of a visitor or mapper in the module.
#[derive(Default)]
struct Path(Vec<String>);

impl Path {
    fn enter(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    fn leave(&mut self) {
        self.0.pop();
    }

    fn text(&self) -> String {
        self.0.join(".")
    }
}

struct Visitor<'a> {
    path: Path,
    visit: &'a mut dyn FnMut(&str, &dyn Parameter),
}

impl ModuleVisitor for Visitor<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        (self.visit)(&self.path.text(), param);
    }
}

struct Mapper<'a> {
    path: Path,
    map: &'a mut dyn FnMut(&str, &mut dyn ParameterSlot),
}

impl ModuleMapper for Mapper<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let mut slot = Slot(Some(param));
        (self.map)(&self.path.text(), &mut slot);
        slot.0.unwrap_or_else(|| unreachable!("a slot is filled between its uses"))
    }
}

/// Replaces every parameter that is trained by one that is a leaf of its own.
struct Detach;

impl ModuleMapper for Detach {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !param.val().is_require_grad() {
            return param;
        }
        let (id, tensor, mapper) = param.consume();
        Param::from_mapped_value(id, Tensor::from_inner(tensor.inner()).require_grad(), mapper)
    }
}

impl<M: Module + Model + 'static> Parameters for M {
    fn count(&self) -> usize {
        self.num_params()
    }

    fn visit_parameters(&self, visit: &mut dyn FnMut(&str, &dyn Parameter)) {
        self.visit(&mut Visitor { path: Path::default(), visit });
    }

    fn map_parameters(self: Box<Self>, map: &mut dyn FnMut(&str, &mut dyn ParameterSlot)) -> Box<dyn Model> {
        Box::new((*self).map(&mut Mapper { path: Path::default(), map }))
    }

    fn without_gradients(&self) -> Box<dyn Model> {
        Box::new(self.valid())
    }

    fn detached(&self) -> Box<dyn Model> {
        Box::new(self.clone().map(&mut Detach))
    }

    fn boxed(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
