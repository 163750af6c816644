//! A model small enough to be made for the tests, and files of tensors.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize_to_file};
use serde_json::{Value, json};

use crate::program::himix;

/// Architecture of the small model.
pub fn config() -> Value {
    json!({
        "text": {
            "vocab_size": 128, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2,
            "intermediate_size": 32, "max_position_embeddings": 32
        },
        "vision": { "hidden_sizes": [8, 16, 32, 64], "depths": [1, 1, 1, 1] },
        "decoder": { "num_heads": 4 },
        "provenance": { "name": "small", "trained": true }
    })
}

/// Special entries, letters, digits, some words.
pub fn vocabulary() -> String {
    let mut entries: Vec<String> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(str::to_owned).to_vec();
    let letters: Vec<String> = ('a'..='z').chain('0'..='9').map(String::from).collect();
    entries.extend(letters.iter().cloned());
    entries.extend(letters.iter().map(|letter| format!("##{letter}")));
    let words = ["left", "right", "upper", "lower", "lung", "infection", "area", "one", "two", ".", ","];
    entries.extend(words.map(str::to_owned));
    entries.join("\n") + "\n"
}

/// Returns the small model's bundle: deterministic weights as `himix export` writes them. It is made once.
pub fn bundle() -> &'static Path {
    static BUNDLE: OnceLock<PathBuf> = OnceLock::new();
    BUNDLE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("small-bundle");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("config.json"), config().to_string()).expect("a configuration");
        fs::write(folder.join("vocab.txt"), vocabulary()).expect("a vocabulary");
        let weights = folder.join("model.safetensors");
        himix!["export", "--model", "rule", "--config", folder.join("config.json"), "--out", weights].done();
        folder
    })
}

/// The tensors of a file: type, shape, bytes.
pub type Tensors = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

pub fn read_tensors(path: &Path) -> Tensors {
    let bytes = fs::read(path).expect("a file");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let tensor =
        |(name, view): (String, TensorView)| (name, (view.dtype(), view.shape().to_vec(), view.data().to_vec()));
    file.tensors().into_iter().map(tensor).collect()
}

pub fn write_tensors(path: &Path, tensors: &Tensors) {
    let views = tensors.iter().map(|(name, (dtype, shape, bytes))| {
        (name.clone(), TensorView::new(*dtype, shape.clone(), bytes).expect("a tensor"))
    });
    serialize_to_file(views, None, path).expect("written");
}

pub fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Makes a grey image with some structure.
pub fn picture(width: u32, height: u32) -> image::GrayImage {
    image::GrayImage::from_fn(width, height, |x, y| {
        image::Luma([((x * x / 7 + y * 5) % 200) as u8 + if x > y { 40 } else { 0 }])
    })
}

/// Writes the image to a file in `folder`, in the format of the name's extension.
pub fn put_picture(folder: &tempfile::TempDir, name: &str, width: u32, height: u32) -> PathBuf {
    let path = folder.path().join(name);
    picture(width, height).save(&path).expect("a picture");
    path
}

/// Returns the pixels of an 8-bit grey PNG that the program wrote.
pub fn grey(path: &Path) -> Vec<u8> {
    let image = image::open(path).expect("a picture");
    assert_eq!(image.color(), image::ColorType::L8, "{}", path.display());
    image.into_luma8().into_raw()
}
