//! The Report panel.

use eframe::egui::MissingGlyphPolicy;
use eframe::egui::accesskit::{Role, Toggled};
use egui_kittest::kittest::{NodeT, Queryable};

use super::builder::{click, open_panel, prompt, prompts, type_prompt};
use crate::harness::{Files, Window, says, wait};

fn reports() -> Window {
    let mut window = prompts(vec![Files::new().image()]);
    open_panel(&mut window, "Report");
    window
}

fn write_report(window: &mut Window, text: &str) {
    window.get_by_label("Report text").focus();
    window.run();
    window.get_by_label("Report text").type_text(text);
    window.run();
}

#[test]
fn a_report_is_condensed_to_a_prompt_with_the_phrases_that_gave_it() {
    let mut window = reports();
    write_report(
        &mut window,
        "Patchy opacity in the right lower lobe. Possible opacity in the left upper zone. No consolidation in the left lower zone. Xyzzy.",
    );
    let expected = "Bilateral pulmonary infection, lower right lung and upper left lung.";
    wait(&mut window, "the prompt", |window| says(window, expected));
    for phrase in [
        "“right lower lobe”: lower right lung",
        "“left upper zone”: upper left lung (possible)",
        "“left lower zone”: negated",
        "“Xyzzy”: not understood",
    ] {
        window.get_by_label(phrase);
    }
    click(&mut window, "With what is possible");
    let certain = "Unilateral pulmonary infection, lower right lung.";
    wait(&mut window, "what is certain", |window| window.query_by_label(certain).is_some());
    click(&mut window, "Left is the patient's");
    let patients = "Unilateral pulmonary infection, lower left lung.";
    wait(&mut window, "the other side", |window| window.query_by_label(patients).is_some());
    window.get_by_label_contains("The file names no sides");
    assert_eq!(prompt(&window), "");
    click(&mut window, "Use as prompt");
    assert_eq!(prompt(&window), patients);
}

#[test]
fn a_prompt_is_written_out_in_five_styles_and_read_again() {
    let mut window = reports();
    window.get_by_label("The prompt names no finding that a report could be written of.");
    let text = "Unilateral pulmonary infection, one infected area, upper left lung.";
    type_prompt(&mut window, text);
    let mut reports = Vec::new();
    for style in ["Paper", "Concise", "Narrative", "Detailed", "Telegraphic"] {
        click(&mut window, &format!("{style} style"));
        assert_eq!(window.get_by_label(&format!("{style} style")).accesskit_node().toggled(), Some(Toggled::True));
        let report = written(&window);
        assert!(!reports.contains(&report), "{style}: {report}");
        reports.push(report);
    }
    click(&mut window, "Detailed style");
    click(&mut window, "Next");
    window.get_by_label("Wording 2");
    assert_ne!(written(&window), reports[3], "other words");
    // The report that became the prompt is still the same report.
    let report = written(&window);
    window.get_all_by_label("Use as prompt").last().expect("the button of the report").click();
    window.run();
    assert_eq!((prompt(&window), written(&window)), (report.clone(), report));
    // They stand below the prompt and below the report.
    let counts = |window: &Window| window.query_all_by_label_contains("of 8 tokens").count();
    wait(&mut window, "the number of tokens", |window| counts(window) == 2);
    click(&mut window, "Read this report");
    wait(&mut window, "the report", |window| says(window, "Phrases: "));
    assert!(window.query_all_by_label(text).count() >= 2, "the prompt again");
}

/// The report that is written of the prompt.
fn written(window: &Window) -> String {
    let mut labels =
        window.query_all_by_role(Role::Label).filter_map(|node| node.value().or(node.accesskit_node().label()));
    labels.rfind(|text| text.contains("IMPRESSION:") && text.len() > 40).unwrap_or_default()
}

#[test]
fn any_report_is_shown_and_a_long_one_does_not_stop_the_window() {
    let mut window = reports();
    // As in the program, a letter that no font has is a box.
    window.ctx.set_missing_glyph_policy(MissingGlyphPolicy::Tofu);
    write_report(
        &mut window,
        "Очаги инфильтрации в нижней доле левого лёгкого. 左肺下叶 الرئة 👨\u{200D}⚕ \u{0}\t\u{7}",
    );
    wait(&mut window, "what is said of it", |window| says(window, "seems to be in another language"));
    let long = "No effusion. Opacity in the left lower zone, xyzzy.\n".repeat(2000);
    write_report(&mut window, &long);
    wait(&mut window, "the prompt", |window| says(window, "Unilateral pulmonary infection, lower left lung."));
    assert!(says(&window, "not understood"));
    let rows = window.query_all_by_label_contains("“xyzzy”:").count()
        + window.query_all_by_label_contains(": lower left lung").count();
    assert!((1..60).contains(&rows), "only the visible rows are laid out: {rows}");
}
