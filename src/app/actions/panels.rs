//! The options for opening and closing panels.

use super::choices::{Choice, Choices};
use crate::app::command::Command;
use crate::app::pane::PaneInfo;
use crate::app::state::State;
use crate::app::tab::Tab;

/// The panels of the current layout, followed by those of the other layouts.
pub const PANELS: Choices = Choices {
    prefix: "Panel",
    is_several: true,
    words: "open close show hide view",
    all: |state| {
        let others = Tab::ALL.into_iter().filter(|tab| *tab != state.tab);
        let mut all = Vec::new();
        let mut seen = Vec::new();
        for tab in std::iter::once(state.tab).chain(others) {
            let is_new = |info: &&PaneInfo| !seen.contains(&info.pane);
            let panes: Vec<&PaneInfo> = state.layouts.panes().of(tab).filter(is_new).collect();
            seen.extend(panes.iter().map(|info| info.pane));
            all.extend(panes.into_iter().map(|info| choice(state, tab, info)));
        }
        all
    },
    ..Choices::named("Panels")
};

fn choice(state: &State, tab: Tab, info: &PaneInfo) -> Choice {
    let is_here = tab == state.tab;
    let is_open = is_here && state.layouts.get(tab).is_some_and(|layout| layout.is_shown(info.pane));
    let given = match is_here && info.is_hero {
        true => Err("This layout is for it: it cannot be closed."),
        false => Ok(Command::OpenPane(info.pane, !is_open)),
    };
    let detail = if is_here { String::new() } else { format!("{} tab", tab.name()) };
    Choice {
        heading: if is_here { "" } else { tab.name() },
        name: info.title.to_owned(),
        detail,
        hint: info.help.to_owned(),
        is_on: is_here.then_some(is_open),
        given,
    }
}
