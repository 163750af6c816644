//! A session as the text of its file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{EXTENSION, FORMAT, NamedFile, Part, Session, is_model_file};
use crate::data::DataError;
use crate::data::paths::{canonical, plain, way};

/// The largest session file that is read, in bytes. A series of ten thousand files takes a tenth of it.
const LARGEST: u64 = 16 << 20;

impl<V: Serialize> Session<V> {
    /// The content of a file, with the paths as they are.
    ///
    /// # Errors
    /// A path is not Unicode, with the reason in words.
    pub fn to_json(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec_pretty(self).map_err(|error| {
            format!("The session could not be saved ({error}). Rename the files and folders that it names, and try again.")
        })
    }
}

impl<V: DeserializeOwned> Session<V> {
    /// Reads a session file. Its paths are absolute afterwards.
    ///
    /// # Errors
    /// The file cannot be read, is not a session, is damaged, or is of a newer version, with the reason in words.
    pub fn read(path: &Path) -> Result<Self, String> {
        let mut text = Vec::new();
        let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut text));
        read.map_err(|error| DataError::reading(path, &error).to_string())?;
        let what = match text.len() as u64 {
            0..=LARGEST => Self::parse(&text),
            _ => Err(format!("The file is too large for a session. A session has the ending .{EXTENSION}.")),
        };
        let mut session = what.map_err(|error| format!("{error} File: {}", path.display()))?;
        let folder = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        session.each_path(|file| file.path = resolved(&file.path, folder.parent().unwrap_or(Path::new(""))));
        Ok(session)
    }

    fn parse(text: &[u8]) -> Result<Self, String> {
        let damaged = |error: serde_json::Error| {
            format!("The session is damaged ({error}). Open its image by itself, or a copy of the session.")
        };
        let value: Value = serde_json::from_slice(text).map_err(damaged)?;
        let Some(version) = value.get("himix_session") else {
            return Err(format!(
                "This is not a session of HiMix: it lacks the key himix_session. Give a file that was saved with “Save session…” \
                 (.{EXTENSION})."
            ));
        };
        match version.as_u64() {
            Some(1..=FORMAT) => serde_json::from_value(value).map_err(damaged),
            Some(newer) if newer > FORMAT => Err(format!(
                "The session is of a newer version of HiMix: its format is {newer}, and this version reads {FORMAT}. Update HiMix, or \
                 open the image by itself."
            )),
            _ => Err(format!(
                "The session is damaged (himix_session is {version}). Open its image by itself, or a copy of the session."
            )),
        }
    }
}

impl<V> Session<V> {
    /// Makes all paths relative to the folder of the session file where possible: for files in or below the folder,
    /// and for others that share a folder with it. The paths must be absolute.
    pub(in crate::engine) fn relate(&mut self, session: &Path) {
        let session = std::path::absolute(session).unwrap_or_else(|_| session.to_owned());
        let folder = session.parent().unwrap_or(Path::new("")).to_owned();
        self.each_path(|file| file.path = related(&file.path, &folder));
    }

    fn each_path(&mut self, mut change: impl FnMut(&mut NamedFile)) {
        Part::ALL.into_iter().for_each(|part| self.files_mut(part).into_iter().for_each(&mut change));
    }
}

/// The path as it is stored in a session in `folder`.
fn related(path: &Path, folder: &Path) -> PathBuf {
    let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let inside = path.strip_prefix(folder).ok().filter(|inside| !inside.as_os_str().is_empty());
    let beside = || {
        // A link as the last part keeps its name.
        let (parent, name) = (path.parent()?, path.file_name()?);
        let (from, to) = (canonical(folder), canonical(parent));
        let is_near = from
            .components()
            .zip(to.components())
            .any(|(a, b)| a == b && matches!(a, std::path::Component::Normal(_)));
        is_near.then(|| way(&from, &to.join(name))).flatten()
    };
    let Some(way) = inside.map(Path::to_owned).or_else(beside) else { return path.to_owned() };
    // A folder of this name is not the model within the program.
    let way = if is_model_file(&way) { way } else { Path::new(".").join(way) };
    match way.to_str() {
        // A session is opened on other systems.
        Some(text) if std::path::MAIN_SEPARATOR == '\\' => PathBuf::from(text.replace('\\', "/")),
        _ => way,
    }
}

