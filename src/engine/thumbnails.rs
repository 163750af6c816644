//! The thread that makes thumbnails: of what is seen now, the newest request first.

use std::io;
use std::path::PathBuf;
use std::thread::Builder;

use crossbeam_channel::{Receiver, Sender, bounded, select};

use super::display::DisplayPixels;
use super::event::Event;
use super::event_sender::EventSender;
use super::guard::guarded;
use super::job::Ticket;
use super::slot::LatestSlot;
use crate::data::{Limit, Orientation, worklist};

/// Memory that one picture may take for the sake of its thumbnail.
const LIMIT: Limit = Limit(512 << 20);

/// Asks for thumbnails of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThumbnailRequest {
    /// Names the list.
    pub list: Ticket,
    /// Place in the list, file, files of a series; the first is made first.
    pub wanted: Vec<(usize, PathBuf, Vec<PathBuf>)>,
    /// Longest side, pixels.
    pub side: usize,
    /// What is done about the orientation that a picture gives.
    pub orientation: Orientation,
}

pub(super) struct Thumbnails {
    pub(super) requests: LatestSlot<ThumbnailRequest>,
    quit: Option<Sender<()>>,
}

impl Thumbnails {
    /// Starts the thread `himix-thumbnails`.
    pub(super) fn start(out: EventSender) -> io::Result<Self> {
        let requests = LatestSlot::<ThumbnailRequest>::default();
        let (quit, quit_in) = bounded(0);
        let slot = requests.clone();
        Builder::new().name("himix-thumbnails".into()).spawn(move || make(&slot, &quit_in, &out))?;
        Ok(Self { requests, quit: Some(quit) })
    }

    /// Ends the thread after the picture that it is at.
    pub(super) fn end(&mut self) {
        self.requests.take();
        self.quit = None;
    }
}

fn make(requests: &LatestSlot<ThumbnailRequest>, quit: &Receiver<()>, out: &EventSender) {
    loop {
        select! {
            recv(quit) -> _ => return,
            recv(requests.arrivals()) -> _ => {
                let mut control = requests.take();
                while let Some(ThumbnailRequest { list, mut wanted, side, orientation }) = control {
                    if wanted.is_empty() {
                        control = requests.take();
                        continue;
                    }
                    let (place, path, files) = wanted.remove(0);
                    let read = || worklist::thumbnail(&path, &files, side, LIMIT, orientation).ok();
                    let made = guarded(read).unwrap_or_default();
                    let picture = made.map(|image| DisplayPixels::of(&image, side));
                    out.send(Event::Thumbnail { list, place, picture });
                    if !matches!(quit.try_recv(), Err(crossbeam_channel::TryRecvError::Empty)) {
                        return;
                    }
                    // Who scrolls on is not interested in what went by.
                    control = requests.take().or(Some(ThumbnailRequest { list, wanted, side, orientation }));
                }
            }
        }
    }
}
