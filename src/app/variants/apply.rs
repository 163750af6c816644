//! The commands about the pins.

use super::{MOST, Pin, PinSpec, Variants, VariantsCommand, demonstration};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::app::tab::Tab;
use crate::app::typing::Typing;
use crate::engine::{threshold_at, threshold_step};

impl Variants {
    /// Returns the position of the current pin in the order shown.
    fn place(&self) -> Option<usize> {
        let current = self.current()?.id;
        self.ordered().iter().position(|pin| pin.id == current)
    }

    fn pin_mut(&mut self, id: u64) -> Option<&mut Pin> {
        self.pins.iter_mut().find(|pin| pin.id == id)
    }
}

impl HimixApp {
    /// Carries out a command about the pins.
    pub(in crate::app) fn apply_variants(&mut self, command: VariantsCommand) {
        let variants = &mut self.state.variants;
        match command {
            VariantsCommand::Pin => self.pin_current(),
            VariantsCommand::Demonstrate => self.demonstrate(),
            VariantsCommand::Remove(id) => {
                let next = variants.place();
                variants.pins.retain(|pin| pin.id != id);
                if variants.current == Some(id) {
                    let ordered = variants.ordered();
                    let last = ordered.len().saturating_sub(1);
                    variants.current = next.and_then(|place| ordered.get(place.min(last))).map(|pin| pin.id);
                }
            }
            VariantsCommand::Clear => variants.pins.clear(),
            VariantsCommand::Type(id, text) => {
                if let Some(pin) = variants.pin_mut(id) {
                    let sent = pin.sent().to_owned();
                    let old = std::mem::replace(&mut pin.spec.prompt, text);
                    pin.typing = Typing::after(&old, &pin.spec.prompt, &sent);
                    // It is not the form any more that it was named after.
                    pin.spec.name.clear();
                }
            }
            VariantsCommand::EndTyping(id) => {
                if let Some(pin) = variants.pin_mut(id) {
                    pin.typing = None;
                }
            }
            VariantsCommand::SetThreshold(id, threshold) => {
                if let Some(pin) = variants.pin_mut(id) {
                    pin.spec.threshold = threshold_at(threshold_step(threshold));
                }
            }
            VariantsCommand::Compare(id, is_compared) => {
                if let Some(pin) = variants.pin_mut(id) {
                    pin.spec.is_compared = is_compared;
                }
            }
            VariantsCommand::Choose(id) => variants.current = Some(id),
            VariantsCommand::Step(by) => {
                let (Some(place), count) = (variants.place(), variants.pins.len() as i64) else { return };
                let next = (place as i64 + by).rem_euclid(count) as usize;
                variants.current = variants.ordered().get(next).map(|pin| pin.id);
            }
            VariantsCommand::Use(id) => {
                let pin = id.and_then(|id| variants.pin(id)).or(variants.current());
                let Some(PinSpec { prompt, threshold, .. }) = pin.map(|pin| pin.spec.clone()) else { return };
                // What the user had written is not lost.
                let before = self.state.document.prompt.clone();
                if self.state.brought.as_deref() != Some(before.as_str()) {
                    self.state.settings.remember_prompt(&before);
                }
                self.state.settings.set_threshold(threshold);
                self.set_prompt(prompt);
            }
            VariantsCommand::Order(order) => variants.order = order,
            VariantsCommand::Heat(heat) => variants.heat = heat,
        }
    }

    /// Pins the prompt of the main view, unless the same is pinned already.
    fn pin_current(&mut self) {
        let state = &self.state;
        let prompt = state.document.prompt.trim().to_owned();
        let spec =
            PinSpec { name: String::new(), prompt, is_compared: false, threshold: state.settings.threshold };
        let is_same = |pin: &&Pin| PinSpec { name: String::new(), ..pin.spec.clone() } == spec;
        if let Some(known) = state.variants.pins.iter().find(is_same).map(|pin| pin.id) {
            self.state.variants.current = Some(known);
            self.state.notes.add_of_case(Kind::Info, "This prompt is pinned already.");
            return;
        }
        self.pin_all(vec![spec]);
        if self.state.tab != Tab::Prompts {
            let count = self.state.variants.pins.len();
            let text = format!("Pinned as variant {count}. The Prompts tab shows the pins side by side.");
            self.state.notes.add_of_case(Kind::Info, text);
        }
    }

    fn pin_all(&mut self, specs: Vec<PinSpec>) {
        for spec in specs {
            if self.state.variants.pins.len() == MOST {
                let text = format!("At most {MOST} variants can be pinned. Remove one to pin another.");
                return self.state.notes.add_of_case(Kind::Warning, text);
            }
            let id = self.ticket();
            self.state.variants.pins.push(Pin { id, spec, typing: None, mask: None });
            self.state.variants.current = Some(id);
        }
    }

    fn demonstrate(&mut self) {
        let state = &mut self.state;
        let Some(specs) = demonstration(&state.document.prompt, state.settings.threshold) else {
            let text = "The prompt states no finding that the grammars know, so that it has no other forms. \
                        Choose a preset, or type a sentence such as those.";
            return state.notes.add_of_case(Kind::Warning, text);
        };
        self.set_pins(specs);
        self.show_tab(Tab::Prompts);
    }

    /// Replaces the pins; those that stay the same keep their masks. The first one becomes the current one.
    pub(in crate::app) fn set_pins(&mut self, specs: Vec<PinSpec>) {
        let mut before = std::mem::take(&mut self.state.variants.pins);
        for spec in specs.into_iter().take(MOST) {
            let known = before.iter().position(|pin| pin.spec == spec);
            let pin = match known {
                Some(place) => Pin { typing: None, ..before.remove(place) },
                None => Pin { id: self.ticket(), spec, typing: None, mask: None },
            };
            self.state.variants.pins.push(pin);
        }
        self.state.variants.current = self.state.variants.pins.first().map(|pin| pin.id);
    }
}
