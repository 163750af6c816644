//! Says what the loaders make of the files that are named: `cargo run --release --example say -- FILES`.

use std::path::Path;
use std::time::Instant;

use himix_fuzz::data::{Dataset, Limit, open};

fn main() {
    for name in std::env::args().skip(1) {
        let (path, start) = (Path::new(&name), Instant::now());
        // A table is looked at as that of a data set.
        let said = if path.join("prompt").is_dir() {
            Dataset::open(path, "train").map(|dataset| format!("{} pairs", dataset.samples.len()))
        } else {
            open::open(path, Limit::default(), &|_, _| true).map(|scan| {
                let (columns, rows, slices, channels) = (scan.columns, scan.rows, scan.slices, scan.channels);
                format!("{columns}x{rows}, {slices} slices, {channels} channels, {:?}", scan.kind)
            })
        };
        let said = said.unwrap_or_else(|error| error.to_string());
        println!("{:>6} ms  {name}: {said}", start.elapsed().as_millis());
    }
}
