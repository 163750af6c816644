//! The Stages tab: the intermediate results of the network and the modified parameters.

mod apply;
mod arrivals;
mod command;
mod export;
mod pictures;
mod requests;

use eframe::egui::{Pos2, Rect, TextureHandle, pos2};
use serde::{Deserialize, Serialize};

pub use command::{StagesCommand, SweepSettings, turned_name};
pub use pictures::{MapOf, Maps, Pane, Pictures, Place, map_picture, mask_picture};

use crate::analysis::maps::MapKind;
use crate::analysis::refinement::Step;
use crate::data::volume::DisplayWindow;
use crate::engine::{DisplayPixels, Inspected, Pending, Slot, Study, StudyAnswer, Ticket};
use crate::infer::{InspectOptions, Overrides, SweepResult};

/// The settings of the tab that are saved between sessions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StagesSettings {
    /// The map that is shown for every stage.
    pub kind: MapKind,
    /// The opacity of the maps over the image, 0…1.
    pub opacity: f32,
    /// Whether the maps are shown without the image.
    pub is_alone: bool,
    /// The width of figures saved as PNG, in pixels.
    pub figure_width: u32,
}

/// The minimum and maximum width of a figure, in pixels.
pub const FIGURE_WIDTH: (u32, u32) = (200, 12_000);

impl Default for StagesSettings {
    fn default() -> Self {
        Self { kind: MapKind::default(), opacity: 0.6, is_alone: false, figure_width: 2400 }
    }
}

/// The inputs of an inspection; equal inputs give the same result.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The newest prediction request, which determines image, prompt, window and model.
    pub request: Ticket,
    /// The ground truth to compare with.
    pub truth: Option<Ticket>,
    /// The parameter overrides.
    pub overrides: Option<Overrides>,
    /// The intermediate results to compute.
    pub wanted: InspectOptions,
}

/// The inspection of one model.
#[derive(Default)]
pub struct InspectionState {
    /// The newest inspection request.
    pub request: Pending<Asked, Inspected>,
    /// The newest inspection result.
    pub seen: Option<Inspected>,
    /// The reason why the inspection failed.
    pub error: Option<String>,
    /// The numbers of the stages' masks.
    pub refinement: Refinement,
}

/// The image below the maps.
#[derive(Default)]
pub struct Base {
    /// The request, identified by the ticket of the image, the slice and the display window.
    pub request: Pending<(Ticket, usize, DisplayWindow), DisplayPixels>,
    /// The texture on the graphics device.
    pub texture: Option<TextureHandle>,
}

/// A long task and the model it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// The description shown to the user.
    pub words: String,
    /// The slot of the open model or of the comparison model.
    pub slot: Slot,
}

/// The numbers of the stages' masks.
#[derive(Default)]
pub struct Refinement {
    /// The request, identified by the tickets of inspection and ground truth, and the threshold step.
    pub request: Pending<(Ticket, Option<Ticket>, usize), Vec<Step>>,
    /// The newest result, with the ticket of its inspection.
    pub steps: Option<(Ticket, Vec<Step>)>,
}

/// The state of the Stages tab.
pub struct Stages {
    /// The inspection of the open model.
    pub look: InspectionState,
    /// The inspection of the comparison model.
    pub other: InspectionState,
    /// The parameter overrides; `None` if the model runs with its own parameters.
    pub overrides: Option<Overrides>,
    /// The visible part of the images, 0…1 along both axes; the same in all panes.
    pub seen_part: Rect,
    /// The position of the pointer in the image, 0…1.
    pub pointer: Option<Pos2>,
    /// A single channel shown instead of the map: the stage, and the rank of the channel by its weight in the
    /// mask.
    pub channel: Option<(usize, usize)>,
    /// The image below the maps.
    pub base: Base,
    /// The images on the graphics device.
    pub pictures: Pictures,
    /// The maps that are shown.
    pub maps: Maps,
    /// The long task that is running.
    pub work: Pending<Work, StudyAnswer>,
    /// The settings of the sweep.
    pub sweep_settings: SweepSettings,
    /// The sweep of the open model that is running.
    pub sweeping: Option<Study>,
    /// The result of the last sweep.
    pub swept: Option<SweepResult>,
    /// The threshold of the masks in that sweep.
    pub swept_threshold: f32,
    /// The name of the comparison model and the result of its last sweep.
    pub swept_other: Option<(String, SweepResult)>,
}

/// The rectangle that covers a whole image.
pub const WHOLE: Rect = Rect { min: pos2(0.0, 0.0), max: pos2(1.0, 1.0) };

impl Default for Stages {
    fn default() -> Self {
        Self {
            look: InspectionState::default(),
            other: InspectionState::default(),
            overrides: None,
            seen_part: WHOLE,
            pointer: None,
            channel: None,
            base: Base::default(),
            pictures: Pictures::default(),
            maps: Maps::default(),
            work: Pending::default(),
            sweep_settings: SweepSettings::default(),
            sweeping: None,
            swept: None,
            swept_threshold: 0.5,
            swept_other: None,
        }
    }
}

impl Stages {
    /// Returns the inspection state of the model in a slot.
    pub fn look_mut(&mut self, slot: Slot) -> &mut InspectionState {
        match slot {
            Slot::Primary => &mut self.look,
            Slot::Compared => &mut self.other,
        }
    }

    /// Discards what belongs to an image that is no longer shown.
    pub fn forget_image(&mut self) {
        self.look = InspectionState::default();
        self.other = InspectionState::default();
        self.base = Base::default();
        self.pictures = Pictures::default();
        self.maps = Maps::default();
        self.seen_part = WHOLE;
        self.pointer = None;
    }

    /// Discards what belongs to the comparison model.
    pub fn forget_other(&mut self) {
        self.other = InspectionState::default();
        self.swept_other = None;
    }

    /// Discards what belongs to a model that is no longer open.
    pub fn forget_model(&mut self) {
        self.look = InspectionState::default();
        self.overrides = None;
        self.channel = None;
        self.swept = None;
        self.swept_other = None;
        self.sweep_settings = SweepSettings::default();
    }
}
