//! Building blocks that several networks share: the text and vision encoders, the up block and the sub-pixel head.
//! They have the parameters that the authors' files contain.

pub mod conv_norm;
pub mod head;
pub mod text_encoder;
pub mod up_block;
pub mod vision_encoder;
