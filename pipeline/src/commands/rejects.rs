//! `portolan rejects`: what was refused, grouped by shape; and the records themselves, to be read again after a fix.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::json;

use crate::cli::RejectsArgs;
use crate::error::Failure;
use crate::out::{Out, Reader, say};
use crate::quarantine::{self, Group, Groups};
use crate::text::{grouped, neutral, neutral_bytes};

/// Characters of a line that are shown as an example.
const EXAMPLE_CHARS: usize = 400;

/// Runs it.
///
/// # Errors
/// Nothing to read at the path; a group that does not exist; stdout that can't be written.
pub fn run(args: &RejectsArgs) -> Result<(), Failure> {
    if args.raw && args.group.is_none() {
        let mut out = Out::stdout();
        quarantine::each(&args.path, &mut |refused| raw(&refused.raw, &mut out))?;
        return out.flush().map(drop);
    }
    let found = quarantine::group(&args.path)?;
    match args.group {
        None => overview(args, &found),
        Some(number) => {
            let group = found.groups.get(usize::from(number) - 1).ok_or_else(|| Failure::Usage {
                what: format!("there is no group {number}"),
                advice: format!("there are {}; without --group they are listed", found.groups.len()),
            })?;
            if args.raw { lines_of(args, group) } else { detail(group) }
        }
    }
}

fn overview(args: &RejectsArgs, found: &Groups) -> Result<(), Failure> {
    let mut out = Out::stdout();
    if args.json {
        for (number, group) in (1..).zip(&found.groups) {
            let first = group.examples.first().map(|refused| (refused.place.as_str(), refused.byte));
            let line = json!({
                "group": number, "count": group.count, "family": group.family, "reason": group.reason, "shape": group.shape,
                "first_received": group.received.0, "last_received": group.received.1,
                "example": first.map(|(place, byte)| json!({"place": place, "byte": byte})),
            });
            out.line(&line.to_string())?;
        }
        return out.flush().map(drop);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["group", "lines", "family", "last received", "why", "shape"]);
    for (number, group) in (1..).zip(&found.groups).take(args.top) {
        table.add_row([
            number.to_string().as_str(),
            &grouped(group.count),
            &neutral(&group.family),
            group.received.1.get(..19).unwrap_or(&group.received.1),
            &neutral(&group.reason),
            &neutral(&group.shape),
        ]);
    }
    let lines: u64 = found.groups.iter().map(|group| group.count).sum::<u64>() + found.others;
    if lines > 0 {
        out.line(&table.trim_fmt())?;
    }
    out.flush()?;
    let more = found.groups.len().saturating_sub(args.top);
    if more > 0 {
        say(&format!("and {more} groups more; --top shows them"));
    }
    if found.others > 0 {
        say(&format!("{} lines of further shapes are in no group", grouped(found.others)));
    }
    say(&format!("{} refused lines in {} groups", grouped(lines), found.groups.len()));
    if lines > 0 {
        let path = args.path.display().to_string();
        say(&format!(
            "next: portolan rejects {} --group 1        the lines of a group, and where they are wrong",
            neutral(&path)
        ));
        say(&format!(
            "      portolan rejects {} --group 1 --raw | portolan batch -      read them again after a fix",
            neutral(&path)
        ));
    }
    Ok(())
}

fn detail(group: &Group) -> Result<(), Failure> {
    let mut out = Out::stdout();
    out.line(&format!(
        "{} lines, family {}: {}",
        grouped(group.count),
        neutral(&group.family),
        neutral(&group.reason)
    ))?;
    out.line(&format!("received {} to {}", neutral(&group.received.0), neutral(&group.received.1)))?;
    out.line(&format!("shape    {}", neutral(&group.shape)))?;
    for refused in &group.examples {
        out.line("")?;
        out.line(&format!("{}, byte {}: {}", neutral(&refused.place), refused.byte, neutral(&refused.reason)))?;
        // the trouble may lie far behind what can be shown: then the example begins a little before it
        let byte = usize::try_from(refused.byte).unwrap_or(usize::MAX).min(refused.raw.len());
        let from = if byte + 40 > EXAMPLE_CHARS { byte - 40.min(byte) } else { 0 };
        let dots = if from > 0 { "…" } else { "" };
        out.line(&format!("  {dots}{}", neutral_bytes(&refused.raw[from..], EXAMPLE_CHARS)))?;
    }
    out.flush().map(drop)
}

fn lines_of(args: &RejectsArgs, group: &Group) -> Result<(), Failure> {
    let wanted = (group.family.clone(), group.reason.clone(), group.shape.clone());
    let mut out = Out::stdout();
    quarantine::each(&args.path, &mut |refused| {
        if quarantine::likeness(&refused) == wanted { raw(&refused.raw, &mut out) } else { Ok(()) }
    })?;
    out.flush().map(drop)
}

fn raw(record: &[u8], out: &mut Out) -> Result<(), Failure> {
    if out.write(record)? == Reader::Gone || out.write(b"\n")? == Reader::Gone {
        // Whoever read has seen enough; the rest is not worth reading.
        std::process::exit(0);
    }
    Ok(())
}
