//! Jobs about annotations: their journals, and the files in which they are saved.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::annotate::journal::{
    self, Header, ImageIdentity, JournalFile, JournalState, OpenedJournal, Record, Replayed, SavedIn, Seal,
};
use crate::annotate::{Annotation, Source, file_name};
use crate::data::{DataError, KnownFile, Limit, fingerprint};
use crate::engine::job::{Failure, Job, Task, Worker};
use crate::engine::session::image_files;
use crate::text::capitalised;

/// The journal of a case, which the storage thread writes. `None` once the case was closed.
pub type SharedJournal = Arc<Mutex<Option<JournalFile>>>;

/// Finds out which image this is, from its place and its content.
#[derive(Debug)]
pub struct IdentifyImage {
    /// Where the image comes from.
    pub source: Source,
    /// The numbers of columns, rows and slices.
    pub shape: [usize; 3],
}

impl Job for IdentifyImage {
    type Answer = ImageIdentity;
    const WORKER: Worker = Worker::Files;

    fn run(self, task: &mut Task<'_>) -> Result<ImageIdentity, Failure> {
        let (path, files) = match self.source {
            Source::Sample(sample) => return Ok(ImageIdentity::of_sample(sample.title, self.shape)),
            Source::Files(path, files) if files.is_empty() => (path.clone(), image_files(&path)),
            Source::Files(path, files) => (path, files),
        };
        if files.is_empty() {
            return Err(DataError::Missing { path }.into());
        }
        let content = |file: &PathBuf| fingerprint::of_file(file, &|_| !task.is_cancelled());
        let contents: Vec<String> = files.iter().map(content).collect::<Result<_, DataError>>()?;
        Ok(ImageIdentity::of_file(&path, ImageIdentity::of_contents(&contents), self.shape))
    }
}

/// Opens the journal of an image.
#[derive(Debug)]
pub struct OpenJournal {
    /// The folder of the journals.
    pub folder: PathBuf,
    /// The image.
    pub image: ImageIdentity,
    /// What the window knows of the journal if it could not be written before: the checksum of its last record, which is
    /// the default if it had none. A journal with another content is kept aside. `None` at the first try.
    pub known: Option<Seal>,
}

/// A journal that was opened.
#[derive(Debug)]
pub struct CaseOpened {
    /// The journal, or why it is not written.
    pub journal: Result<SharedJournal, journal::Refusal>,
    /// Its content; `None` if there is none.
    pub content: Option<Replayed>,
    /// A journal that was kept aside.
    pub aside: Option<PathBuf>,
    /// The journal of another content that was in the same place.
    pub former: Option<PathBuf>,
}

impl Job for OpenJournal {
    type Answer = CaseOpened;
    const WORKER: Worker = Worker::Storage;

    fn run(self, _: &mut Task<'_>) -> Result<CaseOpened, Failure> {
        // What was annotated here must come back, whatever memory it takes.
        let OpenedJournal { journal, content, mut aside, former } =
            journal::open(&self.folder, self.image, Limit(u64::MAX));
        let found = content.as_ref().map_or_else(Seal::default, |content| content.seal);
        let journal = match journal {
            Ok(mut journal) => {
                if self.known.is_some_and(|known| known != found) && content.is_some() {
                    aside = Some(journal.copy_aside()?);
                }
                Ok(Arc::new(Mutex::new(Some(journal))))
            }
            Err(refusal) => Err(refusal),
        };
        Ok(CaseOpened { journal, content, aside, former })
    }
}

/// Appends records to a journal. The answer acknowledges that they are on the disk. A journal that is closed with them gives
/// up the lock of its case.
#[derive(Debug)]
pub struct AppendToJournal {
    /// The journal.
    pub journal: SharedJournal,
    /// The records, in their order.
    pub records: Vec<Record>,
    /// The annotation after them.
    pub state: JournalState,
}

impl Job for AppendToJournal {
    type Answer = ();
    const WORKER: Worker = Worker::Storage;
    const OUTLIVES_WINDOW: bool = true;

