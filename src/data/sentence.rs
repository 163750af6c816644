//! stub
pub fn mirror(s: &str) -> String {
    s.replace("left", "\u{1}").replace("right", "left").replace("\u{1}", "right")
}
