//! Single channels, ordered by their weight in the mask.

use eframe::egui::{Button, ComboBox, Label, RichText, Role, Ui, WidgetInfo};

use crate::app::command::Command;
use crate::app::panels::widgets::grouped;
use crate::app::stages::StagesCommand;
use crate::app::state::State;

/// The name of the view of single channels.
pub const NAME: &str = "Channel";
const WORDS: &str = "Shows one channel of a stage's output in place of the map, beginning with the channel that contributes most to the mean logit of the mask.";

/// Draws the switch between maps and single channels.
pub fn button(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let stages = state.stages.look.seen.as_ref().map_or(0, |seen| seen.inspection.stages.len());
    if stages == 0 {
        return;
    }
    if ui.selectable_label(state.stages.channel.is_some(), NAME).on_hover_text(WORDS).clicked() {
        commands.push(Command::Stages(StagesCommand::ShowChannel(Some((stages - 1, 0)))));
    }
}

/// Draws the choice of stage and channel while single channels are shown.
pub fn choice(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let (Some(seen), Some((stage, rank))) = (&state.stages.look.seen, state.stages.channel) else { return };
    let stages = &seen.inspection.stages;
    let Some(view) = stages.get(stage) else { return };
    let mut set = |channel| commands.push(Command::Stages(StagesCommand::ShowChannel(channel)));
    let name = |grid: usize| format!("Stage {grid}");
    let combo = ComboBox::from_id_salt("channel stage").width(76.0).selected_text(name(view.grid));
    let shown = combo.show_ui(ui, |ui| {
        for (index, other) in stages.iter().enumerate() {
            if ui.selectable_label(index == stage, name(other.grid)).clicked() {
                set(Some((index, 0)));
            }
        }
    });
    shown.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Stage of the channel"));
    let more = ui.add_enabled(rank > 0, Button::new("<")).on_hover_text("The channel of more weight");
    if more.on_disabled_hover_text("This is the channel of most weight").clicked() {
        set(Some((stage, rank - 1)));
    }
    let less =
        ui.add_enabled(rank + 1 < view.channels, Button::new(">")).on_hover_text("The channel of less weight");
    if less.on_disabled_hover_text("This is the channel of least weight").clicked() {
        set(Some((stage, rank + 1)));
    }
    let order = view.ranked_channels();
    if let Some(channel) = order.get(rank) {
        let weight = view.attribution.as_ref().and_then(|attribution| attribution.contributions.get(*channel));
        let weight = weight.map_or(String::new(), |weight| format!(", carries {weight:+.3} of the mean logit"));
        let [place, channels] = [rank + 1, view.channels].map(|count| grouped(count as u64));
        let text = format!("No. {channel}, {place} of {channels}{weight}").replace('-', "−");
        ui.add(Label::new(RichText::new(text).small().weak()).truncate());
    }
}