/// The absolute path of what a session in `folder` stores.
fn resolved(path: &Path, folder: &Path) -> PathBuf {
    let goes_up = path.components().any(|part| part == std::path::Component::ParentDir);
    if path.is_absolute() {
        path.to_owned()
    } else if goes_up {
        plain(&canonical(folder).join(path))
    } else {
        folder.join(plain(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::session::{SessionImage, SessionModel};
    use crate::infer::ModelSource;

    /// What a window would add.
    type View = serde_json::Map<String, Value>;

    fn session(image: &str) -> Session<View> {
        let mut session = Session::new(View::new());
        let files = vec![NamedFile { path: image.into(), hash: Some("0123".into()) }];
        session.image = Some(SessionImage { files, slice: 3, ..SessionImage::default() });
        session
    }

    #[test]
    fn paths_near_the_session_are_relative_and_others_stay() {
        for (path, stored) in [
            ("/study/case/chest.png", "chest.png"),
            ("/study/case/masks/mask_chest.png", "masks/mask_chest.png"),
            ("/study/models/one", "../models/one"),
            ("/elsewhere/chest.png", "/elsewhere/chest.png"),
            ("/study/case/bundled", "./bundled"),
        ] {
            assert_eq!(related(Path::new(path), Path::new("/study/case")), Path::new(stored), "{path}");
            assert_eq!(resolved(Path::new(stored), Path::new("/study/case")), Path::new(path));
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().canonicalize().expect("a path");
        let path = home.join("a.himix");
        let mut written = session(home.join("chest.png").to_str().expect("Unicode"));
        written.model = Some(SessionModel::of(&ModelSource::bundled()));
        written.second_model = Some(SessionModel::of(&ModelSource::new(home.join("bundled"))));
        written.view.insert("prompt".into(), "left lung".into());
        let expected = written.clone();
        written.relate(&path);
        let text = written.to_json().expect("Unicode");
        std::fs::write(&path, &text).expect("written");
        assert_eq!(Session::<View>::read(&path).expect("a session"), expected);
        let value: Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(value["himix_session"], 1);
        assert_eq!(value["image"]["files"][0]["path"], "chest.png");
        assert_eq!((&value["model"]["path"], &value["prompt"]), (&"bundled".into(), &"left lung".into()));
    }

    #[test]
    fn what_is_no_session_is_refused_with_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.himix");
        let refusal = |text: &[u8]| {
            std::fs::write(&path, text).expect("written");
            Session::<View>::read(&path).expect_err("no session")
        };
        for (text, words) in [
            (&b"{\"himix_session\": 1, \"image\": {\"slice\": "[..], "is damaged"),
            (b"{\"himix_session\": 1, \"image\": {\"slice\": -1}}", "is damaged"),
            (b"{\"himix_session\": 1, \"image\": 7}", "is damaged"),
            (b"{\"himix_session\": 0}", "is damaged"),
            (b"{\"himix_session\": \"one\"}", "is damaged"),
            (b"\x89PNG\r\n", "is damaged"),
            (b"", "is damaged"),
            (b"{\"image\": {}}", "not a session"),
            (b"[]", "not a session"),
            (b"{\"himix_session\": 2}", "newer version of HiMix: its format is 2"),
        ] {
            let message = refusal(text);
            assert!(message.contains(words) && message.contains("a.himix"), "{message}");
        }
        let message = refusal(&vec![b' '; LARGEST as usize + 1]);
        assert!(message.contains("too large"), "{message}");
        std::fs::remove_file(&path).expect("removed");
        assert!(Session::<View>::read(&path).expect_err("nothing").contains("a.himix"));
    }

    #[test]
    fn unknown_keys_are_ignored() {
        #[derive(Debug, PartialEq, Default, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        struct Little {
            prompt: String,
        }
        let text = br#"{"himix_session": 1, "image": {"files": [{"path": "/a.png", "size": 7}], "mood": "x"}, "later": []}"#;
        let session = Session::<Little>::parse(text).expect("a session");
        let image = session.image.expect("an image");
        assert_eq!((image.files, image.slice), (vec![NamedFile::new("/a.png")], 0));
        assert_eq!(session.view, Little::default());
    }
}
