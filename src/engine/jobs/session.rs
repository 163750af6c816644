//! Jobs that read and write session files.

use std::marker::PhantomData;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::data::{DataError, KnownFile};
use crate::engine::job::{Failure, Job, Task, Worker};
use crate::engine::session::{Located, Part, Session};

/// Reads a session and looks for the files that it names. `V` is what the window keeps in it.
#[derive(Debug)]
pub struct ReadSession<V> {
    path: PathBuf,
    view: PhantomData<fn() -> V>,
}

impl<V> ReadSession<V> {
    /// The session in the file at `path`.
    pub fn new(path: PathBuf) -> Self {
        Self { path, view: PhantomData }
    }
}

impl<V: DeserializeOwned + Send + 'static> Job for ReadSession<V> {
    type Answer = Located<V>;
    const WORKER: Worker = Worker::Files;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, task: &mut Task<'_>) -> Result<Self::Answer, Failure> {
        // Before it is read: what others write in between is noticed when the session is saved.
        let file = KnownFile::as_it_is(self.path.clone())?;
        let located = Session::read(&self.path)?.locate(&Part::ALL, task)?;
        Ok(Located { file: Some(file), ..located })
    }
}

/// Looks again for what a session lacks, after the user has found one of its files.
#[derive(Debug)]
pub struct FindFiles<V> {
    /// The session.
    pub session: Session<V>,
    /// The parts that lack a file.
    pub parts: Vec<Part>,
    /// Where the file was.
    pub from: PathBuf,
    /// Where it is.
    pub to: PathBuf,
}

impl<V: Send + 'static> Job for FindFiles<V> {
    type Answer = Located<V>;
    const WORKER: Worker = Worker::Files;

    fn file(&self) -> Option<PathBuf> {
        Some(self.to.clone())
    }

    fn run(mut self, task: &mut Task<'_>) -> Result<Self::Answer, Failure> {
        self.session.moved(&self.parts, &self.from, &self.to);
        self.session.locate(&self.parts, task)
    }
}

/// What is said of a session that another program has changed.
const CHANGED: &str = "Another program has changed the session since it was opened or saved here, so it was not saved. Save it under another \
                       name; or save it once more to replace it, which keeps their version with the ending .bak.";

/// Writes a session with the fingerprints of its files, and with paths relative to it where possible. The answer is what is
/// known of the file then.
#[derive(Debug)]
pub struct SaveSession<V> {
    /// The path of the session.
    pub path: PathBuf,
    /// What is known of the file; `None` if it was neither opened nor saved here, so that whatever it has is replaced.
    pub known: Option<KnownFile>,
    /// The session, with absolute paths.
    pub session: Session<V>,
}

impl<V: Serialize + Send + 'static> Job for SaveSession<V> {
    type Answer = KnownFile;
    const WORKER: Worker = Worker::Compute;
    const OUTLIVES_WINDOW: bool = true;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(mut self, task: &mut Task<'_>) -> Result<KnownFile, Failure> {
        self.session.record(task)?;
        self.session.relate(&self.path);
        let mut file = self.known.map_or_else(|| KnownFile::as_it_is(self.path), Ok)?;
        file.save(&self.session.to_json()?).map_err(|error| match error {
            DataError::ChangedByOthers { .. } => Failure::Failed(CHANGED.to_owned()),
            error => error.into(),
        })?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Map, Value};

    use super::*;
    use crate::engine::job::Opened;
    use crate::engine::session::{NamedFile, SessionImage, SessionTruth};

    fn done<J: Job>(job: J) -> Result<J::Answer, Failure> {
        let mut opened: Opened = None;
        job.run(&mut Task { ticket: 1, progress: &|_, _| (), is_cancelled: &|| false, opened: &mut opened })
    }

    fn read(path: &Path) -> Located<Map<String, Value>> {
        done(ReadSession::new(path.to_owned())).expect("a session")
    }

    fn image(located: &mut Located<Map<String, Value>>) -> PathBuf {
        located.session.files_mut(Part::Image)[0].path.clone()
    }

    #[test]
    fn a_session_that_others_have_changed_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("case.himix");
        let save = |known, tab: &str| {
            let mut view = Map::new();
            view.insert("tab".into(), tab.into());
            done(SaveSession { path: path.clone(), known, session: Session::new(view) })
        };
        let first = save(None, "read").expect("saved");
        let opened = read(&path).file;
        assert_eq!(opened.as_ref().and_then(KnownFile::content), first.content());
        let second = save(opened, "train").expect("it is as it was");
        let backup = std::fs::read_to_string(folder.path().join("case.himix.bak")).expect("the version before");
        assert!(backup.contains("read") && !backup.contains("train"));
        std::fs::write(&path, "theirs").expect("written");
        let message = save(Some(second), "stages").map(drop).expect_err("refused").message().unwrap_or_default();
        assert!(message.contains("changed the session") && message.contains(".bak"), "{message}");
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), "theirs");
        save(None, "stages").expect("replaced");
    }

    #[test]
    fn a_folder_with_its_session_can_be_moved() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().canonicalize().expect("a path");
        let old = home.join("old");
        std::fs::create_dir_all(old.join("masks")).expect("a folder");
        std::fs::write(old.join("chest.png"), "image").expect("written");
        std::fs::write(old.join("masks/mask.png"), "mask").expect("written");
        let mut session = Session::new(Map::new());
        let files = |name: &str| vec![NamedFile::new(old.join(name))];
        session.image = Some(SessionImage { files: files("chest.png"), ..SessionImage::default() });
        session.truth = Some(SessionTruth { files: files("masks/mask.png"), ..SessionTruth::default() });
        let path = old.join("case.himix");
        done(SaveSession { path, known: None, session }).expect("saved");
        std::fs::rename(&old, home.join("new")).expect("moved");
        let mut located = read(&home.join("new/case.himix"));
        assert_eq!((located.lost.as_slice(), located.changed.as_slice()), (&[][..], &[][..]));
        assert_eq!(image(&mut located), home.join("new/chest.png"));
        // The session alone is moved, and the image is another one.
        std::fs::write(home.join("new/chest.png"), "another").expect("written");
        std::fs::rename(home.join("new/case.himix"), home.join("case.himix")).expect("moved");
        let located = read(&home.join("case.himix"));
        let from = home.join("chest.png");
        assert_eq!((located.lost.len(), &located.lost[0].path), (2, &from));
        let (parts, to) = (located.lost.iter().map(|lost| lost.part).collect(), home.join("new/chest.png"));
        let mut found =
            done(FindFiles { session: located.session, parts, from, to: to.clone() }).expect("looked for");
        assert_eq!((found.lost.as_slice(), found.changed.as_slice()), (&[][..], &[(Part::Image, to.clone())][..]));
        assert_eq!(image(&mut found), to);
    }
}
