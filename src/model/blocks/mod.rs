//! Building blocks that several networks share: the text and vision encoders, the up block, the sub-pixel head, the
//! convolution with its batch norm, and the attribution to the levels of a convolutional decoder.
//! They have the parameters that the authors' files contain.

pub mod attribution;
pub mod conv_norm;
pub mod head;
pub mod text_encoder;
pub mod up_block;
pub mod vision_encoder;
