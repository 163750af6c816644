//! The study of robustness in the tab of prompts.

use std::path::Path;
use std::sync::Arc;

use egui_kittest::kittest::Queryable;
use himix::app::Start;
use himix::data::Image;
use himix::device::DeviceChoice;
use himix::infer::{
    InferError, InspectOptions, Inspection, ModelInfo, ModelSource, Overrides, Prediction, Segmenter,
};

use super::fake::FakeModel;
use super::harness::{Window, open, says, wait};

/// A model whose mask is the wrong half where there is no text.
struct NeedsText(Box<dyn Segmenter>);

impl Segmenter for NeedsText {
    fn info(&self) -> ModelInfo {
        self.0.info()
    }

    fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
        let mut prediction = self.0.predict(image, prompt)?;
        if prompt.is_empty() {
            prediction.probability.values.iter_mut().for_each(|value| *value = 1.0 - *value);
        }
        Ok(prediction)
    }

    fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, InferError> {
        self.0.inspect(image, prompt, overrides, wanted)
    }

    fn take_notices(&mut self) -> Vec<String> {
        self.0.take_notices()
    }

    fn share(&self) -> Option<Box<dyn Segmenter>> {
        Some(Box::new(Self(self.0.share()?)))
    }
}

/// A data set of two test cases with prompts of a known grammar.
fn data_set(folder: &Path) {
    for part in ["test/Images", "test/GTs", "prompt"] {
        std::fs::create_dir_all(folder.join(part)).expect("a folder");
    }
    let grey = image::GrayImage::from_pixel(32, 24, image::Luma([80]));
    let mask = image::GrayImage::from_fn(32, 24, |x, _| image::Luma([if x < 16 { 255 } else { 0 }]));
    let mut table = String::from("Image,Description\n");
    for name in ["a.png", "b.png"] {
        grey.save(folder.join("test/Images").join(name)).expect("written");
        mask.save(folder.join("test/GTs").join(name)).expect("written");
        table += &format!("{name},\"Unilateral pulmonary infection, one infected area, all left lung.\"\n");
    }
    std::fs::write(folder.join("prompt/test.csv"), table).expect("written");
}

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run();
}

#[test]
fn a_study_runs_in_the_background_and_its_worst_case_opens() {
    let folder = tempfile::tempdir().expect("a folder");
    data_set(folder.path());
    let model = FakeModel { is_shared: true, ..FakeModel::default() };
    let opener = model.opener();
    let start = Start {
        files: vec![folder.path().to_owned()],
        model: Some(ModelSource::new("demo")),
        device: Some(DeviceChoice::Cpu),
        ..Start::default()
    };
    let opener = Arc::new(move |source: &ModelSource, device| {
        Ok(Box::new(NeedsText(opener(source, device)?)) as Box<dyn Segmenter>)
    });
    let mut window = open(opener, himix::engine::trainer(), start);
    wait(&mut window, "the first case", |window| says(window, "Dice"));
    click(&mut window, "View");
    click(&mut window, "Panels");
    click(&mut window, "Robustness Prompts tab");
    wait(&mut window, "the panel", |window| window.query_by_label("Start the study").is_some());
    click(&mut window, "Start the study");
    wait(&mut window, "the table", |window| says(window, "Difference of pooled Dice"));
    for part in ["structured", "augmented", "distilled", "Pratt's rule", "−1.000"] {
        assert!(says(&window, part), "{part}");
    }
    // Without text the mask is the other half of both images.
    window.get_by_label("empty: 1.000 to 0.000, b.png").scroll_to_me();
    window.run();
    window.get_by_label("empty: 1.000 to 0.000, b.png").click();
    wait(&mut window, "the worst case", |window| says(window, "b.png · 32 × 24 px"));
}

#[test]
fn a_study_says_what_is_wrong_with_its_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    data_set(folder.path());
    let start = Start {
        files: vec![folder.path().to_owned()],
        model: Some(ModelSource::new("demo")),
        device: Some(DeviceChoice::Cpu),
        ..Start::default()
    };
    let mut window = open(FakeModel::default().opener(), himix::engine::trainer(), start);
    wait(&mut window, "the first case", |window| says(window, "Dice"));
    click(&mut window, "View");
    click(&mut window, "Panels");
    click(&mut window, "Robustness Prompts tab");
    wait(&mut window, "the panel", |window| window.query_by_label("Start the study").is_some());
    for form in ["augmented", "distilled", "empty"] {
        window.get_by_role_and_label(eframe::egui::accesskit::Role::CheckBox, form).click();
        window.run();
    }
    window.get_by_label("Start the study").hover();
    wait(&mut window, "the reason", |window| says(window, "Choose a form beside the structured prompts."));
    window.get_by_role_and_label(eframe::egui::accesskit::Role::CheckBox, "empty").click();
    window.run();
    std::fs::remove_dir_all(folder.path().join("test")).expect("removed");
    window.get_by_label("Start the study").click();
    window.run();
    wait(&mut window, "what is missing", |window| says(window, "which does not exist"));
}
