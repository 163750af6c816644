//! The networks: their interface to the rest of the program ([`network`]), what they share, and reading and
//! writing of weights. Each network is a folder of [`networks`].

pub mod ablation;
pub mod blocks;
pub mod config;
pub mod cpu;
pub mod gpu;
pub mod key_table;
pub mod layers;
pub mod network;
pub mod networks;
pub mod overrides;
pub mod parameters;
pub mod part;
pub mod prepared;
pub mod registry;
pub mod remote;
pub mod target;
pub mod trace;
pub mod weights;

pub use ablation::Ablation;
pub use config::ModelConfig;
pub use network::{Executor, Inputs, Model, Network, Tokens};
pub use registry::Registry;
pub use target::Target;
pub use trace::{Trace, Traced};
