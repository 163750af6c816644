//! The worklist: the cases of a folder.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::{ColorImage, Context, TextureHandle, TextureOptions};

use super::HimixApp;
use super::cases::{CaseState, CaseStates};
use super::command::Command;
use super::notes::Kind;
use super::pane::Pane;
use super::record::PromptOf;
use super::record::Source;
use super::settings::Settings;
use super::tab::Tab;
use super::text::file_name;
use crate::data::dicom;
use crate::data::worklist::Item;
use crate::engine::jobs::ListFolder;
use crate::engine::{DisplayPixels, ThumbnailRequest, Ticket};

/// The maximum side length of a thumbnail, in pixels.
pub const SIDE: usize = 96;
/// The maximum number of thumbnails on the graphics device.
const KEPT: usize = 600;

/// The cases of a folder.
pub struct Worklist {
    /// The ticket that identifies the list.
    pub ticket: Ticket,
    /// The folder of the list.
    pub folder: PathBuf,
    /// The cases.
    pub items: Arc<Vec<Item>>,
    /// The search text.
    pub search: String,
    /// The indices of the matching cases.
    pub shown: Vec<usize>,
    /// The index of the open case.
    pub current: Option<usize>,
    /// The ticket of a pending image that is a case of the list.
    pub opening: Option<Ticket>,
    /// The prompts that the user changed in this session.
    pub edited: HashMap<usize, String>,
    /// The cases that the user marked in this session.
    pub marked: HashSet<usize>,
    /// The states of the cases.
    pub states: CaseStates,
    /// The number of slices of each series that has been opened.
    found: HashMap<usize, usize>,
    /// The thumbnails on the graphics device; `None` if there is no image to show.
    pub textures: HashMap<usize, Option<TextureHandle>>,
    /// The thumbnails that were requested last.
    asked: Vec<usize>,
    /// Whether the list scrolls to the current case in the next frame.
    pub reveal: bool,
}

impl Worklist {
    /// Returns the cases with their current prompts.
    pub fn with_edits(&self) -> Vec<Item> {
        let mut items = self.items.to_vec();
        for (place, prompt) in &self.edited {
            if let Some(item) = items.get_mut(*place) {
                item.prompt = Some(prompt.clone());
            }
        }
        items
    }

    /// Creates the list of a folder.
    pub fn new(ticket: Ticket, folder: PathBuf, items: Vec<Item>) -> Self {
        let shown = (0..items.len()).collect();
        let items = Arc::new(items);
        let (search, edited, textures) = (String::new(), HashMap::new(), HashMap::new());
        let (marked, found) = (HashSet::new(), HashMap::new());
        Self {
            ticket,
            folder,
            items,
            search,
            shown,
            current: None,
            opening: None,
            edited,
            marked,
            states: CaseStates::default(),
            found,
            textures,
            asked: Vec::new(),
            reveal: false,
        }
    }

    /// Returns the name of a case; for a series that has been opened, it includes the number of slices.
    pub fn name(&self, place: usize) -> String {
        let Some(item) = self.items.get(place) else { return String::new() };
        match self.found.get(&place) {
            Some(slices) => dicom::recounted(&item.name, item.files.len(), *slices),
            None => item.name.clone(),
        }
    }

    /// Returns the labels of a case, one word each, starting with the user's own actions.
    pub fn words(&self, place: usize) -> Vec<&str> {
        let Some(item) = self.items.get(place) else { return Vec::new() };
        let mut words = Vec::new();
        let state = self.states.state(place);
        words.extend((state != CaseState::ToDo).then_some(state.name()));
        words.extend(self.marked.contains(&place).then_some("marked"));
        let is_variant = |prompt: &String| item.variants.contains(prompt);
        words.extend(self.edited.get(&place).is_some_and(|prompt| !is_variant(prompt)).then_some("edited"));
        words.extend(item.split.as_deref());
        words.extend((!item.truth.is_empty()).then_some("mask"));
        let word = if item.variants.is_empty() { "prompt" } else { "several prompts" };
        words.extend(item.prompt.is_some().then_some(word));
        words
    }

    /// Returns the prompts of the current case if there are several to choose from: the first one and its variants.
    pub fn choices(&self) -> Option<Vec<&str>> {
        let item = self.items.get(self.current?)?;
        let first = item.prompt.as_deref().filter(|_| !item.variants.is_empty())?;
        Some(std::iter::once(first).chain(item.variants.iter().map(String::as_str)).collect())
    }

