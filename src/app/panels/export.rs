//! The form of an export.

use eframe::egui::{Button, Color32, ComboBox, Grid, Label, RichText, ScrollArea, TextEdit, Ui};

use super::widgets::swatch;
use crate::analysis::export::Format;
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::export::{ExportCommand, Form, FormLabel, Of};
use crate::app::state::State;
use crate::app::text::{capitalised, file_name};
use crate::app::theme;
use crate::data::seg::{self, Codes};

const CODES: &str = "What segments are, by the words of their labels and prompts. A list of your own, a table as docs/files.md \
                     describes it, comes before that of the program.";

/// Draws the form.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    ui.set_width(460.0);
    let open = state.document.image.as_ref();
    let form = state.export.form.as_ref().zip(open).filter(|(form, open)| form.image == open.ticket);
    let Some((form, open)) = form else {
        ui.label(RichText::new("The image of this export was closed.").weak());
        return;
    };
    let mut set = |command| commands.push(Command::Export(command));
    ui.horizontal_wrapped(|ui| {
        for format in Format::ALL {
            if ui.radio(form.format == format, format.title()).clicked() {
                set(ExportCommand::Format(format));
            }
        }
    });
    let has_annotation = !form.labels.is_empty();
    if has_annotation && state.predicted().is_some() {
        ui.horizontal(|ui| {
            for of in [Of::Annotation, Of::Prediction] {
                if ui.radio(form.of == of, of.name()).clicked() {
                    set(ExportCommand::Of(of));
                }
            }
        });
    }
    ui.separator();
    match form.of {
        Of::Annotation => labels(ui, form, &state.export.codes.list, &mut set),
        Of::Prediction if open.volume.slices > 1 => {
            let words = format!("The mask of slice {} that is shown.", open.slice + 1);
            ui.label(RichText::new(words).weak());
        }
        Of::Prediction => drop(ui.label(RichText::new("The mask that is shown.").weak())),
    }
    let coded = if form.format == Format::DicomSeg { codes(ui, state) } else { None };
    ui.separator();
    let refusal = if form.format == Format::DicomSeg { seg::refusal(&open.volume) } else { None };
    let sentence = |reason: &String| format!("{}.", capitalised(reason));
    let words = refusal.as_ref().map(sentence).unwrap_or_else(|| about(form, open.volume.slices));
    let words = RichText::new(words).small();
    ui.add(Label::new(if refusal.is_some() { words } else { words.weak() }).wrap());
    let mut asks = false;
    ui.horizontal(|ui| {
        let label = ui.label("File");
        let mut path = form.path.clone();
        let width = (ui.available_width() - 84.0).max(60.0);
        if ui.add(TextEdit::singleline(&mut path).desired_width(width)).labelled_by(label.id).changed() {
            set(ExportCommand::Path(path));
        }
        asks = ui.button("Choose…").clicked();
    });
    let why_not = match () {
        () if refusal.is_some() => Some("This format cannot hold the image."),
        () if form.path.trim().is_empty() => Some("Give the file a name."),
        () if form.format == Format::DicomSeg && state.codes_refusal().is_some() => state.codes_refusal(),
        () if form.of == Of::Annotation && !form.labels.iter().any(|label| label.is_on) => Some("Choose a label."),
        () if !state.export.writing.is_empty() => Some("The file is being written."),
        () => None,
    };
    ui.horizontal_wrapped(|ui| {
        let button = match form.exists.as_slice() {
            [] => "Export",
            [path] => {
                ui.label(RichText::new(format!("{} exists already.", file_name(path))).strong());
                "Replace it"
            }
            [first, .., last] => {
                let count = form.exists.len();
                let words = format!("{count} files exist already: {} … {}.", file_name(first), file_name(last));
                let names: Vec<String> = form.exists.iter().map(|path| file_name(path)).collect();
                ui.label(RichText::new(words).strong()).on_hover_text(names.join("\n"));
                "Replace them"
            }
        };
        let button = ui.add_enabled(why_not.is_none(), Button::new(button));
        if button.on_disabled_hover_text(why_not.unwrap_or_default()).clicked() {
            set(ExportCommand::Write);
        }
        if !state.export.writing.is_empty() {
            ui.label(RichText::new("Writing…").weak());
        }
    });
    commands.extend(coded);
    if asks {
        commands.push(Command::OpenDialog(DialogKind::Export));
    }
}

