//! What a network is prepared for.

use burn::tensor::Device;

/// The device for which a network is prepared, and the precision of its products there.
#[derive(Clone, Debug)]
pub struct Target {
    /// The device.
    pub device: Device,
    /// Whether a GPU multiplies in half precision. Sums, norms, soft-max, the spectrum filter and residuals are in single
    /// precision in any case. It has no effect on the CPU.
    pub is_half: bool,
}

impl Target {
    /// The device, in single precision.
    pub fn single(device: &Device) -> Self {
        Self { device: device.clone(), is_half: false }
    }

    /// The device, with products in half precision if it is a GPU.
    pub fn half(device: &Device) -> Self {
        Self { device: device.clone(), is_half: true }
    }
}
