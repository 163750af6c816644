//! Single channels, in the order of their weight on the mask.

use eframe::egui::{Button, ComboBox, RichText, Role, Ui, WidgetInfo};

use crate::app::command::Command;
use crate::app::stages::StagesCommand;
use crate::app::state::State;

/// Draws the choice.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(seen) = &state.stages.look.seen else { return };
    let stages = &seen.inspection.stages;
    if stages.is_empty() {
        return;
    }
    let mut set = |channel| commands.push(Command::Stages(StagesCommand::ShowChannel(channel)));
    let words = "One channel of a stage's output in place of the map, the one first that carries the mask's mean logit most.";
    if ui.selectable_label(state.stages.channel.is_some(), "Channel").on_hover_text(words).clicked() {
        set(Some((stages.len() - 1, 0)));
    }
    let Some((stage, rank)) = state.stages.channel else { return };
    let Some(view) = stages.get(stage) else { return };
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
    if ui.add_enabled(rank > 0, Button::new("<")).on_hover_text("The channel of more weight").clicked() {
        set(Some((stage, rank - 1)));
    }
    if ui
        .add_enabled(rank + 1 < view.channels, Button::new(">"))
        .on_hover_text("The channel of less weight")
        .clicked()
    {
        set(Some((stage, rank + 1)));
    }
    let order = view.ranked_channels();
    if let Some(channel) = order.get(rank) {
        let weight = view.attribution.as_ref().and_then(|attribution| attribution.contributions.get(*channel));
        let weight = weight.map_or(String::new(), |weight| format!(", carries {weight:+.3} of the mean logit"));
        let text = format!("no. {channel}, {} of {}{weight}", rank + 1, view.channels);
        ui.label(RichText::new(text.replace('-', "−")).small().weak());
    }
}