    fn run(self, _: &mut Task<'_>) -> Result<(), Failure> {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = journal.as_mut() else { return Err(Failure::Cancelled) };
        open.append(&self.records, &self.state)?;
        if self.records.last() == Some(&Record::Closed) {
            *journal = None;
        }
        Ok(())
    }
}

/// What became of an annotation that was to be saved.
#[derive(Debug)]
pub enum AnnotationSaved {
    /// It was saved. This is what is known of the file now.
    Written(KnownFile),
    /// Another program has changed the file, which was left as it is.
    ChangedByOthers,
}

/// Saves an annotation in a file of its own.
#[derive(Debug)]
pub struct SaveAnnotation {
    /// The file, and what is known of it.
    pub file: KnownFile,
    /// Whether the user wants to replace whatever the file has now.
    pub replaces: bool,
    /// The image.
    pub image: ImageIdentity,
    /// The annotation.
    pub annotation: Annotation,
}

impl Job for SaveAnnotation {
    type Answer = AnnotationSaved;
    const WORKER: Worker = Worker::Storage;
    const OUTLIVES_WINDOW: bool = true;

    fn file(&self) -> Option<PathBuf> {
        Some(self.file.path().to_owned())
    }

    fn run(mut self, _: &mut Task<'_>) -> Result<AnnotationSaved, Failure> {
        if self.replaces {
            self.file = KnownFile::as_it_is(self.file.path().to_owned())?;
        }
        // The file goes to other people: it says neither where it lies itself nor where the image does.
        let mut header = self.image.header(None);
        header.image = file_name(Path::new(&header.image));
        let content = journal::file_content(&header, &self.annotation, false);
        let (bytes, _) = content.map_err(|error| format!("The annotation could not be saved ({error})."))?;
        match self.file.save(&bytes) {
            Ok(()) => Ok(AnnotationSaved::Written(self.file)),
            Err(DataError::ChangedByOthers { .. }) => Ok(AnnotationSaved::ChangedByOthers),
            Err(error) => Err(error.into()),
        }
    }
}

/// Reads an annotation that was saved in a file, for an image of this shape.
#[derive(Debug)]
pub struct ReadAnnotation {
    /// The path of the file.
    pub path: PathBuf,
    /// The numbers of columns, rows and slices of the image.
    pub shape: [usize; 3],
    /// The memory that its masks may take.
    pub limit: Limit,
}

/// An annotation that was read.
#[derive(Debug)]
pub struct AnnotationRead {
    /// The image on which it was made.
    pub header: Header,
    /// The annotation.
    pub annotation: Annotation,
    /// The file; `None` if its path is not Unicode.
    pub file: Option<SavedIn>,
    /// Whether the file is damaged, so that only the part before the damage was read.
    pub is_damaged: bool,
}

impl Job for ReadAnnotation {
    type Answer = AnnotationRead;
    const WORKER: Worker = Worker::Files;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<AnnotationRead, Failure> {
        let bytes = journal::read(&self.path)?;
        let read = journal::replay(&bytes, self.shape, self.limit);
        let Replayed { header, annotation, tail, .. } = read.map_err(|error| sentence(&error.to_string()))?;
        let file = SavedIn::new(&self.path, &fingerprint::of_bytes(&bytes));
        Ok(AnnotationRead { header, annotation, file, is_damaged: tail != journal::Tail::None })
    }
}

