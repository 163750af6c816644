//! The thread that makes thumbnails of the visible part of a list, the newest request first.

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

/// The maximum memory for reading one image for its thumbnail.
const LIMIT: Limit = Limit(512 << 20);

/// A request for thumbnails of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThumbnailRequest {
    /// The ticket of the list.
    pub list: Ticket,
    /// The index in the list, the file and the files of a series, in the order in which the thumbnails are made.
    pub wanted: Vec<(usize, PathBuf, Vec<PathBuf>)>,
    /// The longest side in pixels.
    pub side: usize,
    /// How the orientation stored in an image is handled.
    pub orientation: Orientation,
}

pub(super) struct Thumbnails {
    pub(super) requests: LatestSlot<ThumbnailRequest>,
    quit: Option<Sender<()>>,
}

impl Thumbnails {
    /// Starts the thread `himix-thumbnails`.
    ///
    /// # Errors
    /// The thread could not be started.
    pub(super) fn start(out: EventSender) -> io::Result<Self> {
        let requests = LatestSlot::<ThumbnailRequest>::default();
        let (quit, quit_in) = bounded(0);
        let slot = requests.clone();
        Builder::new().name("himix-thumbnails".into()).spawn(move || make(&slot, &quit_in, &out))?;
        Ok(Self { requests, quit: Some(quit) })
    }

    /// Ends the thread after the current image.
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
                    // After further scrolling, the remaining thumbnails are not needed any more.
                    control = requests.take().or(Some(ThumbnailRequest { list, wanted, side, orientation }));
                }
            }
        }
    }
}