    /// Toggles the mark of the open case.
    pub fn mark(&mut self) {
        let Some(current) = self.current else { return };
        if !self.marked.remove(&current) {
            self.marked.insert(current);
        }
        self.refresh();
    }

    /// Returns whether any case has its own prompt.
    pub fn has_prompts(&self) -> bool {
        self.items.iter().any(|item| item.prompt.is_some())
    }

    /// Searches again, because what is searched has changed.
    pub fn refresh(&mut self) {
        self.search(self.search.clone());
    }

    /// Returns the next case that is shown, after this one or else from the beginning, and that is neither done nor
    /// rejected.
    pub fn next_open(&self, place: usize) -> Option<usize> {
        let is_open = |other: &usize| {
            *other != place && matches!(self.states.state(*other), CaseState::ToDo | CaseState::Draft)
        };
        let (before, after) = self.shown.split_at(self.shown.partition_point(|other| *other <= place));
        after.iter().chain(before).copied().find(is_open)
    }

    /// Shows only the cases whose name, prompt, split, state or mark contains every word of `text`, and of these only those
    /// in the chosen state and the open one.
    pub fn search(&mut self, text: String) {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let matches = |place: usize| {
            if words.is_empty() {
                return true;
            }
            let item = &self.items[place];
            let name = format!("{} {}", item.name, file_name(&item.path)).to_lowercase();
            let prompts = item.prompt.iter().chain(&item.variants);
            let prompts: Vec<String> = prompts.map(|prompt| prompt.to_lowercase()).collect();
            let said = self.words(place).join(" ").to_lowercase();
            let in_prompt = |word: &String| prompts.iter().any(|prompt| prompt.contains(word));
            words.iter().all(|word| name.contains(word) || in_prompt(word) || said.contains(word))
        };
        let filter = self.states.filter;
        let is_chosen = |place: usize| {
            filter.is_none_or(|filter| self.states.state(place) == filter) || self.current == Some(place)
        };
        self.shown = (0..self.items.len()).filter(|&place| matches(place) && is_chosen(place)).collect();
        self.search = text;
    }

    /// Returns the row of the open case among those that are shown; `None` if it is not.
    pub fn row_of_current(&self) -> Option<usize> {
        self.shown.binary_search(&self.current?).ok()
    }

    /// Returns the case `by` positions from the current one among those that are shown.
    pub fn neighbour(&self, by: i64) -> Option<usize> {
        let next = match self.row_of_current() {
            Some(place) => place as i64 + by,
            None if by > 0 => 0,
            None => self.shown.len() as i64 - 1,
        };
        usize::try_from(next).ok().and_then(|next| self.shown.get(next)).copied()
    }

    /// Returns a request for the missing thumbnails among `places`. `None` if the same ones were requested last.
    pub fn missing(&mut self, places: &[usize], settings: &Settings) -> Option<ThumbnailRequest> {
        let missing: Vec<usize> =
            places.iter().copied().filter(|place| !self.textures.contains_key(place)).collect();
        if missing.is_empty() || missing == self.asked {
            return None;
        }
        // All cases of a list belong to the same data set.
        let orientation = settings.reading(self.items.first().map(|item| &item.reading)).orientation;
        let wanted = missing.iter().map(|&place| {
            let item = &self.items[place];
            (place, item.path.clone(), item.files.clone())
        });
        let wanted = wanted.collect();
        self.asked = missing;
        Some(ThumbnailRequest { list: self.ticket, wanted, side: SIDE, orientation })
    }

    /// Discards all thumbnails, because their appearance has changed.
    pub fn forget_thumbnails(&mut self) {
        self.textures.clear();
        self.asked.clear();
    }

    /// Stores a thumbnail, and discards some that are not visible if there are too many.
    pub fn take_thumbnail(&mut self, ctx: &Context, place: usize, picture: Option<&DisplayPixels>) {
        if self.textures.len() >= KEPT {
            let seen: HashSet<usize> = self.asked.iter().copied().collect();
            self.textures.retain(|place, _| seen.contains(place));
        }
        let texture = picture.and_then(|picture| {
            let image =
                ColorImage::from_rgba_unmultiplied([picture.width, picture.height], picture.texels.rgba()?);
            Some(ctx.load_texture(format!("thumbnail {place}"), image, TextureOptions::LINEAR))
        });
        self.textures.insert(place, texture);
    }
}

