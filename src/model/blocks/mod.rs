//! Building blocks that several networks share: the text and vision encoders, the text projection, the up block and the
//! sub-pixel head. They have the parameters that the authors' files contain, under the names of [`keys`].

pub mod cost;
pub mod head;
pub mod keys;
pub mod sizes;
pub mod text_encoder;
pub mod text_projection;
pub mod up_block;
pub mod vision_encoder;
