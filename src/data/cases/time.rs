//! Points in time as text.

use std::time::{SystemTime, UNIX_EPOCH};

/// The number of milliseconds of a day.
const DAY: u64 = 86_400_000;

/// Returns the current time: RFC 3339 in UTC with milliseconds. Such texts sort as the times do.
pub fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    text(u64::try_from(since.as_millis()).unwrap_or_default())
}

/// Returns the time so many milliseconds after the beginning of 1970.
fn text(milliseconds: u64) -> String {
    let (days, rest) = (milliseconds / DAY, milliseconds % DAY);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", rest % 1000)
}

/// Returns year, month and day of the day so many days after 1 January 1970 in the Gregorian calendar. Years are counted
/// from March, so that the leap day is the last of a year, in periods of 400 years.
fn date(days: u64) -> (u64, u64, u64) {
    // 1 March of the year 0 lies 719,468 days before 1 January 1970.
    let days = days + 719_468;
    let (period, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // The months from March on have 31, 30, 31, 30, 31 days, and so again.
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (period * 400 + year + carry, month, of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (951_868_799, "2000-02-29T23:59:59.000Z"),
            (951_868_800, "2000-03-01T00:00:00.000Z"),
            (1_709_210_096, "2024-02-29T12:34:56.000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(text(seconds * 1000), expected);
        }
        assert!(text(1_709_210_096_125).ends_with("56.125Z"));
        assert!(now().as_str() > "2026" && now().len() == 24);
    }
}
