//! Finds the files that a session names, and says which are gone and whose content has changed.

use std::path::{Path, PathBuf};

use super::{Part, Session};
use crate::data::paths::{canonical, plain, way};
use crate::data::{DataError, KnownFile, fingerprint};
use crate::engine::job::{Failure, Task};

/// The files of a model bundle, besides its weights.
const BUNDLE: [&str; 3] = ["config.json", "vocab.txt", "tokenizer.json"];
/// The extensions of weights.
const WEIGHTS: [&str; 4] = ["safetensors", "ckpt", "pt", "pth"];

/// A session whose files were looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<V> {
    /// The session, with absolute paths.
    pub session: Session<V>,
    /// The parts that lack a file, in the order of [`Part::ALL`].
    pub lost: Vec<Lost>,
    /// The file of the session; `None` if it was not read from one just now.
    pub file: Option<KnownFile>,
    /// The files whose content is not what it was.
    pub changed: Vec<(Part, PathBuf)>,
}

/// A part of a session that lacks a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The part.
    pub part: Part,
    /// The first file that is not where the session says.
    pub path: PathBuf,
    /// The number of such files.
    pub count: usize,
}

impl<V> Session<V> {
    /// Looks for the files of these parts and compares their content with what it was.
    pub(in crate::engine) fn locate(mut self, parts: &[Part], task: &Task<'_>) -> Result<Located<V>, Failure> {
        let (mut lost, mut present) = (Vec::new(), Vec::new());
        for part in Part::ALL.into_iter().filter(|part| parts.contains(part)) {
            let files = self.files_mut(part);
            let gone: Vec<&Path> =
                files.iter().map(|file| file.path.as_path()).filter(|path| !stored(path).0.exists()).collect();
            if let Some(first) = gone.first() {
                lost.push(Lost { part, path: (*first).to_owned(), count: gone.len() });
            } else {
                present.extend(
                    files.into_iter().filter_map(|file| Some((part, file.path.clone(), file.hash.clone()?))),
                );
            }
        }
        let paths: Vec<(Part, &Path)> = present.iter().map(|(part, path, _)| (*part, path.as_path())).collect();
        let hashes = fingerprints(&paths, task)?;
        let differs = |(_, hash): &(_, Option<String>)| hash.is_some();
        let changed =
            present.iter().zip(hashes).filter(differs).filter(|((.., was), is)| Some(was) != is.as_ref());
        let changed = changed.map(|((part, path, _), _)| (*part, path.clone())).collect();
        Ok(Located { session: self, lost, file: None, changed })
    }

    /// Records the fingerprints of all files. Those that cannot be read keep the one that they had.
    pub(in crate::engine) fn record(&mut self, task: &Task<'_>) -> Result<(), Failure> {
        for part in Part::ALL {
            let mut files = self.files_mut(part);
            let paths: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
            let paths: Vec<(Part, &Path)> = paths.iter().map(|path| (part, path.as_path())).collect();
            for (file, hash) in files.iter_mut().zip(fingerprints(&paths, task)?) {
                file.hash = hash.or(file.hash.take());
            }
        }
        Ok(())
    }

    /// Takes `to` in place of the file `from`. Other files of these parts that are not where the session says are
    /// looked for where they would have moved together with it.
    pub(in crate::engine) fn moved(&mut self, parts: &[Part], from: &Path, to: &Path) {
        for part in parts {
            for file in self.files_mut(*part) {
                let (path, stack) = stored(&file.path);
                if path.exists() {
                    continue;
                }
                let found = if file.path == from || path == from {
                    Some(to.to_owned())
                } else {
                    beside(&path, from, to).filter(|path| path.exists())
                };
                if let Some(found) = found {
                    file.path = with_stack(found, stack.as_deref());
                }
            }
        }
    }
}

/// Where `path` is now if it has moved together with `from`, which is at `to`.
fn beside(path: &Path, from: &Path, to: &Path) -> Option<PathBuf> {
    let way = way(from.parent()?, path)?;
    Some(plain(&canonical(to.parent()?).join(way)))
}

/// Splits a path from the number of a stack behind it, as in `study#2`, unless it exists as it is.
fn stored(path: &Path) -> (PathBuf, Option<String>) {
    let split = || {
        let (name, number) = path.file_name()?.to_str()?.rsplit_once('#')?;
        let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
        (is_number && !path.exists()).then(|| (path.with_file_name(name), Some(number.to_owned())))
    };
    split().unwrap_or_else(|| (path.to_owned(), None))
}

fn with_stack(path: PathBuf, stack: Option<&str>) -> PathBuf {
    match (stack, path.file_name().and_then(|name| name.to_str())) {
        (Some(number), Some(name)) => path.with_file_name(format!("{name}#{number}")),
        _ => path,
    }
}

/// The fingerprints of files, and of folders by their files; `None` for what cannot be read. Only regular files are
/// read, because a session may come from anywhere.
fn fingerprints(paths: &[(Part, &Path)], task: &Task<'_>) -> Result<Vec<Option<String>>, Failure> {
    let contents: Vec<Vec<PathBuf>> = paths.iter().map(|(part, path)| contents(*part, path)).collect();
    let size = |path: &PathBuf| std::fs::metadata(path).map_or(0, |data| data.len());
    let total: u64 = contents.iter().flatten().map(size).sum();
    let done = std::cell::Cell::new(0);
    let kib = |bytes: u64| usize::try_from(bytes >> 10).unwrap_or(usize::MAX);
    let goes_on = |count: u64| {
        done.set(done.get() + count);
        task.progress(kib(done.get()), kib(total))
    };
    let of = |path: &PathBuf| match fingerprint::of_file(path, &goes_on) {
        Ok(hash) => Ok(Some(hash)),
        Err(DataError::Cancelled { .. }) => Err(Failure::Cancelled),
        Err(_) => Ok(None),
    };
    let of_all = |files: &Vec<PathBuf>| match files.as_slice() {
        [] => Ok(None),
        [file] => of(file),
        files => {
            let hashes: Vec<Option<String>> = files.iter().map(of).collect::<Result<_, Failure>>()?;
            let hashes: Option<Vec<String>> = hashes.into_iter().collect();
            Ok(hashes.map(|hashes| fingerprint::of_bytes(hashes.concat().as_bytes())))
        }
    };
    contents.iter().map(of_all).collect()
}

