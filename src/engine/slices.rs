//! The thread that prepares slices of a stack for the screen: first the requested slice, then those in the
//! direction of scrolling.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded, select};

use super::display::DisplayPixels;
use super::guard::guarded;
use super::job::Ticket;
use super::slot::LatestSlot;
use super::wake::Wake;
use crate::data::volume::Window;
use crate::data::{Image, Mask, Pixels, Truth, Volume};

/// The maximum memory for prepared slices in bytes. The requested slice is prepared whatever its size.
const LIMIT: usize = 128 << 20;
/// The numbers of slices that are prepared in the direction of scrolling and in the opposite direction.
const AHEAD: usize = 12;
const BEHIND: usize = 4;

/// A request for a slice. A newer request replaces one that is still waiting.
#[derive(Clone, Debug)]
pub struct SliceRequest {
    /// The ticket of the image.
    pub image: Ticket,
    /// The volume with all slices.
    pub volume: Arc<Volume>,
    /// The ground truth.
    pub truth: Option<Arc<Truth>>,
    /// The index of the slice, counted from 0.
    pub slice: usize,
    /// The longest side of a texture in pixels.
    pub texture_limit: usize,
}

/// A slice prepared for the window.
#[derive(Clone, Debug)]
pub struct PreparedSlice {
    /// The slice with mapped values.
    pub image: Arc<Image>,
    /// The pixels for the screen.
    pub display: DisplayPixels,
    /// The window from the smallest to the largest value.
    pub full: Window,
    /// The mask of the ground truth; `None` if there is none for this slice.
    pub mask: Option<Arc<Mask>>,
    /// The ground truth from which the mask was taken.
    truth: Option<Arc<Truth>>,
    bytes: usize,
}

impl PreparedSlice {
    fn new(request: &SliceRequest, slice: usize) -> Self {
        let image = request.volume.slice(slice);
        let display = DisplayPixels::of(&image, request.texture_limit).with_reduced();
        let sample = match &image.pixels {
            Pixels::U8(_) => 1,
            Pixels::U16(_) => 2,
            Pixels::F32(_) => 4,
        };
        let full = request.volume.full_range(&image);
        let bytes = sample * image.pixels.len() + display.byte_count();
        Self { image: Arc::new(image), display, full, mask: None, truth: None, bytes }
            .compared_with(request, slice)
    }

    /// Returns the slice with the mask of the ground truth in `request`.
    fn compared_with(self, request: &SliceRequest, slice: usize) -> Self {
        let mask = request.truth.as_ref().and_then(|truth| truth.mask(slice));
        Self { mask, truth: request.truth.clone(), ..self }
    }

    fn is_compared_with(&self, truth: Option<&Arc<Truth>>) -> bool {
        match (&self.truth, truth) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        }
    }

    fn bytes(&self) -> usize {
        self.bytes + self.mask.as_ref().map_or(0, |mask| mask.values.len())
    }
}

/// The prepared slices of one image.
#[derive(Default)]
struct Store {
    image: Ticket,
    slices: BTreeMap<usize, PreparedSlice>,
}

impl Store {
    fn get(&self, image: Ticket, slice: usize, truth: Option<&Arc<Truth>>) -> Option<PreparedSlice> {
        let found = self.slices.get(&slice).filter(|_| self.image == image)?;
        found.is_compared_with(truth).then(|| found.clone())
    }

    fn bytes(&self) -> usize {
        self.slices.values().map(PreparedSlice::bytes).sum()
    }

    /// Selects the image whose slices are stored, and discards the slices of another image.
    fn open(&mut self, image: Ticket) {
        if self.image != image {
            *self = Self { image, slices: BTreeMap::new() };
        }
    }

    /// Stores a slice. If all slices take more than `limit` bytes, those farthest from `wanted` are discarded.
    fn put(&mut self, image: Ticket, slice: usize, prepared: PreparedSlice, wanted: usize, limit: usize) {
        // The image may have been closed while the slice was prepared.
        if self.image != image {
            return;
        }
        self.slices.insert(slice, prepared);
        while self.bytes() > limit && self.slices.len() > 1 {
            let farthest = self.slices.keys().copied().max_by_key(|slice| slice.abs_diff(wanted));
            farthest.and_then(|slice| self.slices.remove(&slice));
        }
    }
}

