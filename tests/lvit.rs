//! LViT against its authors' numbers: every intermediate tensor, the executor, gradients, steps of AdamW, keys and the
//! full size; where its word vectors come from; and the program with it.

// A test may write its files as it likes.
#![allow(clippy::disallowed_methods)]

mod common;
#[path = "lvit/parity.rs"]
mod parity;
#[path = "lvit/program.rs"]
mod program;
