//! Carries out commands about the comparison of networks.

use std::path::{Path, PathBuf};

use super::{CasesOf, FEWEST, MOST, Networks, NetworksCommand, NetworksField};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::app::state::State;
use crate::app::text::file_name;
use crate::engine::jobs::SaveNetworks;
use crate::engine::{NetworkCases, NetworksRequest};
use crate::infer::ModelSource;
use crate::infer::comparison::{Entrant, EntrantSource};

impl Networks {
    /// Adds a network under a name that no other one has, unless it is there already or there are as many as there can be.
    fn add(&mut self, name: &str, source: EntrantSource) {
        let is_known = self.chosen.iter().any(|other| other.source == source);
        if is_known || self.chosen.len() >= MOST {
            return;
        }
        let is_taken =
            |name: &str| self.chosen.iter().any(|other| other.name.to_lowercase() == name.to_lowercase());
        let mut unique = name.to_owned();
        let mut count = 2;
        while is_taken(&unique) {
            unique = format!("{name} {count}");
            count += 1;
        }
        self.chosen.push(Entrant { name: unique, source });
    }
}

impl State {
    /// Returns the folder of the data set on which networks are compared: the one that is set, or that of the worklist.
    fn networks_folder(&self) -> Option<PathBuf> {
        match self.networks.typed.folder.trim() {
            "" => self.worklist.as_ref().map(|list| list.folder.clone()),
            folder => Some(folder.into()),
        }
    }

    /// Returns the reason why a comparison cannot begin, as a sentence; `None` if it can.
    pub fn networks_refusal(&self) -> Option<&'static str> {
        let networks = &self.networks;
        if networks.chosen.len() < FEWEST {
            Some("Add two networks or more.")
        } else if networks.of == CasesOf::Image && self.document.image.is_none() {
            Some("Open an image first, or compare on a data set.")
        } else if networks.of == CasesOf::Data && self.networks_folder().is_none() {
            Some("Choose the folder of a data set, or open one in the worklist.")
        } else {
            None
        }
    }

    /// Returns the cases on which networks are compared.
    fn network_cases(&self) -> Option<NetworkCases> {
        let typed = &self.networks.typed;
        match self.networks.of {
            CasesOf::Image => {
                let open = self.document.image.as_ref()?;
                let truth = self.truth_mask().map(|(_, mask)| mask);
                Some(NetworkCases::Open {
                    name: open.name.clone(),
                    image: open.image.clone(),
                    seen: open.asked,
                    prompt: self.sent_text().to_owned(),
                    area: self.document.area,
                    truth,
                })
            }
            CasesOf::Data => {
                let names = typed.only.split(',').map(str::trim).filter(|name| !name.is_empty());
                Some(NetworkCases::Split {
                    folder: self.networks_folder()?,
                    split: typed.split.trim().to_owned(),
                    only: names.map(str::to_owned).collect(),
                    most: self.networks.most,
                })
            }
        }
    }
}

impl HimixApp {
    /// Carries out a command about the comparison of networks.
    pub(in crate::app) fn apply_networks(&mut self, command: NetworksCommand) {
        let networks = &mut self.state.networks;
        match command {
            NetworksCommand::Type(field, text) => {
                let typed = &mut networks.typed;
                *match field {
                    NetworksField::Path => &mut typed.path,
                    NetworksField::Folder => &mut typed.folder,
                    NetworksField::Split => &mut typed.split,
                    NetworksField::Only => &mut typed.only,
                    NetworksField::Kept => &mut typed.kept,
                } = text;
            }
            NetworksCommand::AddOpen => self.add_open_networks(),
            NetworksCommand::AddModel(path) => {
                let source = ModelSource::new(&path);
                networks.add(&file_name(&path), EntrantSource::Model(source));
                networks.typed.path.clear();
            }
            NetworksCommand::AddPredictions(path) => {
                networks.add(&file_name(&path), EntrantSource::Predictions(path.clone()));
                networks.typed.path.clear();
            }
            NetworksCommand::Rename(place, name) => {
                if let Some(entrant) = networks.chosen.get_mut(place) {
                    entrant.name = name;
                }
            }
            NetworksCommand::Remove(place) => {
                if place < networks.chosen.len() {
                    networks.chosen.remove(place);
                }
            }
            NetworksCommand::Of(of) => networks.of = of,
            NetworksCommand::Most(most) => networks.most = most,
            NetworksCommand::Start => self.start_networks(),
            NetworksCommand::Cancel => networks.pending.cancel(),
            NetworksCommand::Pair(pair) => networks.pair = pair,
            NetworksCommand::Show(case, is_shown) => {
                networks.rows.retain(|other| *other != case);
                if is_shown {
                    networks.rows.push(case);
                }
            }
            NetworksCommand::Save(folder) => self.save_networks(folder),
        }
    }

    fn add_open_networks(&mut self) {
        let state = &mut self.state;
        let open = state.model.as_ref().map(|model| (model.info.name.clone(), model.source.clone()));
        let second = state.comparison.as_ref().and_then(|other| {
            let name = other.info.as_ref()?.name.clone();
            Some((name, other.source.clone()))
        });
        for (name, source) in [open, second].into_iter().flatten() {
            state.networks.add(&name, EntrantSource::Model(source));
        }
    }

    fn start_networks(&mut self) {
        let state = &mut self.state;
        if state.networks_refusal().is_some() {
            return;
        }
        let Some(cases) = state.network_cases() else { return };
        let kept = state.networks.typed.kept.trim();
        let request = NetworksRequest {
            entrants: state.networks.chosen.clone(),
            cases,
            threshold: state.settings.threshold,
            device: state.device,
            out: Some(kept).filter(|kept| !kept.is_empty()).map(PathBuf::from),
        };
        if let Err(error) = self.engine.compare_networks(&mut state.networks.pending, (), request) {
            let text = format!("The comparison could not be started ({error}). Close other programs.");
            self.state.notes.add(Kind::Error, text);
        }
    }

    fn save_networks(&mut self, folder: PathBuf) {
        let networks = &mut self.state.networks;
        let Some((_, compared)) = &networks.found else { return };
        let job = SaveNetworks {
            compared: compared.clone(),
            cases: networks.rows.clone(),
            colours: self.state.settings.colours.overlay(),
            folder: folder.clone(),
        };
        let sent = self.engine.ask(&mut networks.saving, folder, job);
        self.say_if_busy(sent);
    }

    /// Tells the user where tables and figure were written.
    pub(super) fn say_networks_saved(&mut self, files: &[PathBuf]) {
        let Some(folder) = files.first().and_then(|file| file.parent()).map(Path::display) else { return };
        let text = format!("Saved tables and figure of the comparison in {folder}");
        self.state.notes.add(Kind::Info, text);
    }
}
