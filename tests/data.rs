//! Images, masks, data sets, preprocessing, scores and tokens.

// Tests may write their files directly.
#![allow(clippy::disallowed_methods)]

#[path = "data/append.rs"]
mod append;
#[path = "data/bad_input.rs"]
mod bad_input;
#[path = "data/big_endian.rs"]
mod big_endian;
#[path = "data/cases.rs"]
mod cases;
mod common;
#[path = "data/dataset.rs"]
mod dataset;
#[path = "data/describe.rs"]
mod describe;
#[path = "data/dicom.rs"]
mod dicom;
#[path = "data/dicom_geometry.rs"]
mod dicom_geometry;
#[path = "data/dicom_units.rs"]
mod dicom_units;
#[path = "data/enclosing.rs"]
mod enclosing;
#[path = "data/exif.rs"]
mod exif;
#[path = "data/findings.rs"]
mod findings;
#[path = "data/fixtures.rs"]
mod fixtures;
mod formats;
#[path = "data/geometry.rs"]
mod geometry;
#[path = "data/hostile.rs"]
mod hostile;
#[path = "data/image_kinds.rs"]
mod image_kinds;
#[path = "data/label_maps.rs"]
mod label_maps;
#[path = "data/layouts.rs"]
mod layouts;
#[path = "data/masks.rs"]
mod masks;
#[path = "data/memory_limits.rs"]
mod memory_limits;
#[path = "data/metrics.rs"]
mod metrics;
#[path = "data/names.rs"]
mod names;
#[path = "data/nifti.rs"]
mod nifti;
#[path = "data/parity.rs"]
mod parity;
#[path = "data/phantoms.rs"]
mod phantoms;
#[path = "data/preprocess.rs"]
mod preprocess;
#[path = "data/prompt_input.rs"]
mod prompt_input;
#[path = "data/prompts.rs"]
mod prompts;
#[path = "data/seg.rs"]
mod seg;
#[path = "data/several.rs"]
mod several;
#[path = "data/tables.rs"]
mod tables;
#[path = "data/text.rs"]
mod text;
#[path = "data/tiff.rs"]
mod tiff;
#[path = "data/write.rs"]
mod write;
