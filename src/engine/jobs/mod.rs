//! The jobs, grouped by subject. Each declares its inputs, its answer and how it runs.

mod numbers;
mod opening;
mod painting;
mod saving;

pub use numbers::{CountPixels, MeasureDistance, RefineStages};
pub use opening::{
    ImageOpened, ListFolder, OpenImage, OpenSample, OpenTruth, ReadText, SampleOpened, SortPaths, TruthOpened,
    TruthQuestion,
};
pub use painting::{NetworkView, PaintOverlay};
pub use saving::{SaveFigure, SaveMask, SaveOverlay, Write};
