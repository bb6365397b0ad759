//! How the times of a source are read and which of them are believed, from a document or the command line.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use parsers::Zone;
use schemas::{Plausible, nearest};

use crate::yaml::read::duration;
use crate::yaml::{At, Finding, Findings, Section};

/// Further ahead no device's clock is by mistake alone.
const AHEAD_MAX: Duration = Duration::from_secs(366 * 86_400);

/// What a line does not say about its time.
#[derive(Clone, Debug)]
pub struct Times {
    /// The zone of times that name none.
    pub zone: Zone,
    /// What the source means by abbreviations of zones: name, and seconds east of Greenwich.
    pub zone_names: Vec<(String, i32)>,
    /// Which times are believed.
    pub plausible: Plausible,
}

impl Default for Times {
    fn default() -> Times {
        Times { zone: Zone::Utc, zone_names: Vec::new(), plausible: Plausible::default() }
    }
}

/// The keys `zone`, `zone_names` and `plausible` of a section; what is not said is as in `base`.
pub fn times(section: &mut Section<'_>, found: &mut Findings, base: &Times) -> Times {
    let zone = section.optional("zone", found, |at, found| {
        let text = at.text(found)?;
        zone_of(&text).map_err(|help| at.wrong(found, "no such time zone", help)).ok()
    });
    let zone_names = section.optional("zone_names", found, zone_names);
    let plausible = section.optional("plausible", found, |at, found| plausible(&at, found, base.plausible));
    Times {
        zone: zone.unwrap_or_else(|| base.zone.clone()),
        zone_names: zone_names.unwrap_or_else(|| base.zone_names.clone()),
        plausible: plausible.unwrap_or(base.plausible),
    }
}

fn zone_names(at: At<'_>, found: &mut Findings) -> Option<Vec<(String, i32)>> {
    let mut names: Vec<(String, i32)> = Vec::new();
    for (name, span, value) in at.entries(found)? {
        let Some(offset) = value.text(found) else { continue };
        let at_name = |label: &str| Finding::error(span.clone(), format!("`{}.{name}`: {label}", at.path), label);
        if !is_zone_name(&name) {
            found.note(at_name("no abbreviation of a zone").help(ZONE_NAME_HELP));
        } else if names.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
            found.note(at_name("named a second time").help("their case does not count: remove one"));
        } else {
            match offset_of(&offset) {
                Some(seconds) => names.push((name, seconds)),
                None => value.wrong(found, "not an offset", OFFSET_HELP),
            }
        }
    }
    Some(names)
}

fn plausible(at: &At<'_>, found: &mut Findings, base: Plausible) -> Option<Plausible> {
    let mut section = at.section(found)?;
    let earliest = section.optional("earliest", found, |at, found| {
        let text = at.text(found)?;
        day_of(&text).map_err(|help| at.wrong(found, "not a day", help)).ok()
    });
    let ahead = section.optional("ahead", found, |at, found| at.duration(found, Duration::ZERO..=AHEAD_MAX));
    section.finish(found);
    Some(believed(base, earliest, ahead))
}

/// The range of believed times with other bounds, where there are any.
pub fn believed(base: Plausible, earliest_us: Option<i64>, ahead: Option<Duration>) -> Plausible {
    let micros = |ahead: Duration| i64::try_from(ahead.as_micros()).unwrap_or(i64::MAX);
    Plausible { earliest_us: earliest_us.unwrap_or(base.earliest_us), ahead_us: ahead.map_or(base.ahead_us, micros) }
}

/// A time zone: `UTC`, an IANA name, or a fixed offset as `+02:00`.
///
/// # Errors
/// What to write instead.
pub fn zone_of(name: &str) -> Result<Zone, String> {
    if name.eq_ignore_ascii_case("utc") || name == "Z" {
        return Ok(Zone::Utc);
    }
    if let Some(seconds) = offset_of(name) {
        return Ok(Zone::Fixed(seconds));
    }
    // the tables that are built in, never the machine's own: a log is read alike everywhere
    let tables = TimeZoneDatabase::bundled();
    tables.get(name).map(Zone::Named).map_err(|_| {
        let known: Vec<String> = tables.available().map(|name| name.as_str().to_owned()).collect();
        match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write an IANA name as `Europe/Berlin`, `UTC`, or an offset as `+02:00`".to_owned(),
        }
    })
}

/// What a source means by an abbreviation: `CST=+08:00`.
///
/// # Errors
/// What to write instead.
pub fn zone_name_of(text: &str) -> Result<(String, i32), String> {
    let (name, offset) = text.split_once('=').ok_or("write a name and an offset, as `CST=+08:00`")?;
    if !is_zone_name(name) {
        return Err(ZONE_NAME_HELP.to_owned());
    }
    offset_of(offset).map(|seconds| (name.to_owned(), seconds)).ok_or_else(|| OFFSET_HELP.to_owned())
}

/// The beginning of a day, microseconds UTC.
///
/// # Errors
/// What to write instead.
pub fn day_of(text: &str) -> Result<i64, String> {
    let day = text.parse::<Date>().ok().filter(|_| text.len() == "1980-01-01".len());
    let start = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    start.map(|start| start.timestamp().as_microsecond()).ok_or_else(|| "write a day as `1980-01-01`".to_owned())
}

/// How far ahead of its receipt a time is believed: `1d`.
///
/// # Errors
/// What to write instead.
pub fn ahead_of(text: &str) -> Result<Duration, String> {
    let ahead = duration(text).filter(|ahead| *ahead <= AHEAD_MAX);
    ahead.ok_or_else(|| "write a number and a unit, as `1d` or `30m`, at most `366d`".to_owned())
}

const ZONE_NAME_HELP: &str = "write two letters or more and nothing else, as `CST`";
const OFFSET_HELP: &str = "write hours and minutes east of Greenwich, as `+02:00` or `-05:30`";

/// Whether it can be an abbreviation: what else stands in a stamp's zone says its offset itself.
fn is_zone_name(name: &str) -> bool {
    name.len() >= 2 && name.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// `+02:00`, `-05:30`: seconds east of Greenwich.
fn offset_of(text: &str) -> Option<i32> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
    (hours < 24 && minutes < 60).then_some(sign * (i32::from(hours) * 3_600 + i32::from(minutes) * 60))
}
