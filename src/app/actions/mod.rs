//! All user actions, each declared once. An action declares its name, its menu, its default keys, where it is
//! available and why not elsewhere, and how it is undone. The menus, the command palette, the page of keyboard
//! shortcuts and the preferences are generated from these declarations; `command` defines the effect of each
//! action.

mod action;
mod annotate;
mod cases;
mod choices;
mod file;
mod help;
mod model;
mod panels;
mod picture;
mod prompt;
mod view;

pub use action::{Action, Given, Group, Hold, Section, Undo};
pub use cases::{ACCEPT_CASE, REJECT_CASE};
pub use choices::{Choice, Choices, Item, Shape};
pub use model::{COMPARE, ITEMS as MODEL};
pub use picture::{HOLD_OVERLAY, WINDOWS};
pub use prompt::{FOCUS_PROMPT, HISTORY, PRESETS};
pub use view::{REDO, RESET_TEXT_SIZE, UNDO};

use super::keys::ActionId;

/// The menus, from left to right; the last list is not shown in any menu.
pub const MENUS: [(&str, &[Item]); 6] = [
    ("File", file::ITEMS),
    ("View", view::ITEMS),
    ("Annotation", annotate::ITEMS),
    ("Prompt", prompt::ITEMS),
    ("Model", model::ITEMS),
    ("Help", help::ITEMS),
];

/// Actions with a key or a palette entry, but without a menu.
const OTHERS: &[Item] = picture::ITEMS;

/// Returns all entries of all menus, including submenus.
pub fn items() -> impl Iterator<Item = &'static Item> + Clone {
    let all = MENUS.iter().map(|(_, items)| *items).chain([OTHERS]).flatten();
    all.flat_map(|item| match item {
        Item::Menu(_, items) => items.iter(),
        item => std::slice::from_ref(item).iter(),
    })
}

/// Returns all actions.
pub fn all() -> impl Iterator<Item = &'static Action> + Clone {
    items().filter_map(|item| match item {
        Item::Action(action) => Some(action),
        _ => None,
    })
}

/// Returns all sets of options.
pub fn choices() -> impl Iterator<Item = &'static Choices> + Clone {
    items().filter_map(|item| match item {
        Item::Choices(choices) => Some(choices),
        _ => None,
    })
}

/// Returns the action with this identifier; `None` if there is none.
pub fn find(id: ActionId) -> Option<&'static Action> {
    all().find(|action| action.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::app::keys::{Chord, Keyed};
    use crate::app::panels;
    use crate::app::settings::Settings;
    use crate::app::state::State;
    use crate::app::tab::Tab;
    use crate::device::DeviceChoice;
    use crate::render::Picture;

    #[test]
    fn every_action_has_a_name_of_its_own() {
        let (mut ids, mut names) = (HashSet::new(), HashSet::new());
        for action in all() {
            assert!(!action.id.0.is_empty() && !action.name.is_empty(), "{:?} {}", action.id, action.name);
            assert!(ids.insert(action.id), "{:?}", action.id);
            assert!(names.insert(action.name), "{}", action.name);
        }
        assert!(ids.len() > 60, "only {} actions", ids.len());
    }

    #[test]
    fn no_key_does_two_things_at_once() {
        for tab in Tab::ALL {
            let mut seen: Vec<(Chord, ActionId)> = Vec::new();
            for action in all().filter(|action| action.has_keys_in(tab)) {
                for chord in action.keys {
                    assert!(!chord.is_reserved(), "{:?}", action.id);
                    let other = seen.iter().find(|(other, _)| other == chord);
                    assert!(other.is_none(), "{chord} in {tab:?}: {:?} and {other:?}", action.id);
                    seen.push((*chord, action.id));
                }
            }
        }
    }

    /// The names under which version 0.1 wrote keys into the settings file.
    const OLD: &str = "zoom_in zoom_out fit actual_size pan_left pan_right pan_up pan_down next_slice previous_slice first_slice last_slice \
                       play next_case previous_case window0 window1 window2 window3 window4 window5 window6 window7 window8 window9 \
                       invert use_window network_view overlay hold_overlay truth heat safe_colours less_opacity more_opacity \
                       less_threshold more_threshold focus_prompt past information open_image open_folder save_mask undo redo read \
                       stages train palette shortcuts quit";

    #[test]
    fn keys_of_version_0_1_are_of_the_same_actions() {
        for name in OLD.split_whitespace() {
            assert!(all().any(|action| action.id.0 == name), "{name}");
        }
    }

    /// Returns the state before anything is opened.
    fn empty() -> State {
        let picture = Picture::new(eframe::wgpu::TextureFormat::Rgba8Unorm);
        State::new(Settings::default(), DeviceChoice::Cpu, panels::infos(), picture)
    }

    #[test]
    fn what_cannot_be_done_says_why() {
        let mut state = empty();
        let mut refused = 0;
        for tab in Tab::ALL {
            state.tab = tab;
            let reasons = all().filter_map(|action| action.given(&state).err());
            let chosen =
                choices().flat_map(|choices| (choices.all)(&state)).filter_map(|choice| choice.given.err());
            for reason in reasons.chain(chosen) {
                assert!(reason.len() > 10 && reason.ends_with('.'), "{reason:?}");
                refused += 1;
            }
        }
        assert!(refused > 60, "without an image little can be done: {refused}");
    }

    #[test]
    fn the_menu_of_panels_has_each_of_them_once_in_every_tab() {
        let mut state = empty();
        for tab in Tab::ALL {
            state.tab = tab;
            let choices = choices().find(|choices| choices.name == "Panels").expect("the menu of panels");
            let mut names: Vec<String> = (choices.all)(&state).into_iter().map(|choice| choice.name).collect();
            assert_eq!(names.len(), panels::PANELS.len(), "{tab:?}");
            names.sort();
            names.dedup();
            assert_eq!(names.len(), panels::PANELS.len(), "{tab:?}");
        }
    }

    #[test]
    fn every_preference_has_its_heading_and_every_heading_has_some() {
        for section in Section::ALL {
            let has_some = items().any(|item| match item {
                Item::Action(action) => action.section == Some(section),
                Item::Choices(choices) => choices.section == Some(section),
                Item::Menu(..) | Item::Line => false,
            });
            assert!(has_some, "{section:?}");
        }
    }
}
