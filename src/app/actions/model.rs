//! The Model menu.

use super::action::{Action, Group, Section, Undo};
use super::choices::{Choice, Choices, Item, Shape};
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::keys::ActionId;
use crate::app::state::State;
use crate::app::text::file_name;
use crate::device::{DeviceChoice, GpuTuning, Precision};
use crate::infer::ModelSource;

const NEW: Action = Action::of(Group::Program);

/// The entries of the menu.
pub const ITEMS: &[Item] = &[
    Item::Action(Action {
        id: ActionId("open_model_folder"),
        name: "Open model folder…",
        words: "network weights bundle",
        command: |_| Ok(Command::OpenDialog(DialogKind::ModelFolder)),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("open_model_file"),
        name: "Open model file…",
        words: "network weights",
        command: |_| Ok(Command::OpenDialog(DialogKind::ModelFile)),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("open_bundled_model"),
        name: "Open the bundled model",
        words: "network weights",
        command: |state| {
            let bundled = ModelSource::bundled();
            let is_open = state.model.as_ref().is_some_and(|model| model.source == bundled);
            if is_open { Err("The bundled model is open.") } else { Ok(Command::OpenModel(bundled)) }
        },
        ..NEW
    }),
    Item::Choices(Choices {
        prefix: "Open model",
        all: |state| models(state, Command::OpenModel),
        ..Choices::named("Recent models")
    }),
    Item::Menu("Compare with", COMPARE),
    Item::Line,
    Item::Choices(Choices {
        words: "device preferences settings",
        section: Some(Section::Computing),
        shape: Shape::Lines,
        all: devices,
        ..Choices::named("Device")
    }),
    Item::Choices(Choices {
        words: "precision half single f16 f32 gpu memory preferences settings",
        section: Some(Section::Computing),
        shape: Shape::Hidden,
        all: precisions,
        ..Choices::named("Precision on a GPU")
    }),
    Item::Choices(Choices {
        words: "gpu_tuning kernels effort first start speed preferences settings",
        section: Some(Section::Computing),
        shape: Shape::Hidden,
        all: tunings,
        ..Choices::named("GPU tuning")
    }),
    Item::Action(Action {
        id: ActionId("clear_gpu_cache"),
        name: "Clear the GPU cache",
        words: "tuning kernels delete preferences settings",
        section: Some(Section::Computing),
        command: |_| Ok(Command::ClearGpuCache),
        undo: Undo::Impossible,
        ..NEW
    }),
    Item::Choices(Choices {
        words: "graphics card adapter driver preferences settings",
        section: Some(Section::Computing),
        shape: Shape::Hidden,
        all: display_adapters,
        ..Choices::named("Graphics adapter of the window")
    }),
];

/// The models that the open one can be compared with.
pub const COMPARE: &[Item] = &[
    Item::Choices(Choices {
        prefix: "Compare with",
        words: "second model comparison",
        shape: Shape::Lines,
        all: |state| models(state, Command::CompareWith),
        ..Choices::named("Compare with")
    }),
    Item::Action(Action {
        id: ActionId("compare_with_folder"),
        name: "Compare with a model folder…",
        words: "second model comparison",
        command: |_| Ok(Command::OpenDialog(DialogKind::CompareModel)),
        ..NEW
    }),
    Item::Line,
    Item::Action(Action {
        id: ActionId("end_comparison"),
        name: "End the comparison",
        words: "second model close compare",
        command: |state| {
            state.comparison.as_ref().map(|_| Command::EndComparison).ok_or("No model is compared with.")
        },
        undo: Undo::Impossible,
        ..NEW
    }),
];

/// Returns the bundled model and the recently opened models as options.
fn models(state: &State, command: fn(ModelSource) -> Command) -> Vec<Choice> {
    let bundled = ModelSource::bundled();
    let recent = state.settings.models.iter().cloned();
    let mut all: Vec<ModelSource> = recent.filter(|source| *source != bundled).collect();
    all.push(bundled);
    let choice = |source: ModelSource| {
        let is_open = state.model.as_ref().is_some_and(|model| model.source == source);
        let path = source.path().display().to_string();
        let name = if source.is_bundled() { "The bundled model".into() } else { file_name(source.path()) };
        let given = if is_open { Err("This model is open.") } else { Ok(command(source)) };
        Choice { heading: "", name, detail: String::new(), hint: path, is_on: None, given }
    };
    all.into_iter().map(choice).collect()
}

/// Returns the graphics adapters that could draw the window as options.
fn display_adapters(state: &State) -> Vec<Choice> {
    let chosen = state.settings.display_adapter.as_ref();
    let choice = |name: &str, adapter: Option<String>| Choice {
        hint: "Takes effect when HiMix is started again".into(),
        is_on: Some(chosen == adapter.as_ref()),
        ..Choice::new(format!("Draw the window with {name}"), Command::SetDisplayAdapter(adapter))
    };
    let fastest = choice("the fastest adapter", None);
    // A chosen adapter that is gone can be seen and left.
    let gone = chosen.filter(|name| !state.display_adapters.contains(name));
    let names = state.display_adapters.iter().chain(gone);
    std::iter::once(fastest).chain(names.map(|name| choice(name, Some(name.clone())))).collect()
}

fn devices(state: &State) -> Vec<Choice> {
    let mut all = vec![
        (DeviceChoice::Auto, "Choose the device automatically".to_owned()),
        (DeviceChoice::Cpu, "Compute on the CPU".to_owned()),
        (DeviceChoice::Gpu(None), "Compute on the GPU".to_owned()),
    ];
    match state.device {
        DeviceChoice::Gpu(Some(number)) => all.push((state.device, format!("Compute on GPU {number}"))),
        #[cfg(feature = "remote")]
        DeviceChoice::Remote(address) => all.push((state.device, format!("Compute on {address}"))),
        _ => {}
    }
    let choice = |(device, name)| Choice {
        is_on: Some(state.device == device),
        ..Choice::new(name, Command::SetDevice(device))
    };
    all.into_iter().map(choice).collect()
}

/// Returns the precisions as options. They change nothing where the CPU was chosen.
fn precisions(state: &State) -> Vec<Choice> {
    let choice = |(precision, name, hint): (Precision, &str, &str)| Choice {
        hint: match state.device {
            DeviceChoice::Cpu => "Only for a GPU: the CPU was chosen, and computes in f32".into(),
            _ => hint.into(),
        },
        is_on: Some(state.precision == precision),
        ..Choice::new(name, Command::SetPrecision(precision))
    };
    [
        (
            Precision::Auto,
            "Choose the precision automatically",
            "f32 for now, and f16 where a model does not fit into the memory of the card",
        ),
        (Precision::F32, "Predict in single precision (f32)", ""),
        (
            Precision::F16,
            "Predict in half precision (f16)",
            "Weights take half the memory; a card without f16 computes in f32",
        ),
    ]
    .into_iter()
    .map(choice)
    .collect()
}

/// Returns how thoroughly a GPU can be tuned as options.
fn tunings(state: &State) -> Vec<Choice> {
    let choice = |(effort, name): (GpuTuning, &str)| Choice {
        hint: "Takes effect when HiMix is started again".into(),
        is_on: Some(state.settings.gpu_tuning == effort),
        ..Choice::new(name, Command::SetGpuTuning(effort))
    };
    [
        (GpuTuning::Minimal, "Tune the GPU little: it is ready soonest"),
        (GpuTuning::Balanced, "Tune the GPU as usual"),
        (GpuTuning::Full, "Tune the GPU fully: it takes longest to get ready and is fastest afterwards"),
    ]
    .into_iter()
    .map(choice)
    .collect()
}