impl HimixApp {
    /// Requests the contents of a folder.
    pub(super) fn open_folder(&mut self, folder: PathBuf) {
        let job = ListFolder { folder: folder.clone() };
        let sent = self.engine.ask(&mut self.state.jobs.list, folder, job);
        self.say_if_busy(sent);
    }

    /// Shows the contents of a folder, and opens the first case if nothing is open yet.
    pub(super) fn take_list(&mut self, ticket: Ticket, folder: PathBuf, items: Vec<Item>) {
        self.state.settings.remember(&folder);
        self.state.failed = None;
        let is_lone = items.len() == 1;
        self.state.worklist = Some(Worklist::new(ticket, folder, items));
        self.request_cases();
        for tab in [Tab::Read, Tab::Annotate] {
            if let Some(layout) = self.state.layouts.get_mut(tab) {
                layout.open(Pane::WORKLIST, !is_lone);
            }
        }
        self.commands.push(Command::OpenItem(0));
        match self.state.truth_of_folder.take() {
            Some(truth) if is_lone => self.commands.push(Command::OpenTruth(vec![truth])),
            Some(truth) => {
                let text = format!(
                    "The folder has several images, and the mask does not say which one it belongs to. Open the image first, then the \
                     mask: {}",
                    truth.display()
                );
                self.state.notes.add(Kind::Warning, text);
            }
            None => {}
        }
    }

    /// Opens a case of the list with its ground truth and its prompt.
    pub(super) fn open_item(&mut self, place: usize) {
        let Some(list) = &self.state.worklist else { return };
        let Some(item) = list.items.get(place).cloned() else { return };
        let id = list.ticket;
        let edited = list.edited.get(&place).cloned();
        let has_prompts = list.has_prompts();
        let Some(opening) = self.open_files(item.path, item.files) else { return };
        if let Some(list) = &mut self.state.worklist {
            list.current = Some(place);
            list.reveal = true;
            list.opening = Some(opening);
            list.refresh();
        }
        self.open_truth(item.truth);
        if has_prompts {
            self.state.bring(item.prompt.unwrap_or_default(), PromptOf::Case(id, place));
            if let Some(edited) = edited {
                self.state.document.prompt = edited;
            }
        } else {
            // If no case has a prompt, the user's prompt is kept from case to case.
            self.state.leave_prompt();
            if let Some(edited) = edited {
                self.state.document.prompt = edited;
            }
        }
    }

    /// Makes the image that has just been opened the current case of the list, if it is one. Returns the name to
    /// show.
    pub(super) fn enter_case(&mut self, ticket: Ticket, source: &Source, slices: usize) -> String {
        self.state.left = None;
        let Some(list) = &mut self.state.worklist else { return source.name() };
        if list.opening.take_if(|opening| *opening == ticket).is_none() {
            list.current = match source {
                Source::Files(path, files) => {
                    list.items.iter().position(|item| item.path == *path && item.files == *files)
                }
                Source::Sample(_) => None,
            };
        }
        let is_series = |place: &usize| list.items.get(*place).is_some_and(|item| item.files.len() > 1);
        match list.current.filter(is_series) {
            Some(place) => {
                list.found.insert(place, slices);
                list.name(place)
            }
            None => source.name(),
        }
    }

    /// Opens the case `by` positions further in the list.
    pub(super) fn step_item(&mut self, by: i64) {
        let Some(list) = &self.state.worklist else { return };
        match list.neighbour(by) {
            Some(place) => self.open_item(place),
            None => {
                let text = if by > 0 {
                    "This is the last case of the list."
                } else {
                    "This is the first case of the list."
                };
                self.state.notes.add_of_case(Kind::Info, text);
            }
        }
    }

    /// Records that the prompt of the open case was changed.
    pub(super) fn remember_edit(&mut self) {
        let prompt = self.state.document.prompt.clone();
        let is_awaited = self.state.jobs.image.pending().is_some();
        if let Some(list) = &mut self.state.worklist
            && let Some(current) = list.current
            // Text typed for an image from outside the list does not belong to the case that is still displayed.
            && (!is_awaited || list.opening.is_some())
        {
            // A prompt that was changed back counts as unchanged.
            if list.items.get(current).is_some_and(|item| item.prompt.as_deref().unwrap_or_default() == prompt) {
                list.edited.remove(&current);
            } else {
                list.edited.insert(current, prompt);
            }
        }
    }
}
