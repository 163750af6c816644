//! The one visitor of parameters: every burn module seen as named tensors of any rank, so that weights, optimiser and export need
//! not know its type.

use std::any::Any;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use super::network::Model;

/// The named parameters of a model. Implemented for every burn module that is a [`Model`].
pub trait Parameters {
    /// Numbers in all parameters.
    fn count(&self) -> usize;

    /// Calls `visit` with the path of every parameter in the module, running statistics included, in the order of the module.
    fn visit_parameters(&self, visit: &mut dyn FnMut(&str, &dyn Parameter));

    /// The model with parameters that `map` may have replaced; in the same order.
    fn map_parameters(self: Box<Self>, map: &mut dyn FnMut(&str, &mut dyn ParameterSlot)) -> Box<dyn Model>;

    /// The same model without gradients, in evaluation: on the plain device, with fixed statistics and no dropout.
    fn without_gradients(&self) -> Box<dyn Model>;

    /// Another handle to the same weights.
    fn boxed(&self) -> Box<dyn Model>;

    /// The module itself, for what knows its type.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// A parameter as it is.
pub trait Parameter {
    /// Its shape; does not draw a random start.
    fn shape(&self) -> Vec<usize>;

    /// Its values, row-major.
    fn values(&self) -> Vec<f32>;

    /// Takes its gradient out of `gradients`, flattened, on the plain device; `None` where it has none.
    fn take_gradient(&self, gradients: &mut Gradients) -> Option<Tensor<1>>;
}

/// A parameter that may be replaced.
pub trait ParameterSlot {
    /// Its shape; does not draw a random start.
    fn shape(&self) -> Vec<usize>;

    /// Its device; does not draw a random start.
    fn device(&self) -> Device;

    /// Sets its values, row-major, in place of its random start, which is never drawn. With `is_turned` the values are those of the
    /// transposed matrix: what the parameter means is the same, but it lies in memory column by column.
    fn load(&mut self, values: Vec<f32>, is_turned: bool);

    /// Replaces its value, flattened and without gradients, by what `change` makes of it; it is trained on.
    fn update(&mut self, change: &mut dyn FnMut(Tensor<1>) -> Tensor<1>);
}

impl<const D: usize> Parameter for Param<Tensor<D>> {
    fn shape(&self) -> Vec<usize> {
        self.lazy_shape().to_vec()
    }

    fn values(&self) -> Vec<f32> {
        self.val().into_data().iter::<f32>().collect()
    }

    fn take_gradient(&self, gradients: &mut Gradients) -> Option<Tensor<1>> {
        let gradient = self.val().grad_remove(gradients)?;
        let count = gradient.dims().iter().product::<usize>();
        Some(gradient.reshape([count]))
    }
}

/// A parameter on its way through a mapper.
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

    fn load(&mut self, values: Vec<f32>, is_turned: bool) {
        self.replace(|param| {
            let (shape, device, id) = (param.lazy_shape(), param.lazy_device(), param.id);
            let tensor = if is_turned && D == 2 {
                Tensor::<D>::from_data(TensorData::new(values, [shape[1], shape[0]]), &device).swap_dims(0, 1)
            } else {
                Tensor::from_data(TensorData::new(values, shape), &device)
            };
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

/// Where in the module a visitor or mapper is.
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

    fn boxed(&self) -> Box<dyn Model> {
        Box::new(self.clone())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