/// The engine's handle to the thread, which ends when the handle is dropped.
pub(super) struct Slices {
    requests: LatestSlot<SliceRequest>,
    store: Arc<Mutex<Store>>,
    /// Dropping the sender ends the thread.
    _quit: Sender<()>,
}

impl Slices {
    /// Starts the thread `himix-slices`. `wake` is called when a requested slice is ready.
    ///
    /// # Errors
    /// The thread could not be started.
    pub(super) fn start(wake: Wake) -> io::Result<Self> {
        let requests = LatestSlot::<SliceRequest>::default();
        let store = Arc::<Mutex<Store>>::default();
        let (quit, quit_in) = bounded(0);
        let (requests_in, store_in) = (requests.clone(), store.clone());
        Builder::new()
            .name("himix-slices".into())
            .spawn(move || run(&requests_in, &store_in, &quit_in, &wake, LIMIT))?;
        Ok(Self { requests, store, _quit: quit })
    }

    /// Requests a slice.
    pub(super) fn prepare(&self, request: SliceRequest) {
        lock(&self.store).open(request.image);
        self.requests.put(request);
    }

    /// Discards all slices, including those that are being prepared.
    pub(super) fn forget(&self) {
        self.requests.take();
        *lock(&self.store) = Store::default();
    }

    /// Returns a slice if it is prepared with the mask of `truth`.
    pub(super) fn get(&self, image: Ticket, slice: usize, truth: Option<&Arc<Truth>>) -> Option<PreparedSlice> {
        lock(&self.store).get(image, slice, truth)
    }
}

fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    // A slice is inserted in one step, so that a poisoned lock contains no partial value.
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(requests: &LatestSlot<SliceRequest>, store: &Mutex<Store>, quit: &Receiver<()>, wake: &Wake, limit: usize) {
    // The image and slice of the last request, and whether the user scrolls towards higher indices.
    let (mut last, mut is_forward) = ((0, 0), true);
    loop {
        select! {
            recv(quit) -> _ => return,
            recv(requests.arrivals()) -> _ => {
                let mut next = requests.take();
                while let Some(request) = next.take() {
                    if last.0 == request.image && last.1 != request.slice {
                        is_forward = request.slice > last.1;
                    }
                    last = (request.image, request.slice);
                    let mut is_first = true;
                    for slice in order(&request, is_forward, size_of(store), limit) {
                        // A slice that fails is not stored. Its request gets no image, but the program continues.
                        let _ = guarded(|| prepare(&request, slice, store, limit));
                        if std::mem::take(&mut is_first) {
                            wake();
                        }
                        if !matches!(quit.try_recv(), Err(TryRecvError::Empty)) {
                            return;
                        }
                        next = requests.take();
                        if next.is_some() {
                            break;
                        }
                    }
                }
            }
        }
    }
}

/// The memory that one prepared slice takes in bytes; 0 if it is unknown.
fn size_of(store: &Mutex<Store>) -> usize {
    lock(store).slices.values().map(PreparedSlice::bytes).max().unwrap_or(0)
}

/// The slices to prepare, as many as fit: the requested one, then its neighbours, most of them in the direction of
/// scrolling.
fn order(request: &SliceRequest, is_forward: bool, bytes: usize, limit: usize) -> Vec<usize> {
    let (slice, count) = (request.slice, request.volume.slices);
    let up = (slice + 1)..count;
    let down = (0..slice).rev();
    let neighbours: Vec<usize> = match is_forward {
        true => up.take(AHEAD).chain(down.take(BEHIND)).collect(),
        false => down.take(AHEAD).chain(up.take(BEHIND)).collect(),
    };
    let room = limit.checked_div(bytes).map_or(neighbours.len(), |room| room.saturating_sub(1));
    std::iter::once(slice).chain(neighbours.into_iter().take(room)).collect()
}

