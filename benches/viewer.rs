//! Measures how soon an image is on the screen, how smoothly a volume scrolls, and what a folder of 10,000 images
//! and a stroke cost, at 1280×800 on any adapter (software Vulkan on a machine without a graphics card). Scrolling is
//! measured in the real window under Xvfb, a stroke there and by frames that are read back; the rest is drawn and read
//! back, which a real window need not do.
//!
//! `cargo bench --bench viewer`.

// Benches may write their files directly.
#![allow(clippy::disallowed_methods)]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/desktop/mod.rs"]
mod desktop;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use desktop::Desktop;
use eframe::egui::{self, Key};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use himix::app::{HimixApp, Start};
use himix::device::DeviceChoice;
use himix::engine::trainer;
use himix::infer::{ModelSource, local_models};

type Window = Harness<'static, Option<HimixApp>>;

fn window(files: Vec<PathBuf>, model: Option<ModelSource>) -> Window {
    let mut first = Some(Start { files, model, device: Some(DeviceChoice::Cpu), ..Start::default() });
    let frame = move |ui: &mut egui::Ui, app: &mut Option<HimixApp>| {
        if let Some(start) = first.take() {
            *app = HimixApp::new(ui.ctx(), local_models(), trainer(), start).ok();
        }
        app.iter_mut().for_each(|app| app.show(ui));
    };
    Harness::builder().with_size([1280.0, 800.0]).wgpu().build_ui_state(frame, None)
}

fn until(window: &mut Window, is_so: impl Fn(&Window) -> bool) {
    while !is_so(window) {
        std::thread::sleep(Duration::from_millis(2));
        window.step();
    }
}

/// Returns the milliseconds of a step and its picture.
fn frame(window: &mut Window) -> f64 {
    let start = Instant::now();
    window.step();
    window.render().expect("a picture");
    start.elapsed().as_secs_f64() * 1e3
}

/// Prints times in milliseconds, and returns their median and their 99th percentile.
fn report(name: &str, mut times: Vec<f64>) -> [f64; 2] {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let counts: Vec<String> = [(0.0, 8.0), (8.0, 16.0), (16.0, 33.0), (33.0, f64::INFINITY)]
        .iter()
        .map(|(low, high)| times.iter().filter(|time| (*low..*high).contains(*time)).count().to_string())
        .collect();
    println!(
        "{name:44} median {:5.1}  p99 {:5.1}  worst {:5.1} ms   <8 | <16 | <33 | more: {}",
        at(0.5),
        at(0.99),
        at(1.0),
        counts.join(" | ")
    );
    [at(0.5), at(0.99)]
}

fn volume(folder: &Path) -> PathBuf {
    let mut bytes = vec![0; 352];
    bytes[..4].copy_from_slice(&348_i32.to_le_bytes());
    for (index, side) in [3_i16, 512, 512, 300, 1, 1, 1, 1].iter().enumerate() {
        bytes[40 + 2 * index..42 + 2 * index].copy_from_slice(&side.to_le_bytes());
    }
    bytes[70] = 4;
    bytes[72] = 16;
    for axis in 1..4 {
        bytes[76 + 4 * axis..80 + 4 * axis].copy_from_slice(&1_f32.to_le_bytes());
    }
    bytes[108..112].copy_from_slice(&352_f32.to_le_bytes());
    bytes[344..347].copy_from_slice(b"n+1");
    for slice in 0..300_i32 {
        for row in 0..512_i32 {
            for column in 0..512_i32 {
                let value = ((row * column + slice * 37) % 1400 - 1000) as i16;
                bytes.extend(value.to_le_bytes());
            }
        }
    }
    let path = folder.join("volume.nii");
    std::fs::write(&path, bytes).expect("written");
    path
}

/// Measures the frames of a stroke over the whole picture, from the moved pointer to the picture that shows what it
/// drew. The second number is the same movement with the hand, which draws nothing.
fn strokes(jpeg: &Path) {
    for (key, name) in [(Key::B, "a brush stroke on 2373×2373 px"), (Key::Q, "the same movement without drawing")]
    {
        let mut window = window(vec![jpeg.to_owned()], None);
        until(&mut window, |window| window.query_by_label("Picture").is_some());
        window.key_press(Key::F5);
        window.key_press(key);
        window.run();
        let rect = window.get_by_label("Picture").rect().shrink(30.0);
        let at = |share: f32| {
            let angle = share * 40.0;
            rect.center() + egui::vec2(angle.cos(), angle.sin()) * rect.size() * 0.5 * share
        };
        let button = |pressed| egui::Event::PointerButton {
            pos: at(0.0),
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        };
        window.event(egui::Event::PointerMoved(at(0.0)));
        window.event(button(true));
        frame(&mut window);
        let times = (1..=300).map(|step| {
            // A mouse reports several positions in a frame.
            for part in 0..4 {
                window.event(egui::Event::PointerMoved(at((step as f32 + part as f32 / 4.0) / 301.0)));
            }
            frame(&mut window)
        });
        report(name, times.collect());
        window.event(button(false));
        window.step();
    }
}

