//! Caches predictions by slice, so that returning to a slice shows its mask at once.

use crate::data::volume::DisplayWindow;

/// The maximum memory of all cached predictions together, in bytes.
const LIMIT: usize = 256 << 20;

/// The inputs of a prediction apart from the image; equal inputs give the same prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct Provenance {
    /// The model.
    pub model: String,
    /// The prompt as typed.
    pub prompt: String,
    /// The window of the network input; `None` if the network received the slice as it is stored.
    pub window: Option<DisplayWindow>,
}

/// The newest prediction of each slice of an image. `P` is the stored form of a prediction.
#[derive(Clone, Debug)]
pub struct Predictions<P> {
    /// The entries, from the least to the most recently used.
    entries: Vec<Entry<P>>,
    limit: usize,
}

#[derive(Clone, Debug)]
struct Entry<P> {
    slice: usize,
    of: Provenance,
    bytes: usize,
    prediction: P,
}

impl<P> Default for Predictions<P> {
    fn default() -> Self {
        Self { entries: Vec::new(), limit: LIMIT }
    }
}

impl<P> Predictions<P> {
    /// Caches the prediction of a slice in place of an older one, and removes the least recently used predictions
    /// if the memory limit is exceeded. `bytes` is the memory of the prediction.
    pub fn put(&mut self, slice: usize, of: Provenance, bytes: usize, prediction: P) {
        self.entries.retain(|entry| entry.slice != slice);
        self.entries.push(Entry { slice, of, bytes, prediction });
        while self.bytes() > self.limit {
            self.entries.remove(0);
        }
    }

    /// Returns the prediction of a slice if it has the same inputs; `None` otherwise.
    pub fn get(&mut self, slice: usize, of: &Provenance) -> Option<&mut P> {
        let place = self.entries.iter().position(|entry| entry.slice == slice && entry.of == *of)?;
        let entry = self.entries.remove(place);
        self.entries.push(entry);
        self.entries.last_mut().map(|entry| &mut entry.prediction)
    }

    /// Removes all predictions, because the image or the model has changed.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Returns the memory of all cached predictions, in bytes.
    pub fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::volume::Window;

    fn of(prompt: &str) -> Provenance {
        Provenance { model: "m".into(), prompt: prompt.into(), window: None }
    }

    #[test]
    fn a_prediction_is_found_by_its_slice_and_all_that_it_was_made_of() {
        let mut predictions = Predictions::default();
        predictions.put(3, of("left"), 10, 'a');
        assert_eq!(predictions.get(3, &of("left")), Some(&mut 'a'));
        assert_eq!(predictions.get(4, &of("left")), None, "another slice");
        assert_eq!(predictions.get(3, &of("right")), None, "another prompt");
        assert_eq!(predictions.get(3, &Provenance { model: "n".into(), ..of("left") }), None, "another model");
        let window = Some(DisplayWindow { window: Window::EIGHT_BIT, is_inverted: false });
        assert_eq!(predictions.get(3, &Provenance { window, ..of("left") }), None, "another window");
        predictions.put(3, of("right"), 10, 'b');
        assert_eq!(predictions.get(3, &of("left")), None, "the newest of a slice is remembered");
        predictions.clear();
        assert_eq!(predictions.get(3, &of("right")), None);
    }

    #[test]
    fn those_that_were_not_used_for_longest_are_forgotten_first() {
        let mut predictions = Predictions { limit: 30, ..Predictions::default() };
        (0..3).for_each(|slice| predictions.put(slice, of("p"), 10, slice));
        predictions.get(0, &of("p"));
        predictions.put(3, of("p"), 10, 3);
        assert_eq!(predictions.bytes(), 30);
        let has: Vec<bool> = (0..4).map(|slice| predictions.get(slice, &of("p")).is_some()).collect();
        assert_eq!(has, [true, false, true, true]);
        predictions.put(9, of("p"), 31, 9);
        assert_eq!(predictions.bytes(), 0, "one that is too large is not remembered");
    }
}
