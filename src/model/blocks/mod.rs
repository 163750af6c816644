//! Building blocks that several networks share: the text and vision encoders, the text projection, the up block, the
//! sub-pixel head, the convolution with its batch norm, and the attribution to the levels of a convolutional decoder.
//! They have the parameters that the authors' files contain, under the names of [`keys`].

pub mod attribution;
pub mod conv_encoder;
pub mod conv_norm;
pub mod cost;
pub mod head;
pub mod keys;
pub mod sizes;
pub mod text_encoder;
pub mod text_projection;
pub mod up_block;
pub mod vision_encoder;