fn prepare(request: &SliceRequest, slice: usize, store: &Mutex<Store>, limit: usize) {
    let known = {
        let store = lock(store);
        if store.image != request.image {
            return;
        }
        store.slices.get(&slice).cloned()
    };
    let prepared = match known {
        Some(known) if known.is_compared_with(request.truth.as_ref()) => return,
        Some(known) => known.compared_with(request, slice),
        None => PreparedSlice::new(request, slice),
    };
    lock(store).put(request.image, slice, prepared, request.slice, limit);
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::data::volume::StoredPixels;

    fn request(image: Ticket, slice: usize, slices: usize) -> SliceRequest {
        let values = (0..slices * 4).map(|at| (at / 4) as u8).collect();
        let volume = Arc::new(Volume::plain(2, 2, slices, StoredPixels::U8(values)));
        SliceRequest { image, volume, truth: None, slice, texture_limit: 64 }
    }

    #[test]
    fn slices_follow_in_the_direction_of_scrolling() {
        let request = request(1, 20, 40);
        let forward = order(&request, true, 0, LIMIT);
        assert_eq!((&forward[..3], forward.len()), (&[20, 21, 22][..], 1 + AHEAD + BEHIND));
        assert_eq!(forward[1 + AHEAD..], [19, 18, 17, 16]);
        assert_eq!(order(&request, false, 0, LIMIT)[..3], [20, 19, 18]);
        assert_eq!(order(&request, true, 10, 35), [20, 21, 22], "three of them fit");
        assert_eq!(order(&request, true, 40, 35), [20], "the one that is asked for is prepared anyhow");
    }

    #[test]
    fn the_memory_of_prepared_slices_is_bounded() {
        let (request, store) = (request(1, 20, 40), Mutex::new(Store::default()));
        lock(&store).open(1);
        let bytes = PreparedSlice::new(&request, 20).bytes();
        for slice in [20, 21, 22, 23, 19] {
            prepare(&request, slice, &store, 3 * bytes);
        }
        let store = lock(&store);
        assert_eq!(store.slices.keys().copied().collect::<Vec<_>>(), [19, 20, 21], "the farthest are forgotten");
        assert!(store.bytes() <= 3 * bytes);
    }

    #[test]
    fn what_was_prepared_for_another_image_or_ground_truth_is_not_shown() {
        let (request, store) = (request(1, 1, 3), Mutex::new(Store::default()));
        lock(&store).open(1);
        prepare(&request, 1, &store, LIMIT);
        let shown = lock(&store).get(1, 1, None).expect("it is prepared");
        assert_eq!(shown.image.pixels, Pixels::U8(vec![1; 4]));
        assert!(lock(&store).get(2, 1, None).is_none(), "another image");
        let mask = Mask { width: 2, height: 2, values: vec![1; 4] };
        let truth = Arc::new(Truth::of_mask(PathBuf::from("truth"), &mask));
        assert!(lock(&store).get(1, 1, Some(&truth)).is_none(), "nothing is known of the ground truth");
        let compared = SliceRequest { truth: Some(truth.clone()), slice: 0, ..request.clone() };
        prepare(&compared, 0, &store, LIMIT);
        let shown = lock(&store).get(1, 0, Some(&truth)).expect("it is prepared");
        assert_eq!(shown.mask.as_deref(), Some(&mask));
        lock(&store).open(2);
        prepare(&request, 1, &store, LIMIT);
        assert!(lock(&store).slices.is_empty(), "slices of the image before are forgotten");
    }

    #[test]
    fn the_newest_request_is_answered_and_its_neighbours_are_prepared() {
        let (woken, wakes) = bounded(64);
        let wake: Wake = Arc::new(move || {
            let _ = woken.try_send(());
        });
        let slices = Slices::start(wake).expect("a thread starts");
        slices.prepare(request(1, 3, 40));
        slices.prepare(request(1, 30, 40));
        let start = Instant::now();
        while slices.get(1, 29, None).is_none() || slices.get(1, 31, None).is_none() {
            assert!(start.elapsed() < Duration::from_secs(10), "the neighbours are prepared");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(slices.get(1, 30, None).is_some() && wakes.try_recv().is_ok());
        slices.forget();
        assert!(slices.get(1, 30, None).is_none(), "a closed image takes no memory");
    }
}
