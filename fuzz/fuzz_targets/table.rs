//! Tables of sentences: the first byte chooses CSV, JSON or XLSX.
#![no_main]

use himix_fuzz::data::Dataset;
use himix_fuzz::with_file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let end = ["csv", "json", "xlsx"][usize::from(kind % 3)];
    with_file(&format!("{end}/prompt/train.{end}"), rest, |path| {
        if let Some(root) = path.parent().and_then(|folder| folder.parent()) {
            for part in ["train/Images", "train/GTs"] {
                let folder = root.join(part);
                if !folder.is_dir() {
                    std::fs::create_dir_all(&folder).expect("a folder");
                    std::fs::write(folder.join("a.png"), b"").expect("a file");
                }
            }
            let _ = Dataset::open(root, "train");
        }
    });
});
