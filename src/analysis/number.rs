//! Formats numbers for people: in figures, tables and the window.

/// Formats a number with `digits` decimals and a proper minus sign; zero has no sign.
pub fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.bytes().all(|byte| matches!(byte, b'0' | b'.')) => zero.into(),
        Some(positive) => format!("−{positive}"),
        None => text,
    }
}

/// Formats a number with its sign, which may be a plus.
pub fn signed(value: f64, digits: usize) -> String {
    let text = number(value, digits);
    if text.starts_with('−') || text.bytes().all(|byte| matches!(byte, b'0' | b'.')) {
        text
    } else {
        format!("+{text}")
    }
}

/// Formats a p-value.
pub fn probability(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}

/// Formats a number with about `digits` significant digits, whatever its magnitude.
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return number(value, 0);
    }
    let exponent = value.abs().log10().floor() as i32;
    if (-4..6).contains(&exponent) {
        return number(value, (digits as i32 - 1 - exponent).clamp(0, 9) as usize);
    }
    let text = format!("{value:.*e}", digits.saturating_sub(1));
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_people_write_them() {
        assert_eq!([number(-0.004, 2), number(-1.5, 1)], ["0.00", "−1.5"]);
        assert_eq!([signed(0.031, 2), signed(-0.031, 2), signed(0.0, 2)], ["+0.03", "−0.03", "0.00"]);
        let thousandths = [0.0004, -0.0004, 0.0006, -0.1].map(|value| signed(value, 3));
        assert_eq!(thousandths, ["0.000", "0.000", "+0.001", "−0.100"]);
        assert_eq!([0.0, 0.00099, 0.001, 1.0].map(probability), ["< 0.001", "< 0.001", "0.001", "1.000"]);
        assert_eq!([significant(0.012_34, 3), significant(123.4, 3), significant(0.0, 3)], ["0.0123", "123", "0"]);
        assert_eq!(significant(-4.56e-9, 3), "−4.56e−9");
    }
}
