//! x
mod lung_field;
mod template;
pub use lung_field::{Area, LEAST_CORRELATION, LungField, lung_field};

#[cfg(test)]
mod dump {
    use super::*;
    use std::io::Write;
    #[test]
    #[ignore]
    fn dump_boxes() {
        for (set, split) in [("qata","train"),("qata","val"),("qata","test"),("qata_more","train"),("ct_lesions","train"),("ct_lesions","val"),("kvasir","train"),("cxr_normal","train")] {
            let dir = format!("/work/shared/data/{set}/{split}/Images");
            let mut out = std::fs::File::create(format!("/tmp/dsc/box_{set}_{split}.csv")).unwrap();
            for e in std::fs::read_dir(dir).unwrap() {
                let p = e.unwrap().path();
                let image = crate::data::image::load(&p).unwrap();
                let f = lung_field::best(&image).unwrap();
                writeln!(out, "{},{},{},{},{},{}", p.file_name().unwrap().to_string_lossy(), f.area.top, f.area.bottom, f.area.left, f.area.right, f.correlation).unwrap();
            }
        }
    }
}