fn main() {
    himix::memory::keep_between_tensors();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let jpeg = folder.path().join("large.jpg");
    let large =
        image::RgbImage::from_fn(2373, 2373, |x, y| image::Rgb([(x / 9) as u8, (y / 9) as u8, (x ^ y) as u8]));
    large.save(&jpeg).expect("written");
    let decode = {
        let start = Instant::now();
        image::open(&jpeg).expect("a picture");
        start.elapsed().as_secs_f64() * 1e3
    };
    // The first picture compiles the shader and initialises the adapter.
    let mut warm = window(vec![jpeg.clone()], None);
    until(&mut warm, |window| window.query_by_label("Picture").is_some());
    warm.render().expect("a picture");
    let opened: Vec<f64> = (0..9)
        .map(|_| {
            let start = Instant::now();
            let mut window = window(vec![jpeg.clone()], None);
            until(&mut window, |window| window.query_by_label("Picture").is_some());
            window.render().expect("a picture");
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    report("a JPEG of 2373×2373 px, window included", opened);
    println!("{:44} {decode:.0} ms to decode it alone, the unit of the line above", "");

    let started: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            let mut window = window(Vec::new(), Some(ModelSource::bundled()));
            until(&mut window, |window| window.query_all_by_label("Chest X-ray 1").next().is_some());
            if let Some(sample) = window.query_all_by_label("Chest X-ray 1").next() {
                sample.click();
            }
            until(&mut window, |window| window.query_all_by_label_contains(" px").next().is_some());
            window.render().expect("a picture");
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    report("start to the mask of a sample case", started);

    strokes(&jpeg);
    stroked(&jpeg, decode);
    uploads(&volume(folder.path()));
    scrolled(&volume(folder.path()));
    many(folder.path());
}

/// Asserts that threshold, opacity, window, zoom and inversion send only numbers to the graphics device.
fn uploads(volume: &Path) {
    let mut window = window(vec![volume.to_owned()], None);
    until(&mut window, |window| window.query_by_label("Picture").is_some());
    frame(&mut window);
    let uploads = |window: &Window| window.state().as_ref().map_or(0, HimixApp::texture_uploads);
    let before = uploads(&window);
    for key in [Key::CloseBracket, Key::A, Key::Num2, Key::Plus, Key::I] {
        window.key_press(key);
        frame(&mut window);
    }
    assert_eq!(uploads(&window), before, "threshold, opacity, window, zoom upload nothing");
}

/// Scrolls through the slices of a volume in the real window under Xvfb, as fast as it draws them.
fn scrolled(volume: &Path) {
    let Some(desktop) = Desktop::new() else { return };
    let name = "512×512×300 volume, scrolled";
    // With a prompt, so that the slices have masks.
    let arguments = [volume, Path::new("--prompt"), Path::new("upper left lung")];
    let times = desktop.folder.path().join("frames");
    let mut program =
        desktop.program(env!("CARGO_BIN_EXE_himix"), &arguments, &[("HIMIX_FRAME_TIMES", times.clone())]);
    assert!(desktop.focus());
    std::thread::sleep(Duration::from_secs(6));
    desktop.key("Home");
    std::thread::sleep(Duration::from_secs(2));
    let start = since_1970();
    // The keys come faster than a 60 Hz screen shows slices, so there is a next slice to draw in every frame.
    desktop.tool(&["key", "--delay", "12", "--repeat", "299", "Page_Up"]);
    let end = since_1970();
    std::thread::sleep(Duration::from_secs(1));
    desktop.key("ctrl+q");
    assert!(program.ended(Duration::from_secs(20)), "the program ends");
    let drawn = frames_within(&times, [start, end]);
    if drawn.is_empty() {
        println!("{name}: no frames were written");
        return;
    }
    report(name, drawn);
}

/// Returns the milliseconds of the frames that the real window wrote into a file, from one moment to another. Waiting
/// before and after is not a frame.
fn frames_within(file: &Path, [start, end]: [f64; 2]) -> Vec<f64> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let all = text.lines().filter_map(|line| {
        let (began, time) = line.split_once(' ')?;
        Some((began.parse::<f64>().ok()?, time.parse::<f64>().ok()?))
    });
    all.filter(|(began, time)| began - time >= start && *began <= end).map(|(_, time)| time).collect()
}

/// Measures the frames of a stroke in the real window under Xvfb, and before it those of the same movement with the hand,
/// which moves the picture and draws nothing. `decode` are the milliseconds in which the picture is decoded.
fn stroked(jpeg: &Path, decode: f64) {
    let Some(desktop) = Desktop::new() else { return };
    // The window closes without a question while another case is open.
    let cases = desktop.folder.path().join("cases");
    std::fs::create_dir(&cases).expect("a folder");
    std::fs::copy(jpeg, cases.join("a.jpg")).expect("copied");
    image::GrayImage::new(64, 64).save(cases.join("b.png")).expect("written");
    let file = desktop.folder.path().join("frames");
    let mut program =
        desktop.program(env!("CARGO_BIN_EXE_himix"), &[&cases], &[("HIMIX_FRAME_TIMES", file.clone())]);
    assert!(desktop.focus());
    std::thread::sleep(Duration::from_secs(6));
    desktop.key("F5");
    std::thread::sleep(Duration::from_secs(2));
    let hand = dragged(&desktop, "q");
    desktop.key("f");
    let brush = dragged(&desktop, "b");
    std::thread::sleep(Duration::from_secs(1));
    desktop.key("n");
    std::thread::sleep(Duration::from_secs(2));
    desktop.key("ctrl+q");
    assert!(program.ended(Duration::from_secs(20)), "the program ends");
    let [hand, brush] = [hand, brush].map(|moments| frames_within(&file, moments));
    if hand.is_empty() || brush.is_empty() {
        println!("a stroke in the real window: no frames were written");
        return;
    }
    let [hand, hand_p99] = report("2373×2373 px moved in the real window", hand);
    let [brush, brush_p99] = report("a brush stroke on it in the real window", brush);
    println!(
        "{:44} median {:.2}, p99 {:.2} of the line above; medians {:.1} and {:.1} of decoding",
        "",
        brush / hand,
        brush_p99 / hand_p99,
        hand / decode,
        brush / decode
    );
}

/// Drags the pointer along a spiral over the picture with the tool of a key, at a hundred positions a second. Returns when
/// this began and ended, in milliseconds since 1970.
fn dragged(desktop: &Desktop, key: &str) -> [f64; 2] {
    let place = |share: f64| {
        let angle = share * 40.0;
        [600.0 + 180.0 * share * angle.cos(), 320.0 + 180.0 * share * angle.sin()].map(|at| format!("{at:.0}"))
    };
    desktop.key(key);
    let [x, y] = place(0.0);
    assert!(desktop.tool(&["mousemove", &x, &y, "mousedown", "1"]), "the pointer is pressed");
    let mut way = Vec::new();
    for step in 1..=1200 {
        let [x, y] = place(f64::from(step) / 1200.0);
        way.extend(["mousemove".to_owned(), x, y, "sleep".to_owned(), "0.01".to_owned()]);
    }
    let start = since_1970();
    assert!(desktop.tool(&way.iter().map(String::as_str).collect::<Vec<_>>()), "the pointer is moved");
    let end = since_1970();
    assert!(desktop.tool(&["mouseup", "1"]), "the pointer is released");
    std::thread::sleep(Duration::from_millis(500));
    [start, end]
}

fn since_1970() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1e3
}

/// Opens a folder of 10,000 images: measures the time until its list is shown, and frames while thumbnails arrive.
fn many(folder: &Path) {
    let folder = folder.join("many");
    std::fs::create_dir_all(&folder).expect("a folder");
    let first = folder.join("00000.png");
    image::GrayImage::from_fn(256, 256, |x, y| image::Luma([(x ^ y) as u8])).save(&first).expect("written");
    for number in 1..10_000 {
        std::fs::hard_link(&first, folder.join(format!("{number:05}.png"))).expect("a link");
    }
    let start = Instant::now();
    let mut window = window(vec![folder], None);
    until(&mut window, |window| window.query_by_label_contains("10000 · many").is_some());
    println!("{:44} {:.0} ms", "a folder of 10 000 pictures, until its list", start.elapsed().as_secs_f64() * 1e3);
    until(&mut window, |window| window.query_by_label("Picture").is_some());
    let mut times = Vec::new();
    for _ in 0..200 {
        window.key_press(Key::N);
        let start = Instant::now();
        window.step();
        times.push(start.elapsed().as_secs_f64() * 1e3);
        std::thread::sleep(Duration::from_millis(4));
    }
    report("200 cases on, without drawing", times);
}
