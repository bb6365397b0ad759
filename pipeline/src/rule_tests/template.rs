//! `${…}` in example lines: the number of the repetition, and the time.
//!
//! | written | becomes |
//! |---|---|
//! | `${n}` | 0, 1, 2, … |
//! | `${n%20+1}` | arithmetic from left to right with `+ - * / %` and whole numbers; no precedence |
//! | `${n+1:03}` | padded with zeros to three digits |
//! | `${time}` | `2026-11-17T08:00:00.000000Z` |
//! | `${time %b %e %H:%M:%S}` | by strftime, in UTC |

use jiff::Timestamp;

/// Fills in a line's placeholders.
///
/// # Errors
/// What is wrong with a placeholder, with what to write.
pub fn fill(line: &str, n: i64, time_us: i64) -> Result<String, String> {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((inside, after)) = after.split_once('}') else {
            return Err("`${` without `}`".to_owned());
        };
        out.push_str(before);
        out.push_str(&value(inside, n, time_us)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn value(inside: &str, n: i64, time_us: i64) -> Result<String, String> {
    if let Some(pattern) = inside.strip_prefix("time") {
        return time(pattern.trim_start(), time_us).ok_or_else(|| format!("`${{{inside}}}` has a bad time pattern"));
    }
    let (expression, width) = match inside.split_once(':') {
        Some((expression, width)) => (expression, width.parse::<usize>().ok().filter(|width| *width <= 20)),
        None => (inside, Some(0)),
    };
    match (number(expression, n), width) {
        (Some(value), Some(width)) => Ok(format!("{value:0width$}")),
        (None, _) | (_, None) => Err(format!(
            "`${{{inside}}}` is not understood: write `${{n}}`, `${{n+1}}`, `${{n:03}}` or `${{time %H:%M:%S}}`"
        )),
    }
}

fn time(pattern: &str, time_us: i64) -> Option<String> {
    let pattern = if pattern.is_empty() { "%Y-%m-%dT%H:%M:%S%.6fZ" } else { pattern };
    let time = Timestamp::from_microsecond(time_us).ok()?;
    jiff::fmt::strtime::format(pattern, time).ok()
}

/// `n`, then operators and numbers, from left to right. `None` for anything else, a division by zero and an overflow.
fn number(expression: &str, n: i64) -> Option<i64> {
    let mut rest = expression.trim().strip_prefix('n')?.trim_start();
    let mut value = n;
    while let Some(operator) = rest.chars().next() {
        let digits = rest[operator.len_utf8()..].trim_start();
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let operand: i64 = digits[..end].parse().ok()?;
        value = match operator {
            '+' => value.checked_add(operand)?,
            '-' => value.checked_sub(operand)?,
            '*' => value.checked_mul(operand)?,
            '/' => value.checked_div(operand)?,
            '%' => value.checked_rem(operand)?,
            _ => return None,
        };
        rest = digits[end..].trim_start();
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule_tests::START_US;

    #[test]
    fn numbers_and_times_are_filled_in() {
        let line = "${time %b %e %H:%M:%S} a[${n}] 10.0.${n/20}.${n%20+1} port ${n*2+1000:06} {\"json\":{}}";
        let filled = fill(line, 41, START_US + 1_000_000).expect("a good line");
        assert_eq!(filled, "Nov 17 08:00:01 a[41] 10.0.2.2 port 001082 {\"json\":{}}");
        assert_eq!(fill("${time}", 0, START_US).as_deref(), Ok("2026-11-17T08:00:00.000000Z"));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for line in ["${m}", "${n+}", "${n/0}", "${n", "${n:x}", "${n^2}", "${time %!}"] {
            assert!(fill(line, 1, START_US).is_err(), "{line}");
        }
    }
}
