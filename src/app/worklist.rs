//! The list of cases on the left.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::{ColorImage, Context, TextureHandle, TextureOptions};

use super::HimixApp;
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

/// Side of a thumbnail in pixels.
pub const SIDE: usize = 96;
/// Thumbnails that are kept on the graphics device.
const KEPT: usize = 600;

/// A folder's cases.
pub struct Worklist {
    /// Names the list.
    pub ticket: Ticket,
    /// Its folder.
    pub folder: PathBuf,
    /// The cases.
    pub items: Arc<Vec<Item>>,
    /// What is searched for.
    pub search: String,
    /// Places of the cases that match.
    pub shown: Vec<usize>,
    /// The case that is open.
    pub current: Option<usize>,
    /// The image on its way that is a case of the list.
    pub opening: Option<Ticket>,
    /// Prompts that the user changed in this session.
    pub edited: HashMap<usize, String>,
    /// Cases that the user marked in this session.
    pub marked: HashSet<usize>,
    /// Slices that series turned out to have, of those that were opened.
    found: HashMap<usize, usize>,
    /// What is on the graphics device; `None` where there is no picture to be had.
    pub textures: HashMap<usize, Option<TextureHandle>>,
    /// Thumbnails that were asked for last.
    asked: Vec<usize>,
    /// Whether the list scrolls to the current case in the next frame.
    pub reveal: bool,
}

impl Worklist {
    /// The cases with the prompts as they stand now.
    pub fn with_edits(&self) -> Vec<Item> {
        let mut items = self.items.to_vec();
        for (place, prompt) in &self.edited {
            if let Some(item) = items.get_mut(*place) {
                item.prompt = Some(prompt.clone());
            }
        }
        items
    }