/// The files of an image at a path: a file, the files in a folder, or one of their stacks, as in `study#2`.
pub(in crate::engine) fn image_files(path: &Path) -> Vec<PathBuf> {
    contents(Part::Image, path)
}

/// The files that a path stands for: itself, or those in a folder.
fn contents(part: Part, path: &Path) -> Vec<PathBuf> {
    let (path, _) = stored(path);
    if path.is_file() {
        return vec![path];
    }
    let is_model = matches!(part, Part::Model | Part::SecondModel);
    let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.retain(|path| !is_model || is_of_bundle(path));
    files.sort();
    files
}

fn is_of_bundle(path: &Path) -> bool {
    let is = |text: Option<&std::ffi::OsStr>, all: &[&str]| {
        text.is_some_and(|text| all.iter().any(|one| text.eq_ignore_ascii_case(one)))
    };
    is(path.file_name(), &BUNDLE) || is(path.extension(), &WEIGHTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::job::Opened;
    use crate::engine::session::{NamedFile, SessionImage, SessionModel, SessionTruth};
    use crate::infer::ModelSource;

    fn with_task<T>(work: impl FnOnce(&Task<'_>) -> T) -> T {
        let mut opened: Opened = None;
        work(&Task { ticket: 1, progress: &|_, _| (), is_cancelled: &|| false, opened: &mut opened })
    }

    /// A session of an image, its mask and a model in one folder.
    fn session(folder: &Path) -> Session<()> {
        let put = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(&path, text).expect("written");
            NamedFile::new(path)
        };
        put("model/config.json", "{}");
        put("model/model.safetensors", "weights");
        let mut session = Session::new(());
        let files = vec![put("case/chest.png", "image")];
        session.image = Some(SessionImage { files, ..SessionImage::default() });
        let files = vec![put("case/masks/mask_chest.png", "mask")];
        session.truth = Some(SessionTruth { files, ..SessionTruth::default() });
        session.model = Some(SessionModel::of(&ModelSource::new(folder.join("model"))));
        session.second_model = Some(SessionModel::of(&ModelSource::bundled()));
        with_task(|task| session.record(task)).expect("recorded");
        session
    }

    fn located(session: &Session<()>) -> Located<()> {
        with_task(|task| session.clone().locate(&Part::ALL, task)).expect("looked for")
    }

    #[test]
    fn what_has_changed_is_found_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let session = session(folder.path());
        assert_eq!((located(&session).lost, located(&session).changed), (vec![], vec![]));
        // What a training run writes beside a bundle is not part of it.
        std::fs::write(folder.path().join("model/metrics.csv"), "1").expect("written");
        assert_eq!(located(&session).changed, []);
        std::fs::write(folder.path().join("model/model.safetensors"), "others").expect("written");
        std::fs::write(folder.path().join("case/chest.png"), "another").expect("written");
        let changed: Vec<Part> = located(&session).changed.into_iter().map(|(part, _)| part).collect();
        assert_eq!(changed, [Part::Image, Part::Model]);
    }

    #[test]
    fn what_is_gone_is_named_and_found_together() {
        let folder = tempfile::tempdir().expect("a folder");
        let session = session(folder.path());
        let was = folder.path().join("case/chest.png");
        std::fs::rename(folder.path().join("case"), folder.path().join("moved")).expect("moved");
        let Located { mut session, lost, .. } = located(&session);
        let parts: Vec<Part> = lost.iter().map(|lost| lost.part).collect();
        assert_eq!((parts.as_slice(), &lost[0].path, lost[0].count), (&[Part::Image, Part::Truth][..], &was, 1));
        session.moved(&parts, &was, &folder.path().join("moved/chest.png"));
        let again = located(&session);
        assert_eq!((again.lost, again.changed), (vec![], vec![]), "the mask moved with the image");
    }

    #[test]
    fn a_stack_of_a_file_keeps_its_number() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut session = session(folder.path());
        let image = session.image.as_mut().expect("an image");
        image.files[0].path = folder.path().join("case/chest.png#2");
        assert_eq!((located(&session).lost, located(&session).changed), (vec![], vec![]));
        let was = folder.path().join("case/chest.png");
        let is = folder.path().join("other.png");
        std::fs::rename(&was, &is).expect("moved");
        let from = located(&session).lost[0].path.clone();
        session.moved(&[Part::Image], &from, &is);
        assert_eq!(session.files_mut(Part::Image)[0].path, folder.path().join("other.png#2"));
        assert_eq!((located(&session).lost, located(&session).changed), (vec![], vec![]));
    }

    #[test]
    fn it_stops_when_it_is_told_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let session = session(folder.path());
        let mut opened: Opened = None;
        let task = Task { ticket: 1, progress: &|_, _| (), is_cancelled: &|| true, opened: &mut opened };
        assert_eq!(session.locate(&Part::ALL, &task), Err(Failure::Cancelled));
    }
}