/// Draws which list of segment codes is used. Returns the command to use another one.
pub fn codes(ui: &mut Ui, state: &State) -> Option<Command> {
    let own = state.settings.segment_codes.as_ref();
    let mut command = None;
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("Segment codes").weak()).on_hover_text(CODES);
        match own {
            Some(path) => ui.label(file_name(path)).on_hover_text(path.display().to_string()),
            None => ui.label("list of the program").on_hover_text(CODES),
        };
        if ui.button("Choose list…").on_hover_text(CODES).clicked() {
            command = Some(Command::OpenDialog(DialogKind::SegmentCodes));
        }
        if own.is_some() && ui.button("Use the program's list").clicked() {
            command = Some(Command::Export(ExportCommand::Codes(None)));
        }
        if state.export.codes.reading.pending().is_some() {
            ui.label(RichText::new("Reading…").weak());
        }
    });
    if let Some(reason) = &state.export.codes.failed {
        let words = RichText::new(reason).small().color(theme::palette(ui.visuals()).warning);
        ui.add(Label::new(words).wrap());
    }
    command
}

/// Draws the labels, with what each is if the format states it.
fn labels(ui: &mut Ui, form: &Form, codes: &Codes, set: &mut impl FnMut(ExportCommand)) {
    let concepts: Vec<String> = codes.concepts().map(seg::Concept::words).collect();
    ScrollArea::vertical().max_height(200.0).show(ui, |ui| {
        Grid::new("labels of the export").spacing([10.0, 4.0]).show(ui, |ui| {
            for (place, FormLabel { name, colour: [r, g, b], is_on, concept, .. }) in
                form.labels.iter().enumerate()
            {
                swatch(ui, Color32::from_rgb(*r, *g, *b));
                let mut is_chosen = *is_on;
                if ui.checkbox(&mut is_chosen, name).changed() {
                    set(ExportCommand::Label(place, is_chosen));
                }
                if form.format == Format::DicomSeg {
                    let chosen = concept.and_then(|at| concepts.get(at)).map_or("Lesion", String::as_str);
                    let combo = ComboBox::from_id_salt(("concept", place)).selected_text(chosen).width(200.0);
                    let shown = combo.show_ui(ui, |ui| {
                        for (at, words) in concepts.iter().enumerate() {
                            if ui.selectable_label(*concept == Some(at), words).clicked() {
                                set(ExportCommand::Concept(place, at));
                            }
                        }
                    });
                    shown.response.on_hover_text("What the segment is, as coded in SNOMED CT or DICOM.");
                }
                ui.end_row();
            }
        });
    });
}

/// Says what is written.
fn about(form: &Form, slices: usize) -> String {
    let several = form.of == Of::Annotation && form.labels.iter().filter(|label| label.is_on).count() > 1;
    match form.format {
        Format::Png if several && slices > 1 => "One 8-bit picture for each slice; a pixel has the number of its label.".into(),
        Format::Png if several => "An 8-bit picture; a pixel has the number of its label.".into(),
        Format::Png if slices > 1 => "One 8-bit picture for each slice, with 255 for the label.".into(),
        Format::Png => "An 8-bit picture with 255 for the label.".into(),
        Format::Nifti => "A label map on the grid of the image, for 3D Slicer, ITK-SNAP and others. The names of the labels are \
             written beside it, into a file that ends with .labels.txt."
            .into(),
        Format::DicomSeg if form.of == Of::Prediction => "A segmentation that refers to the images of the series, for PACS, and beside it \
             one of the probabilities."
            .into(),
        Format::DicomSeg => "A segmentation that refers to the images of the series, for PACS.".into(),
        Format::Csv => "Areas, diameters, volumes and values of every connected region, with their units.".into(),
    }
}
