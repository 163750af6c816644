//! The settings of the tools and of the operations on a label.

use crate::annotate::tools::{Connectivity, Extent, GrowSettings, Length, Smallest};

/// The settings of the tools.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ToolOptions {
    /// Whether brush and eraser are spheres over the neighbouring slices.
    pub is_sphere: bool,
    /// Whether flood and smart brush take only similar values.
    pub uses_value: bool,
    /// The greatest difference of values, as a share of the width of the display window.
    pub value: f32,
    /// Whether flood and smart brush take only similar probabilities.
    pub uses_probability: bool,
    /// The greatest difference of probabilities.
    pub probability: f32,
    /// Which pixels are neighbours to the flood.
    pub connectivity: Connectivity,
    /// The threshold of the regions of the prediction.
    pub threshold: f32,
    /// What slows the growing front down.
    pub grow: GrowSettings,
}

impl Default for ToolOptions {
    fn default() -> Self {
        Self {
            is_sphere: false,
            uses_value: true,
            value: 0.1,
            uses_probability: false,
            probability: 0.25,
            connectivity: Connectivity::Edge,
            threshold: 0.5,
            grow: GrowSettings::default(),
        }
    }
}

/// The settings of the operations on a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OperationOptions {
    /// Whether an operation changes the slice or the stack.
    pub extent: Extent,
    /// How many of the largest parts are kept.
    pub count: usize,
    /// The size below which parts are dropped, in pixels and in mm² or mm³.
    pub smallest: [f64; 2],
    /// The length of smoothing, growing and shrinking, in pixels and in mm.
    pub by: [f64; 2],
    /// Whether sizes and lengths are in mm, where the pixel size is known.
    pub in_mm: bool,
}

impl Default for OperationOptions {
    fn default() -> Self {
        Self { extent: Extent::Slice, count: 1, smallest: [20.0, 20.0], by: [2.0, 1.0], in_mm: true }
    }
}

impl OperationOptions {
    /// Returns the size below which parts are dropped. `has_mm` says whether the pixel size is known.
    pub fn smallest(&self, has_mm: bool) -> Smallest {
        let [pixels, mm] = self.smallest;
        match (self.in_mm && has_mm, self.extent) {
            (false, _) => Smallest::Pixels(pixels),
            (true, Extent::Slice) => Smallest::Mm2(mm),
            (true, Extent::Stack) => Smallest::Mm3(mm),
        }
    }

    /// Returns the length of smoothing, growing and shrinking. `has_mm` says whether the pixel size is known.
    pub fn length(&self, has_mm: bool) -> Length {
        let [pixels, mm] = self.by;
        if self.in_mm && has_mm { Length::Mm(mm) } else { Length::Pixels(pixels) }
    }
}
