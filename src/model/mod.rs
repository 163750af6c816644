//! The network and nothing else: encoders, layer fusion, spectrum filter, decoder, configuration, weights.

pub mod attribution;
pub mod config;
pub mod cpu;
pub mod decoder;
pub mod fusion;
pub mod head;
pub mod himix;
pub mod layers;
pub mod overrides;
pub mod prepared;
pub mod spectrum;
pub mod text_encoder;
pub mod trace;
pub mod vision_encoder;
pub mod weights;

pub use config::ModelConfig;
pub use himix::HiMix;
pub use trace::{Trace, Traced};
