//! The content of a model: by it, a model that was trained again is told from the one of the same name before.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::info::ModelInfo;
use crate::data::DataError;
use crate::model::weights::ModelSource;

/// The files beside the weights that decide the masks.
const BESIDE: [&str; 3] = ["config.json", "vocab.txt", "tokenizer.json"];
/// The weights of a bundle.
const WEIGHTS: &str = "model.safetensors";

/// Returns a hash of the files of a model that decide its masks, and of half precision if its products are computed in it; for a
/// model without files here, of its name and the version of this program. The files are read as a whole.
///
/// # Errors
/// A file cannot be read.
pub fn model_content(source: &ModelSource, info: &ModelInfo) -> Result<String, DataError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{} {}\n", info.token_limit, info.parameters).as_bytes());
    if info.is_half {
        hasher.update(b"f16\n");
    }
    let mut add = |path: &Path| -> Result<(), DataError> {
        let file = File::open(path).map_err(|error| DataError::reading(path, &error))?;
        hasher.update_reader(file).map_err(|error| DataError::reading(path, &error))?;
        Ok(())
    };
    let path = source.path();
    let files: Vec<PathBuf> = match source {
        ModelSource::Files(_) if path.exists() => {
            let (weights, folder) = match path.is_dir() {
                true => (path.join(WEIGHTS), path),
                false => (path.to_owned(), path.parent().unwrap_or(Path::new(""))),
            };
            let beside = BESIDE.iter().map(|name| folder.join(name)).filter(|path| path.is_file());
            std::iter::once(weights).chain(beside).collect()
        }
        // A model that was opened elsewhere has no files here, nor have those of the program.
        _ => Vec::new(),
    };
    let is_elsewhere = files.is_empty();
    files.iter().map(|path| path.as_path()).chain(source.config()).chain(source.vocab()).try_for_each(&mut add)?;
    if is_elsewhere {
        hasher.update(format!("{} {}", path.display(), env!("CARGO_PKG_VERSION")).as_bytes());
    }
    Ok(shortened(&hasher))
}

/// Returns the first 64 bits of a hash, in hexadecimal digits.
pub(super) fn shortened(hasher: &blake3::Hasher) -> String {
    hasher.finalize().to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_content_of_the_same_files_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        let source = ModelSource::new(folder.path());
        let content = || model_content(&source, &ModelInfo::default());
        assert!(content().is_err(), "there are no weights");
        put(WEIGHTS, "weights");
        put("config.json", "{}");
        let before = content().expect("read");
        assert_eq!(content().expect("read"), before);
        put("domain.json", "no mask depends on it");
        assert_eq!(content().expect("read"), before);
        put(WEIGHTS, "others!");
        let trained = content().expect("read");
        put("config.json", "{\"temperature\": 2}");
        let configured = content().expect("read");
        assert!(before != trained && trained != configured && before != configured);
        let bundled = model_content(&ModelSource::bundled(), &ModelInfo::default()).expect("it has no files");
        assert_ne!(bundled, before);
    }
}
