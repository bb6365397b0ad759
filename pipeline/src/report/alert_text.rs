//! An alert in the terminal, for somebody who has just been woken: what happened first, then whom, why, how sure,
//! the lines themselves, and what to look at next.

use std::fmt::Write;

use schemas::Alert;

use super::view::{self, AlertView};
use crate::text::{Paint, Tone, wrapped};

/// How much of an alert is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Two lines: what and when.
    Brief,
    /// Everything, with at most this many records of evidence.
    Full {
        /// Records shown.
        evidence: usize,
    },
}

/// How alerts are printed.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Colours, or none.
    pub paint: Paint,
    /// Characters in a line, for wrapping the texts; raw lines are not wrapped, so that they can be copied.
    pub width: usize,
    /// How much is shown.
    pub detail: Detail,
}

impl Default for Style {
    fn default() -> Style {
        Style { paint: Paint::PLAIN, width: 110, detail: Detail::Full { evidence: 4 } }
    }
}

/// Prints alerts, the gravest first, with a blank line between them.
pub fn print(alerts: &[Alert], style: &Style) -> String {
    view::all(alerts).iter().map(|alert| one(alert, style)).collect::<Vec<_>>().join("\n")
}

/// Prints one alert, with its line ends.
pub fn one(alert: &AlertView, style: &Style) -> String {
    let mut out = String::new();
    let paint = style.paint;
    let level = paint.tone(tone(alert.severity), &format!(" {:<13}", alert.level.to_uppercase()));
    line(
        &mut out,
        &format!("{level} {}  {}", paint.tone(Tone::Strong, &alert.title), paint.tone(Tone::Faint, alert.status)),
    );
    for text in wrapped(&alert.message, style.width.saturating_sub(15).max(40)) {
        line(&mut out, &format!("               {text}"));
    }
    match style.detail {
        Detail::Brief => line(&mut out, &format!("               {}", paint.tone(Tone::Faint, &alert.when))),
        Detail::Full { evidence } => full(&mut out, alert, style, evidence),
    }
    out
}

fn tone(severity: u8) -> Tone {
    match severity {
        3.. => Tone::Alarm,
        2 => Tone::Caution,
        0 | 1 => Tone::Name,
    }
}

fn full(out: &mut String, alert: &AlertView, style: &Style, evidence: usize) {
    let mut part = Parts { out, style };
    part.text("when", &alert.when);
    part.lines("who", &alert.who);
    part.text("tenant", &alert.tenant);
    part.text("why", &alert.why);
    part.text("how sure", &alert.sure);
    part.text("condition", &alert.condition);
    let met: Vec<String> = alert.met.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    part.text("met by", &met.join("; "));
    part.text("ATT&CK", &alert.attack.join("; "));
    let facts: Vec<String> = alert.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    part.text("known", &facts.join("; "));
    part.evidence(alert, evidence);
    part.text("harmless if", &alert.harmless_if.join("; "));
    let next: Vec<String> = alert.next.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1)).collect();
    part.lines("look at next", &next);
    let id = format!("{} by {}", alert.id, alert.rule);
    part.text("id", &id);
}

/// Width of the names at the left.
const NAMES: usize = 14;

struct Parts<'a> {
    out: &'a mut String,
    style: &'a Style,
}

impl Parts<'_> {
    fn text(&mut self, name: &str, text: &str) {
        let width = self.style.width.saturating_sub(NAMES + 1).max(40);
        self.lines(name, &wrapped(text, width));
    }

    /// Nothing at all for an empty list: an absent fact is no news.
    fn lines(&mut self, name: &str, lines: &[String]) {
        for (index, text) in lines.iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            let name = self.style.paint.tone(Tone::Faint, &format!("{name:>NAMES$}"));
            line(self.out, &format!("{name} {text}"));
        }
    }

    fn evidence(&mut self, alert: &AlertView, most: usize) {
        if alert.evidence.is_empty() {
            return;
        }
        let shown = alert.evidence.len().min(most);
        let total = alert.evidence_total.max(alert.evidence.len() as u64);
        self.lines("evidence", &[format!("{shown} of {}", crate::text::grouped(total))]);
        for evidence in alert.evidence.iter().take(shown) {
            let paint = self.style.paint;
            let head = format!("{} {}", evidence.time, paint.tone(Tone::Name, &evidence.place));
            line(self.out, &format!("{:>NAMES$}   {head}", ""));
            if !evidence.raw.is_empty() {
                // Two lines of a terminal: enough to know the line again; the place says where all of it is.
                let raw: String = evidence.raw.chars().take(self.style.width * 2).collect();
                let more = if raw.len() < evidence.raw.len() { " …" } else { "" };
                line(self.out, &format!("{:>NAMES$}     {raw}{more}", ""));
            }
        }
    }
}

/// Lines never end in blanks, coloured or not: names without a text leave some.
fn line(out: &mut String, text: &str) {
    // Writing into a String can't fail.
    let _ = writeln!(out, "{}", text.trim_end());
}