/// Makes a sentence of an error: with a capital and a full stop.
fn sentence(text: &str) -> String {
    format!("{}.", capitalised(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotate::{Combine, Label, Origin, Region, Rules};
    use crate::engine::job::Opened;

    const SHAPE: [usize; 3] = [4, 3, 2];

    fn done<J: Job>(job: J) -> Result<J::Answer, Failure> {
        let mut opened: Opened = None;
        job.run(&mut Task { ticket: 1, progress: &|_, _| (), is_cancelled: &|| false, opened: &mut opened })
    }

    fn annotation(name: &str) -> Annotation {
        let mut annotation = Annotation::new(SHAPE);
        let (id, edit) = annotation.add_label(Label::new(name, [1, 2, 3])).expect("a new name");
        annotation.apply(&[edit]).expect("it fits");
        let region = Region::new([1, 1], [2, 2], vec![1, 0, 1, 1]);
        let edits = annotation.paint(id, 1, &region, Combine::Add, &Rules::default(), &Origin::Drawn);
        annotation.apply(&edits.expect("not locked")).expect("it fits");
        annotation
    }

    fn identified(path: &Path) -> ImageIdentity {
        let source = Source::Files(path.to_owned(), Vec::new());
        done(IdentifyImage { source, shape: SHAPE }).expect("identified")
    }

    #[test]
    fn an_annotation_is_saved_and_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let [image, path] = ["chest.png", "chest.himixa"].map(|name| folder.path().join(name));
        std::fs::write(&image, "pixels").expect("written");
        let save = |file, replaces, name: &str| {
            let job = SaveAnnotation { file, replaces, image: identified(&image), annotation: annotation(name) };
            done(job).expect("an answer")
        };
        let AnnotationSaved::Written(file) = save(KnownFile::with_content(path.clone(), None), true, "lesion")
        else {
            panic!("there was no file")
        };
        let read = |shape| done(ReadAnnotation { path: path.clone(), shape, limit: Limit::default() });
        let found = read(SHAPE).expect("an annotation");
        let label = found.annotation.named("lesion").expect("its label");
        let expected = annotation("lesion");
        assert_eq!(found.annotation.mask(label, 1), expected.mask(expected.named("lesion").expect("a label"), 1));
        assert!(!found.is_damaged && found.header.image == "chest.png", "{:?}", found.header);
        assert_eq!(found.file.map(|file| file.content).as_deref(), file.content());
        let other = read([4, 3, 1]).map(drop).expect_err("another shape").message().unwrap_or_default();
        assert!(other.starts_with("The annotation is of an image with 4×3×2 pixels (chest.png)"), "{other}");

        std::fs::write(&path, "theirs").expect("written");
        assert!(matches!(save(file.clone(), false, "polyp"), AnnotationSaved::ChangedByOthers));
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), "theirs");
        let message = read(SHAPE).map(drop).expect_err("no annotation").message().unwrap_or_default();
        assert!(message.starts_with("This is not an annotation of HiMix"), "{message}");
        assert!(matches!(save(file, true, "polyp"), AnnotationSaved::Written(_)));
        assert!(read(SHAPE).expect("an annotation").annotation.named("polyp").is_some());
        let backup = folder.path().join("chest.himixa.bak");
        assert_eq!(std::fs::read_to_string(backup).expect("their version"), "theirs");
    }

    #[test]
    fn an_image_is_known_by_its_place_and_its_content() {
        let folder = tempfile::tempdir().expect("a folder");
        let [a, b, other] = ["a.png", "b.png", "other.png"].map(|name| folder.path().join(name));
        std::fs::write(&a, "pixels").expect("written");
        std::fs::write(&b, "pixels").expect("written");
        std::fs::write(&other, "others").expect("written");
        let stems = [&a, &b, &other].map(|path| identified(path).stem());
        let content = |stem: &str| stem.split_once('-').map(|(_, content)| content.to_owned());
        assert_eq!(content(&stems[0]), content(&stems[1]), "a copy");
        assert!(stems[0] != stems[1] && content(&stems[0]) != content(&stems[2]));
        let series = |files: &[&PathBuf]| {
            let files = files.iter().map(|file| (*file).clone()).collect();
            done(IdentifyImage { source: Source::Files(a.clone(), files), shape: SHAPE }).expect("identified")
        };
        assert_ne!(series(&[&a, &other]).stem(), series(&[&a, &b]).stem());
        let missing =
            IdentifyImage { source: Source::Files(folder.path().join("none"), Vec::new()), shape: SHAPE };
        assert!(done(missing).is_err());
    }
}
