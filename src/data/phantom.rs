//! stub
use super::*;
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Xray,
}
impl Kind {
    pub const ALL: [Kind; 1] = [Kind::Xray];
}
pub struct Phantom {
    pub image: Image,
    pub mask: Mask,
    pub prompt: String,
}
pub fn phantom(_k: Kind, _s: u64, _i: u64, _side: usize) -> Phantom {
    unimplemented!()
}
