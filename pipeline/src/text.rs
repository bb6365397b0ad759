//! Text for people: what came from logs made harmless, and colours only where they are wanted.
//!
//! A log line is written by whoever can reach a logging machine. Printed as it is it could clear the screen, change
//! the window's title, hide parts of itself or read in the wrong direction. So everything that didn't come
//! from this program goes through [`neutral`] on its way to a person; JSON and HTML have escapes of their own.

use std::borrow::Cow;
use std::io::IsTerminal;

/// The most characters of one foreign text that are shown to a person.
pub const SHOWN_MAX: usize = 2_000;

/// A foreign text as one harmless line: control characters, directions and invisible characters are written as
/// `\x1b` or `\u{202e}`, a very long one is cut and says so.
pub fn neutral(text: &str) -> Cow<'_, str> {
    neutral_to(text, SHOWN_MAX)
}

/// As [`neutral`], with at most `max` characters of the original.
pub fn neutral_to(text: &str, max: usize) -> Cow<'_, str> {
    if text.len() <= max && !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(max * 4) + 32);
    let mut rest = text.chars();
    for c in rest.by_ref().take(max) {
        push_neutral(c, &mut out);
    }
    let left = rest.as_str().len();
    if left > 0 {
        out.push_str(&format!(" … ({left} bytes more)"));
    }
    Cow::Owned(out)
}

/// Foreign bytes as one harmless line: as [`neutral_to`], with bytes that are not UTF-8 as `\xff`.
pub fn neutral_bytes(bytes: &[u8], max: usize) -> String {
    let mut out = String::new();
    let mut left = max;
    let mut rest = bytes.trim_ascii_end();
    for chunk in bytes.trim_ascii_end().utf8_chunks() {
        for c in chunk.valid().chars() {
            if left == 0 {
                out.push_str(&format!(" … ({} bytes more)", rest.len()));
                return out;
            }
            push_neutral(c, &mut out);
            rest = &rest[c.len_utf8()..];
            left -= 1;
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
            rest = &rest[1..];
            left = left.saturating_sub(1);
        }
    }
    out
}

fn push_neutral(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if is_dangerous(c) && u32::from(c) < 0x100 => out.push_str(&format!("\\x{:02x}", u32::from(c))),
        c if is_dangerous(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        c => out.push(c),
    }
}

/// Whether a character does something other than show itself: controls (C0, DEL, C1), line and paragraph separators,
/// direction overrides and isolates, zero-width characters, tags, variation selectors, and the byte order mark.
/// Source: Unicode Technical Report 36, section 2 and 3; "Trojan Source" (CVE-2021-42574).
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xad | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e
            | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff9..=0xfffb | 0xe0000..=0xe0fff)
}

/// Whether a stream gets colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColourChoice {
    /// If it is a terminal and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Writes colours, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    on: bool,
}

/// A colour by what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Headings.
    Strong,
    /// What matters less.
    Faint,
    /// Something is wrong and urgent.
    Alarm,
    /// Somebody should look.
    Caution,
    /// All is well.
    Good,
    /// Names and values to notice.
    Name,
}

impl Paint {
    /// No colours.
    pub const PLAIN: Paint = Paint { on: false };
    /// Colours.
    pub const COLOUR: Paint = Paint { on: true };

    /// For stdout, by the choice and by what stdout is.
    pub fn for_stdout(choice: ColourChoice) -> Paint {
        Paint::decide(choice, std::io::stdout().is_terminal())
    }

    /// For stderr, by the choice and by what stderr is.
    pub fn for_stderr(choice: ColourChoice) -> Paint {
        Paint::decide(choice, std::io::stderr().is_terminal())
    }

    fn decide(choice: ColourChoice, terminal: bool) -> Paint {
        let on = match choice {
            ColourChoice::Auto => terminal && std::env::var_os("NO_COLOR").is_none(),
            ColourChoice::Always => true,
            ColourChoice::Never => false,
        };
        Paint { on }
    }

    /// Whether it colours.
    pub fn is_on(self) -> bool {
        self.on
    }

    /// The text in that tone. The text must be harmless already.
    pub fn tone(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Alarm => "1;31",
            Tone::Caution => "33",
            Tone::Good => "32",
            Tone::Name => "36",
        };
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Breaks a text into lines of at most `width` characters at blanks; a longer word stands alone.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A number grouped by thousands: `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_directions_and_line_ends_become_visible() {
        assert_eq!(neutral("a\u{1b}[2J\r\nb"), "a\\x1b[2J\\r\\nb");
        assert_eq!(neutral("\u{9b}31m"), "\\x9b31m");
        assert_eq!(neutral("user\u{202e}nimda"), "user\\u{202e}nimda");
        assert_eq!(neutral("plain ünïcode 漢字"), "plain ünïcode 漢字");
        assert_eq!(neutral_bytes(b"a\xffb\x00\n", 100), "a\\xffb\\x00");
    }

    #[test]
    fn a_long_text_is_cut_and_says_how_much_is_missing() {
        assert_eq!(neutral_to("abcdef", 3), "abc … (3 bytes more)");
        assert_eq!(neutral_bytes("üüü".as_bytes(), 1), "ü … (4 bytes more)");
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
