//! The Stages tab: what is looked at inside the network, and what is turned.

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

/// What is remembered of the tab between runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StagesSettings {
    /// What is shown of every stage.
    pub kind: MapKind,
    /// Opacity of the maps over the picture, 0…1.
    pub opacity: f32,
    /// Whether the maps are shown without the picture.
    pub is_alone: bool,
    /// Width of figures that are saved as PNG, pixels.
    pub figure_width: u32,
}

/// Least and largest width of a figure, pixels.
pub const FIGURE_WIDTH: (u32, u32) = (200, 12_000);

impl Default for StagesSettings {
    fn default() -> Self {
        Self { kind: MapKind::default(), opacity: 0.6, is_alone: false, figure_width: 2400 }
    }
}

/// What a look inside was asked for; where this stays the same, so does the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The newest request for a prediction: image, prompt, window, model.
    pub request: Ticket,
    /// The truth that it is compared with.
    pub truth: Option<Ticket>,
    /// Values in place of the model's.
    pub overrides: Option<Overrides>,
    /// What is looked at.
    pub wanted: InspectOptions,
}

/// The looks inside one model.
#[derive(Default)]
pub struct InspectionState {
    /// The look that was asked for last.
    pub request: Pending<Asked, Inspected>,
    /// What came last.
    pub seen: Option<Inspected>,
    /// Why nothing came.
    pub error: Option<String>,
    /// Numbers of the stages' masks.
    pub refinement: Refinement,
}

/// The picture beneath the maps.
#[derive(Default)]
pub struct Base {
    /// Of which image, which slice and how that is seen.
    pub request: Pending<(Ticket, usize, DisplayWindow), DisplayPixels>,
    /// On the graphics device.
    pub texture: Option<TextureHandle>,
}

/// Long work, and which model it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// What it is, for people.
    pub words: String,
    /// The open model, or the one that is compared with.
    pub slot: Slot,
}

/// The numbers of the stages' masks.
#[derive(Default)]
pub struct Refinement {
    /// Of which look and which truth at which step of the threshold.
    pub request: Pending<(Ticket, Option<Ticket>, usize), Vec<Step>>,
    /// What came last, and of which look.
    pub steps: Option<(Ticket, Vec<Step>)>,
}

/// State of the tab.
pub struct Stages {
    /// Inside the open model.
    pub look: InspectionState,
    /// Inside the model that is compared with.
    pub other: InspectionState,
    /// Parameters in place of the model's own; `None` where it runs with its own.
    pub overrides: Option<Overrides>,
    /// The part of the pictures that is seen, 0…1 along both sides; the same in all panes.
    pub seen_part: Rect,
    /// Where the pointer is in the picture, 0…1.
    pub pointer: Option<Pos2>,
    /// A single channel in place of the map: stage, and place in the order of the channels' weight on the mask.
    pub channel: Option<(usize, usize)>,
    /// Beneath the maps.
    pub base: Base,
    /// On the graphics device.
    pub pictures: Pictures,
    /// The maps that are shown.
    pub maps: Maps,
    /// Long work.
    pub work: Pending<Work, StudyAnswer>,
    /// The sweep as it is set up.
    pub sweep_settings: SweepSettings,
    /// The sweep of the open model that goes on.
    pub sweeping: Option<Study>,
    /// The sweep that was done last.
    pub swept: Option<SweepResult>,
    /// Threshold of its masks.
    pub swept_threshold: f32,
    /// The same of the model that is compared with, and its name.
    pub swept_other: Option<(String, SweepResult)>,
}

/// All of a picture.
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
    /// The looks inside the model in a slot.
    pub fn look_mut(&mut self, slot: Slot) -> &mut InspectionState {
        match slot {
            Slot::Primary => &mut self.look,
            Slot::Compared => &mut self.other,
        }
    }

    /// Forgets what belongs to an image that is shown no more.
    pub fn forget_image(&mut self) {
        self.look = InspectionState::default();
        self.other = InspectionState::default();
        self.base = Base::default();
        self.pictures = Pictures::default();
        self.maps = Maps::default();
        self.seen_part = WHOLE;
        self.pointer = None;
    }

    /// Forgets what belongs to the model that was compared with.
    pub fn forget_other(&mut self) {
        self.other = InspectionState::default();
        self.swept_other = None;
    }

    /// Forgets what belongs to a model that is open no more.
    pub fn forget_model(&mut self) {
        self.look = InspectionState::default();
        self.overrides = None;
        self.channel = None;
        self.swept = None;
        self.swept_other = None;
        self.sweep_settings = SweepSettings::default();
    }
}