    /// Of a folder.
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
            found,
            textures,
            asked: Vec::new(),
            reveal: false,
        }
    }

    /// What the case is called; of a series that was opened, with the slices that it turned out to have.
    pub fn name(&self, place: usize) -> String {
        let Some(item) = self.items.get(place) else { return String::new() };
        match self.found.get(&place) {
            Some(slices) => dicom::recounted(&item.name, item.files.len(), *slices),
            None => item.name.clone(),
        }
    }

    /// What there is to say of a case in a word each, beginning with what the user did.
    pub fn words(&self, place: usize) -> Vec<&str> {
        let Some(item) = self.items.get(place) else { return Vec::new() };
        let mut words = Vec::new();
        words.extend(self.marked.contains(&place).then_some("marked"));
        words.extend(self.edited.contains_key(&place).then_some("edited"));
        words.extend(item.split.as_deref());
        words.extend((!item.truth.is_empty()).then_some("mask"));
        words.extend(item.prompt.is_some().then_some("prompt"));
        words
    }

    /// Marks the case that is open, or takes its mark away.
    pub fn mark(&mut self) {
        let Some(current) = self.current else { return };
        if !self.marked.remove(&current) {
            self.marked.insert(current);
        }
        // A list that is searched for what is marked shows what is marked now.
        if !self.search.is_empty() {
            self.search(self.search.clone());
        }
    }

    /// Whether any case has a prompt of its own.
    pub fn has_prompts(&self) -> bool {
        self.items.iter().any(|item| item.prompt.is_some())
    }

    /// Keeps the cases whose name, prompt, split or mark holds every word of `text`.
    pub fn search(&mut self, text: String) {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let matches = |place: usize| {
            let item = &self.items[place];
            let name = format!("{} {}", item.name, file_name(&item.path)).to_lowercase();
            let prompt = item.prompt.as_deref().unwrap_or_default().to_lowercase();
            let said = self.words(place).join(" ").to_lowercase();
            words.iter().all(|word| name.contains(word) || prompt.contains(word) || said.contains(word))
        };
        self.shown = (0..self.items.len()).filter(|&place| matches(place)).collect();
        self.search = text;
    }

    /// The case before or after the current one among those that are shown.
    pub fn neighbour(&self, by: i64) -> Option<usize> {
        let place = self.current.and_then(|current| self.shown.iter().position(|&place| place == current));
        let next = match place {
            Some(place) => place as i64 + by,
            None if by > 0 => 0,
            None => self.shown.len() as i64 - 1,
        };
        usize::try_from(next).ok().and_then(|next| self.shown.get(next)).copied()
    }

    /// The thumbnails among `places` that are still to be asked for. `None` where the same were asked for last.
    pub fn missing(&mut self, places: &[usize], settings: &Settings) -> Option<ThumbnailRequest> {
        let missing: Vec<usize> =
            places.iter().copied().filter(|place| !self.textures.contains_key(place)).collect();
        if missing.is_empty() || missing == self.asked {
            return None;
        }
        // The cases of a list are of one data set.
        let orientation = settings.reading(self.items.first().map(|item| &item.reading)).orientation;
        let wanted = missing.iter().map(|&place| {
            let item = &self.items[place];
            (place, item.path.clone(), item.files.clone())
        });
        let wanted = wanted.collect();
        self.asked = missing;
        Some(ThumbnailRequest { list: self.ticket, wanted, side: SIDE, orientation })
    }

    /// Has all thumbnails made anew: they are seen otherwise now.
    pub fn forget_thumbnails(&mut self) {
        self.textures.clear();
        self.asked.clear();
    }

    /// Takes a thumbnail in, and forgets some that are not seen where there are many.
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
    /// Asks what a folder holds.
    pub(super) fn open_folder(&mut self, folder: PathBuf) {
        let job = ListFolder { folder: folder.clone() };
        let sent = self.engine.ask(&mut self.state.jobs.list, folder, job);
        self.say_if_busy(sent);
    }

    /// Takes in what a folder holds, and opens the first case where nothing is open yet.
    pub(super) fn take_list(&mut self, ticket: Ticket, folder: PathBuf, items: Vec<Item>) {
        self.state.settings.remember(&folder);
        self.state.failed = None;
        let is_lone = items.len() == 1;
        self.state.worklist = Some(Worklist::new(ticket, folder, items));
        if let Some(layout) = self.state.layouts.get_mut(Tab::Read) {
            layout.open(Pane::WORKLIST, !is_lone);
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

    /// Opens a case of the list with its truth and its prompt.
    pub(super) fn open_item(&mut self, place: usize) {
        let Some(list) = &self.state.worklist else { return };
        let Some(item) = list.items.get(place).cloned() else { return };
        let id = list.ticket;
        let prompt = list.edited.get(&place).cloned().or(item.prompt);
        let has_prompts = list.has_prompts();
        let Some(opening) = self.open_files(item.path, item.files) else { return };
        if let Some(list) = &mut self.state.worklist {
            list.current = Some(place);
            list.reveal = true;
            list.opening = Some(opening);
        }
        self.open_truth(item.truth);
        if has_prompts {
            self.state.document.prompt = prompt.unwrap_or_default();
            self.state.prompt_of = PromptOf::Case(id, place);
        } else {
            // Where no case has a prompt, that of the user goes with them from case to case.
            self.state.leave_prompt();
            if let Some(prompt) = prompt {
                self.state.document.prompt = prompt;
            }
        }
    }

    /// Makes the picture that has just come the current case of the list, where it is one. Returns what it is called.
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

    /// Goes on to another case.
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

    /// Remembers that the prompt of the open case was changed.
    pub(super) fn remember_edit(&mut self) {
        let prompt = self.state.document.prompt.clone();
        let is_awaited = self.state.jobs.image.pending().is_some();
        if let Some(list) = &mut self.state.worklist
            && let Some(current) = list.current
            // What is typed for a picture on its way from elsewhere is not of the case that is still seen.
            && (!is_awaited || list.opening.is_some())
        {
            // What was changed back is not changed.
            if list.items.get(current).is_some_and(|item| item.prompt.as_deref().unwrap_or_default() == prompt) {
                list.edited.remove(&current);
            } else {
                list.edited.insert(current, prompt);
            }
        }
    }
}
