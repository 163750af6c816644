//! Applies the commands of the Stages tab: the only place where they change its state.

use std::path::PathBuf;

use super::{FIGURE_WIDTH, StagesCommand, WHOLE, Work};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::app::text::file_name;
use crate::engine::{Slot, Study, StudyRequest, SweepOver};
use crate::infer::{ModelSource, Parameter, SweepResult};

/// The smallest part of an image that can fill a pane.
const SMALLEST_PART: f32 = 1.0 / 64.0;
/// The maximum number of images on which stage read-outs are fitted.
const FIT_IMAGES: usize = 200;
/// The split on which stage read-outs are fitted.
const FIT_SPLIT: &str = "train";

impl HimixApp {
    /// Applies `command`.
    pub(in crate::app) fn apply_stages(&mut self, command: StagesCommand) {
        let (stages, settings) = (&mut self.state.stages, &mut self.state.settings.stages);
        match command {
            StagesCommand::Show(kind) => {
                settings.kind = kind;
                stages.channel = None;
            }
            StagesCommand::SetOpacity(opacity) => settings.opacity = opacity.clamp(0.0, 1.0),
            StagesCommand::Alone(is_alone) => settings.is_alone = is_alone,
            StagesCommand::ShowChannel(channel) => stages.channel = channel,
            StagesCommand::Zoom(part) => {
                let size = part.size().clamp(eframe::egui::Vec2::splat(SMALLEST_PART), WHOLE.size());
                let corner = part.min.to_vec2().clamp(eframe::egui::Vec2::ZERO, WHOLE.size() - size);
                stages.seen_part = eframe::egui::Rect::from_min_size(corner.to_pos2(), size);
            }
            StagesCommand::Point(pointer) => stages.pointer = pointer,
            StagesCommand::Override(overrides, _) => {
                let own = self.state.model.as_ref().map(|model| &model.info.overrides);
                stages.overrides =
                    Some(*overrides).filter(|overrides| Some(overrides) != own && overrides.validate().is_ok());
            }
            StagesCommand::Reset => stages.overrides = None,
            StagesCommand::SaveModified(folder) => {
                if let Some(overrides) = stages.overrides.clone() {
                    let what = format!("Writing {}", file_name(&folder));
                    self.begin_study(what, Study::Save { overrides, folder });
                }
            }
            StagesCommand::Fit(data) => self.begin_study("Fitting the stage read-outs".into(), fit(data)),
            StagesCommand::FitCompared(data) => {
                if let Some(other) = &self.state.comparison {
                    let name = other.info.as_ref().map(|info| info.name.clone()).unwrap_or_default();
                    let (source, what) = (other.source.clone(), format!("Fitting the stage read-outs of {name}"));
                    self.begin_study_of(Slot::Compared, source, what, fit(data));
                }
            }
            StagesCommand::SetSweep(settings) => stages.sweep_settings = settings,
            StagesCommand::Sweep => self.begin_sweep(),
            StagesCommand::SaveFigure(kind, path) => self.save_figure(kind, path),
            StagesCommand::FigureWidth(width) => {
                settings.figure_width = width.clamp(FIGURE_WIDTH.0, FIGURE_WIDTH.1)
            }
            StagesCommand::CancelWork => stages.work.cancel(),
        }
    }

    fn begin_study(&mut self, what: String, work: Study) {
        if let Some(model) = &self.state.model {
            self.begin_study_of(Slot::Primary, model.source.clone(), what, work);
        }
    }

    fn begin_study_of(&mut self, slot: Slot, source: ModelSource, what: String, work: Study) {
        let device = self.state.device_for_tasks();
        let what = Work { words: what, slot };
        let request = StudyRequest { source, device, work };
        if let Err(error) = self.engine.study(&mut self.state.stages.work, what, request) {
            self.state.notes.add(Kind::Error, format!("No thread could be started ({error}). Try again."));
        }
    }

    fn begin_sweep(&mut self) {
        let state = &self.state;
        let Some(model) = &state.model else { return };
        let overrides = state.stages.overrides.as_ref().unwrap_or(&model.info.overrides).clone();
        let settings = state.stages.sweep_settings;
        let Some(parameter) = settings.parameter.or(Parameter::all(&overrides).first().copied()) else { return };
        let prompt = state.sent_prompt().into_owned();
        let over = match (&state.worklist, &state.document.image) {
            (Some(list), _) if settings.over_list => {
                let (limit, settings) = (state.settings.limit(), &state.settings);
                // Only the cases that match the search are swept.
                let all = list.with_edits();
                let mut items: Vec<_> = list.shown.iter().filter_map(|&place| all.get(place).cloned()).collect();
                items.iter_mut().for_each(|item| item.reading = settings.reading(Some(&item.reading)));
                SweepOver::Items { items, prompt, limit }
            }
            (_, Some(open)) => SweepOver::Picture {
                image: open.image.clone(),
                seen: open.asked,
                prompt,
                truth: state.truth_mask().map(|(_, mask)| mask),
            },
            _ => return,
        };
        let steps = settings.count.max(2) - 1;
        let values =
            (0..=steps).map(|step| settings.from + (settings.to - settings.from) * step as f32 / steps as f32);
        let values = values.collect();
        let what = format!("Sweeping {}", parameter.name(&overrides));
        let threshold = state.settings.threshold;
        let study = Study::Sweep { overrides, parameter, values, threshold, over };
        self.state.stages.sweeping = Some(study.clone());
        self.begin_study(what, study);
    }

    /// Stores the result of a sweep and starts that of the comparison model, if it has the same parameter. A sweep
    /// that was cancelled covers only some of the cases, so no second sweep follows.
    pub(super) fn keep_sweep(&mut self, result: SweepResult) {
        let Some(study) = self.state.stages.sweeping.take() else {
            // A sweep over fewer cases could not be compared with the first one.
            if result.is_whole {
                let name = self.state.other().map(|info| info.name.clone()).unwrap_or_default();
                self.state.stages.swept_other = Some((name, result));
            }
            return;
        };
        let (cases, is_whole) = (result.cases, result.is_whole);
        if let Study::Sweep { threshold, .. } = &study {
            self.state.stages.swept_threshold = *threshold;
        }
        self.state.stages.swept = Some(result);
        self.state.stages.swept_other = None;
        if !is_whole {
            let cases = if cases == 1 { "1 case".to_owned() } else { format!("{cases} cases") };
            let text = format!("Sweep stopped after {cases}.");
            return self.state.notes.add(Kind::Info, text);
        }
        let Some(other) = self.state.comparison.as_ref() else { return };
        let (source, Some(info), Study::Sweep { parameter, values, threshold, over, .. }) =
            (other.source.clone(), &other.info, study)
        else {
            return;
        };
        let overrides = info.overrides.clone();
        if parameter.get(&overrides).is_some() {
            let what = format!("Sweeping {} of {}", parameter.name(&overrides), info.name);
            let work = Study::Sweep { overrides, parameter, values, threshold, over };
            self.begin_study_of(Slot::Compared, source, what, work);
        }
    }
}

/// Returns the study that fits stage read-outs on a data set.
fn fit(data: PathBuf) -> Study {
    Study::Fit { data, split: FIT_SPLIT.into(), limit: FIT_IMAGES }
}
