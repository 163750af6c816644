//! Parts that several of the networks have in common, with the parameters that the authors' files name: the text and vision
//! encoders, the up block and the sub-pixel head.

pub mod head;
pub mod text_encoder;
pub mod up_block;
pub mod vision_encoder;
