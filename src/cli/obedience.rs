//! The figures of `himix evaluate --obedience` as text and as JSON.

use himix::infer::{Answers, NamedAnswers, OBEYED_FROM, Obedience};
use serde_json::{Value, json};

/// Returns the figures as a JSON object.
pub fn object(found: &Obedience) -> Value {
    let answers =
        |of: &Answers| json!({ "masks": of.masks, "obeyed": of.obeyed, "share": of.share(), "empty": of.empty });
    let both = |[all, present]: [Answers; 2]| json!({ "all": answers(&all), "lesion_there": answers(&present) });
    let prompt = |of: &NamedAnswers| {
        let mut object = both([of.all, of.present]);
        object["named"] = json!(of.named.words());
        object["prompt"] = json!(of.named.prompt());
        object
    };
    json!({
        "obeyed_from": OBEYED_FROM,
        "images": found.images,
        "sides": both(found.sides()),
        "places": both(found.places()),
        "sides_of_places": answers(&found.sides_of_places),
        "prompts": found.prompts.iter().map(prompt).collect::<Vec<_>>(),
        "skipped": found.skipped,
    })
}

/// Returns the figures as text.
pub fn text(found: &Obedience) -> String {
    let share = |of: &Answers| {
        let share = of.share().map_or("–".into(), |share| format!("{share:.3}"));
        let empty = if of.empty > 0 { format!(", {} empty", of.empty) } else { String::new() };
        format!("{share} of {} masks{empty}", of.masks)
    };
    let line = |name: &str, [all, present]: [Answers; 2]| {
        format!("  {name:<13} {}   (with a lesion there: {})", share(&all), share(&present))
    };
    let mut lines = vec![
        format!(
            "obedience to words of a place ({} images; at least half of the mask's area in the named part):",
            found.images
        ),
        line("sides", found.sides()),
        line("zones", found.places()),
        format!("  {:<13} {}", "their sides", share(&found.sides_of_places)),
    ];
    lines.extend(found.prompts.iter().map(|of| line(&of.named.words(), [of.all, of.present])));
    lines.join("\n")
}
