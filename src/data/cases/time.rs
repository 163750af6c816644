//! Points in time as text.

use dicom_core::chrono::{DateTime, SecondsFormat, Utc};

/// Returns the current time: RFC 3339 in UTC with milliseconds. Such texts sort as the times do.
pub fn now() -> String {
    text(Utc::now())
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_form() {
        for (milliseconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_868_799_000, "2000-02-29T23:59:59.000Z"),
            (1_709_210_096_125, "2024-02-29T12:34:56.125Z"),
        ] {
            assert_eq!(DateTime::from_timestamp_millis(milliseconds).map(text).as_deref(), Some(expected));
        }
        assert!(now().as_str() > "2026" && now().len() == 24);
    }
}
