//! What is different for a tensor on the device of another computer, which there is with the feature `remote` alone.

use burn::tensor::{Device, Tensor};

/// Whether a device is one of another computer, with or without gradients.
pub fn is_remote_device(device: &Device) -> bool {
    #[cfg(feature = "remote")]
    let is_remote = {
        let plain = if device.is_autodiff() { device.clone().inner() } else { device.clone() };
        matches!(plain.as_dispatch(), burn::backend::DispatchDevice::Remote(_))
    };
    #[cfg(not(feature = "remote"))]
    let is_remote = {
        let _ = device;
        false
    };
    is_remote
}

/// Whether a tensor is on the device of another computer, with or without gradients.
pub fn is_remote<const D: usize>(tensor: &Tensor<D>) -> bool {
    cfg!(feature = "remote") && is_remote_device(&tensor.device())
}

/// Puts the axes in the order of `axes`.
///
/// burn 0.22 calls a permutation of floating-point numbers one of integers where it describes operations for another
/// computer, and a CPU there refuses it. There, axes change places two at a time.
pub fn permuted<const D: usize>(x: Tensor<D>, axes: [usize; D]) -> Tensor<D> {
    if is_remote(&x) { exchanged(x, axes) } else { x.permute(axes) }
}

fn exchanged<const D: usize>(mut x: Tensor<D>, axes: [usize; D]) -> Tensor<D> {
    // The axes of the input in their present order.
    let mut order: Vec<usize> = (0..D).collect();
    for (place, axis) in axes.into_iter().enumerate() {
        let found = order.iter().position(|present| *present == axis).expect("every axis is named once");
        if found != place {
            x = x.swap_dims(place, found);
            order.swap(place, found);
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;

    #[test]
    fn exchanges_of_two_axes_make_every_order() {
        let x = Tensor::<4>::random([2, 3, 4, 5], Distribution::Default, &Device::flex());
        for index in 0..256 {
            let axes = [index & 3, index >> 2 & 3, index >> 4 & 3, index >> 6];
            if (0..4).all(|axis| axes.contains(&axis)) {
                let (ours, theirs) = (exchanged(x.clone(), axes), x.clone().permute(axes));
                assert_eq!(ours.dims(), theirs.dims(), "{axes:?}");
                ours.into_data().assert_eq(&theirs.into_data(), true);
            }
        }
    }
}
