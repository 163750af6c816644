//! The jobs, by what they are about. Each says what it needs, what comes of it and how it is done.

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
