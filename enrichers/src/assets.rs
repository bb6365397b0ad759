//! The inventory: which asset an address, a host name or a hardware address belonged to at a time.
//!
//! A row may name an address or a network, a host, a hardware address, or several of them; each becomes a way to find
//! it. A network's row without a host speaks of whatever lives there (role, zone), not of one machine: it lends its
//! facts, while the asset's name stays the single address, so that a rule which groups by asset does not melt a
//! whole subnet into one key. Rows of the same host are the same asset under all their addresses.

use std::fmt;

use hashbrown::HashMap;
use schemas::{Criticality, Ip, Word, nearest};

use crate::prefix::{Answer, Network, PrefixEntry, PrefixTable};

/// One asset, or one network's worth of facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asset {
    /// Its name: the host in lower case without a trailing dot. `None` for a row of a network without a host.
    pub name: Option<String>,
    /// Its role: workstation, server, scanner.
    pub role: Option<String>,
    /// The network zone that it stands in.
    pub zone: Option<String>,
    /// How much it matters.
    pub criticality: Option<Criticality>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Where it stands.
    pub site: Option<String>,
    /// Its operating system.
    pub os: Option<String>,
    /// Its tags, in the order of the file.
    pub tags: Vec<String>,
}

/// Zones that are not ours although the inventory lists them.
const EXTERNAL_ZONES: &[&str] = &["external", "internet", "outside", "untrust", "untrusted", "wan", "partner"];

impl Asset {
    /// Whether it is one of ours: everything that the inventory lists, but for the zones that name the outside.
    pub fn is_internal(&self) -> bool {
        let zone = self.zone.as_deref().unwrap_or_default();
        !EXTERNAL_ZONES.iter().any(|word| word.eq_ignore_ascii_case(zone))
    }
}

/// One row of an asset table, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssetRow {
    /// Line of its file, from 1.
    pub line: usize,
    /// Where it is found by address.
    pub network: Option<Network>,
    /// Hardware address, six bytes.
    pub mac: Option<[u8; 6]>,
    /// What is known of it.
    pub asset: Asset,
    /// From when it holds, microseconds UTC.
    pub from_us: Option<i64>,
    /// Until when, exclusive.
    pub until_us: Option<i64>,
}

/// A column of an asset table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AssetColumn {
    /// An address or a CIDR network.
    Address,
    /// Host name, short or fully qualified.
    Host,
    /// Hardware address.
    Mac,
    /// Role.
    Role,
    /// Network zone.
    Zone,
    /// low, medium, high, critical.
    Criticality,
    /// Who answers for it.
    Owner,
    /// Where it stands.
    Site,
    /// Operating system.
    Os,
    /// Tags, separated by blanks, commas, semicolons or bars; a list in YAML.
    Tags,
    /// When it begins to hold: a date or RFC 3339; a date is its first moment in UTC.
    ValidFrom,
    /// When it ceases to hold: a date (that day still counts, in UTC) or RFC 3339.
    ValidUntil,
}

impl AssetColumn {
    /// Every column with its name.
    pub const ALL: &'static [(AssetColumn, &'static str)] = &[
        (AssetColumn::Address, "address"),
        (AssetColumn::Host, "host"),
        (AssetColumn::Mac, "mac"),
        (AssetColumn::Role, "role"),
        (AssetColumn::Zone, "zone"),
        (AssetColumn::Criticality, "criticality"),
        (AssetColumn::Owner, "owner"),
        (AssetColumn::Site, "site"),
        (AssetColumn::Os, "os"),
        (AssetColumn::Tags, "tags"),
        (AssetColumn::ValidFrom, "valid_from"),
        (AssetColumn::ValidUntil, "valid_until"),
    ];

    /// Names that exports of inventories use for the same; compared without case, blanks, `_`, `-` and `.`.
    const ALIASES: &'static [(&'static str, AssetColumn)] = &[
        ("ip", AssetColumn::Address),
        ("ipaddress", AssetColumn::Address),
        ("cidr", AssetColumn::Address),
        ("network", AssetColumn::Address),
        ("prefix", AssetColumn::Address),
        ("hostname", AssetColumn::Host),
        ("name", AssetColumn::Host),
        ("fqdn", AssetColumn::Host),
        ("dnsname", AssetColumn::Host),
        ("macaddress", AssetColumn::Mac),
        ("operatingsystem", AssetColumn::Os),
        ("location", AssetColumn::Site),
    ];

    /// The column's name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(column, _)| *column == self).map_or("", |(_, name)| name)
    }

    /// Reads a column's name.
    ///
    /// # Errors
    /// The nearest known name, if one is near.
    pub fn parse(text: &str) -> Result<AssetColumn, Option<&'static str>> {
        let bare = |text: &str| -> String {
            text.chars().filter(|c| !matches!(c, ' ' | '_' | '-' | '.')).flat_map(char::to_lowercase).collect()
        };
        let wanted = bare(text);
        Self::ALL
            .iter()
            .map(|(column, name)| (*name, *column))
            .chain(Self::ALIASES.iter().copied())
            .find(|(name, _)| bare(name) == wanted)
            .map(|(_, column)| column)
            .ok_or_else(|| nearest(text, Self::ALL.iter().map(|(_, name)| *name)))
    }
}

/// Something wrong in a table, with its place. The file's name is the caller's to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The offending text, at most 80 characters of it.
    pub found: String,
    /// What is wrong.
    pub kind: TableErrorKind,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

/// What is wrong in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableErrorKind {
    /// The table has no column or key of that name.
    UnknownColumn,
    /// The same column or key stands twice.
    ColumnTwice,
    /// A value is not one of its column.
    BadValue {
        /// The column.
        column: AssetColumn,
        /// What would be right.
        expected: &'static str,
    },
    /// A row has neither address nor host nor mac, so that nothing can be found by it.
    NoKey,
    /// A row has more cells than the header has columns.
    TooManyCells,
    /// `valid_until` is not after `valid_from`.
    EmptyValidity,
    /// The file has no header, or no rows where some are needed.
    NoHeader,
    /// The text is not UTF-8.
    NotUtf8,
    /// The document is not a list of assets, or not YAML at all.
    BadDocument {
        /// The reader's own words.
        why: String,
    },
}

impl TableError {
    pub(crate) fn new(line: usize, column: usize, found: &str, kind: TableErrorKind) -> TableError {
        TableError { line, column, found: found.chars().take(80).collect(), kind, suggestion: None }
    }

    pub(crate) fn suggest(mut self, suggestion: Option<impl Into<String>>) -> TableError {
        self.suggestion = suggestion.map(Into::into);
        self
    }
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TableErrorKind::UnknownColumn => write!(f, "no column is called `{}`", self.found)?,
            TableErrorKind::ColumnTwice => write!(f, "column `{}` stands twice", self.found)?,
            TableErrorKind::BadValue { column, expected } => {
                write!(f, "{} is `{}`, expected {expected}", column.name(), self.found)?;
            }
            TableErrorKind::NoKey => write!(f, "the row has neither address nor host nor mac, so nothing finds it")?,
            TableErrorKind::TooManyCells => write!(f, "`{}` lies beyond the last column of the header", self.found)?,
            TableErrorKind::EmptyValidity => write!(f, "valid_until `{}` is not after valid_from", self.found)?,
            TableErrorKind::NoHeader => {
                write!(f, "the table has no header line with at least `address`, `host` or `mac`")?;
            }
            TableErrorKind::NotUtf8 => write!(f, "the text is not UTF-8; save it as UTF-8")?,
            TableErrorKind::BadDocument { why } => write!(f, "not a list of assets: {why}")?,
        }
        match &self.suggestion {
            Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}

/// One cell of a row, with its place.
pub(crate) struct Cell<'t> {
    pub(crate) column: AssetColumn,
    pub(crate) text: &'t str,
    pub(crate) line: usize,
    pub(crate) at: usize,
}

/// Checks the cells of a row; every error goes to `errors`.
pub(crate) fn check_row(line: usize, cells: &[Cell<'_>], errors: &mut Vec<TableError>) -> Option<AssetRow> {
    let before = errors.len();
    let mut row = AssetRow { line, ..AssetRow::default() };
    for cell in cells {
        let text = cell.text.trim();
        if text.is_empty() || matches!(text, "-" | "N/A" | "n/a" | "null") {
            continue;
        }
        let mut bad = |expected, suggestion: Option<&str>| {
            let kind = TableErrorKind::BadValue { column: cell.column, expected };
            errors.push(TableError::new(cell.line, cell.at, text, kind).suggest(suggestion));
        };
        match cell.column {
            AssetColumn::Address => match Network::parse(text) {
                Some(network) => row.network = Some(network),
                None => bad("an address or a CIDR network, as 10.0.0.5 or 10.0.0.0/24", None),
            },
            AssetColumn::Host => match host_name(text.as_bytes()) {
                Some(name) => row.asset.name = Some(name),
                None => bad("a host name of at most 253 bytes without blanks", None),
            },
            AssetColumn::Mac => match parse_mac(text.as_bytes()) {
                Some(mac) => row.mac = Some(mac),
                None => bad("six bytes in hex, as 02:00:00:00:00:01", None),
            },
            AssetColumn::Criticality => match Criticality::parse(text.as_bytes()) {
                Some(word) => row.asset.criticality = Some(word),
                None => bad("low, medium, high or critical", nearest(text, Criticality::WORDS.iter().copied())),
            },
            AssetColumn::ValidFrom => match parse_moment(text, DayEdge::Begins) {
                Some(us) => row.from_us = Some(us),
                None => bad("a date or RFC 3339 with its offset, as 2026-01-31 or 2026-01-31T08:00:00Z", None),
            },
            AssetColumn::ValidUntil => match parse_moment(text, DayEdge::Ends) {
                Some(us) => {
                    row.until_us = Some(us);
                    if row.from_us.is_some_and(|from| us <= from) {
                        errors.push(TableError::new(cell.line, cell.at, text, TableErrorKind::EmptyValidity));
                    }
                }
                None => bad("a date or RFC 3339 with its offset, as 2026-01-31 or 2026-01-31T08:00:00Z", None),
            },
            AssetColumn::Role => row.asset.role = Some(text.to_owned()),
            AssetColumn::Zone => row.asset.zone = Some(text.to_owned()),
            AssetColumn::Owner => row.asset.owner = Some(text.to_owned()),
            AssetColumn::Site => row.asset.site = Some(text.to_owned()),
            AssetColumn::Os => row.asset.os = Some(text.to_owned()),
            AssetColumn::Tags => {
                let tags = text.split([' ', ',', ';', '|']).filter(|tag| !tag.is_empty());
                row.asset.tags.extend(tags.map(str::to_owned));
            }
        }
    }
    if errors.len() > before {
        return None;
    }
    if row.network.is_none() && row.asset.name.is_none() && row.mac.is_none() {
        let (line, at) = cells.first().map_or((line, 1), |cell| (cell.line, cell.at));
        errors.push(TableError::new(line, at, "", TableErrorKind::NoKey));
        return None;
    }
    Some(row)
}

#[derive(Clone, Copy)]
enum DayEdge {
    Begins,
    Ends,
}

/// Microseconds UTC of a date or an RFC 3339 time.
fn parse_moment(text: &str, edge: DayEdge) -> Option<i64> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_microsecond());
    }
    let date: jiff::civil::Date = text.parse().ok()?;
    let date = match edge {
        DayEdge::Begins => date,
        DayEdge::Ends => date.tomorrow().ok()?,
    };
    Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

/// Six bytes of a hardware address, with `:`, `-`, `.` or nothing between them.
pub(crate) fn parse_mac(text: &[u8]) -> Option<[u8; 6]> {
    let mut mac = [0u8; 6];
    let mut digits = 0;
    for byte in text {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            b':' | b'-' | b'.' => continue,
            _ => return None,
        };
        if digits == 12 {
            return None;
        }
        mac[digits / 2] = mac[digits / 2] << 4 | digit;
        digits += 1;
    }
    (digits == 12).then_some(mac)
}

/// Longest host name. Source: RFC 1035, section 2.3.4.
const HOST_MAX: usize = 253;

/// A host name as it is compared: lower case, without a trailing dot or the `$` of a machine account. `None` if it
/// can't be one.
fn host_name(text: &[u8]) -> Option<String> {
    let mut buffer = [0; HOST_MAX];
    let bare = normalise(text, &mut buffer)?;
    Some(std::str::from_utf8(bare).ok()?.to_owned())
}

fn normalise<'b>(text: &[u8], buffer: &'b mut [u8; HOST_MAX]) -> Option<&'b [u8]> {
    let text = text.strip_suffix(b".").unwrap_or(text);
    let text = text.strip_suffix(b"$").unwrap_or(text);
    if text.is_empty() || text.len() > HOST_MAX {
        return None;
    }
    let bare = &mut buffer[..text.len()];
    bare.copy_from_slice(text);
    bare.make_ascii_lowercase();
    (!bare.iter().any(|byte| *byte <= b' ')).then_some(bare)
}

fn short(name: &[u8]) -> &[u8] {
    name.split(|byte| *byte == b'.').next().unwrap_or(name)
}

/// Values that a name has, each for a while; the last that holds counts.
type Timeline = Vec<(i64, i64, u32)>;

fn timeline_at(timeline: &Timeline, time_us: i64) -> Option<u32> {
    let holds = |(from, until, _): &&(i64, i64, u32)| *from <= time_us && time_us < *until;
    timeline.iter().filter(holds).max_by_key(|(from, _, _)| *from).map(|(_, _, value)| *value)
}

/// What a row gets of an asset: its texts lie one after the other, so that a batch copies them in one piece.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Record {
    start: u32,
    /// Lengths of name, role, owner and zone; 0 is absent.
    pub(crate) lengths: [u16; 4],
    pub(crate) criticality: Option<Criticality>,
    pub(crate) internal: bool,
    /// Whether it speaks of one machine, not of whatever lives in a network.
    pub(crate) single: bool,
}

/// The inventory, ready to be asked.
#[derive(Default)]
pub struct Assets {
    list: Vec<Asset>,
    records: Vec<Record>,
    texts: Vec<u8>,
    prefixes: PrefixTable,
    hosts: HashMap<Box<[u8]>, Timeline>,
    /// First label of fully qualified names: the one full name that has it, or `None` where several do.
    short_names: HashMap<Box<[u8]>, Option<Box<[u8]>>>,
    macs: HashMap<[u8; 6], Timeline>,
    /// Whether some name means an asset only for a while.
    names_change: bool,
}

impl Assets {
    /// Builds the inventory. Where rows contradict each other, the one that became valid later counts, and of two
    /// that began together the later one of the list.
    pub fn build(rows: Vec<AssetRow>) -> Assets {
        let mut assets = Assets::default();
        let mut entries = Vec::new();
        for row in rows {
            let value = assets.list.len() as u32;
            let (from_us, until_us) = (row.from_us.unwrap_or(i64::MIN), row.until_us.unwrap_or(i64::MAX));
            if let Some(network) = row.network {
                entries.push(PrefixEntry { network, from_us, until_us, value });
            }
            if let Some(name) = &row.asset.name {
                let name = name.as_bytes();
                assets.names_change |= row.from_us.is_some() || row.until_us.is_some();
                assets.hosts.entry(name.into()).or_default().push((from_us, until_us, value));
                if name.contains(&b'.') {
                    let full: Box<[u8]> = name.into();
                    assets
                        .short_names
                        .entry(short(name).into())
                        .and_modify(|known| {
                            if known.as_ref().is_some_and(|known| *known != full) {
                                *known = None;
                            }
                        })
                        .or_insert(Some(full.clone()));
                }
            }
            if let Some(mac) = row.mac {
                assets.macs.entry(mac).or_default().push((from_us, until_us, value));
            }
            let single = row.asset.name.is_some() || row.network.is_none_or(Network::is_host);
            assets.push_record(&row.asset, single);
            assets.list.push(row.asset);
        }
        assets.prefixes = PrefixTable::build(&entries);
        assets
    }

    fn push_record(&mut self, asset: &Asset, single: bool) {
        let start = self.texts.len() as u32;
        let lengths = [&asset.name, &asset.role, &asset.owner, &asset.zone].map(|text| {
            let text = text.as_deref().unwrap_or_default().as_bytes();
            let text = &text[..text.len().min(usize::from(u16::MAX))];
            self.texts.extend_from_slice(text);
            text.len() as u16
        });
        let internal = asset.is_internal();
        self.records.push(Record { start, lengths, criticality: asset.criticality, internal, single });
    }

    /// What a row gets of an asset, and its texts in one piece.
    #[inline]
    pub(crate) fn record(&self, index: u32) -> (Record, &[u8]) {
        let record = self.records[index as usize];
        let length: usize = record.lengths.iter().map(|length| usize::from(*length)).sum();
        (record, &self.texts[record.start as usize..][..length])
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The asset of an index that a look-up gave.
    pub fn get(&self, index: u32) -> &Asset {
        &self.list[index as usize]
    }

    /// What is known of an address.
    pub fn look_up(&self, address: Ip) -> Answer {
        self.prefixes.look_up(address)
    }

    /// The asset that held at a time, for the node of an [`Answer::Timed`].
    pub fn at(&self, node: u32, time_us: i64) -> Option<u32> {
        self.prefixes.at(node, time_us)
    }

    /// The asset of an address at a time.
    pub fn by_address(&self, address: Ip, time_us: i64) -> Option<u32> {
        self.prefixes.value(address, time_us)
    }

    /// The asset of a host name at a time: the same name, in any case; else the one asset that has it as the first
    /// label (`rdp-01` for `rdp-01.corp.example`), or that is listed by the first label alone. A short name that fits
    /// several fully qualified ones finds none.
    pub fn by_host(&self, host: &[u8], time_us: i64) -> Option<u32> {
        if self.hosts.is_empty() {
            return None;
        }
        let mut buffer = [0; HOST_MAX];
        let name = normalise(host, &mut buffer)?;
        if let Some(timeline) = self.hosts.get(name) {
            return timeline_at(timeline, time_us);
        }
        let timeline = match self.short_names.get(name) {
            Some(full) => self.hosts.get(full.as_deref()?)?,
            None => self.hosts.get(Some(short(name)).filter(|short| short.len() < name.len())?)?,
        };
        timeline_at(timeline, time_us)
    }

    /// Whether the answer of [`Assets::by_host`] can depend on the time.
    pub fn names_change(&self) -> bool {
        self.names_change
    }

    /// The asset of a hardware address at a time.
    pub fn by_mac(&self, text: &[u8], time_us: i64) -> Option<u32> {
        if self.macs.is_empty() {
            return None;
        }
        timeline_at(self.macs.get(&parse_mac(text)?)?, time_us)
    }
}

/// A host name as assets are named: lower case, without a trailing dot, written into `buffer`.
pub(crate) fn host_as_name<'b>(text: &[u8], buffer: &'b mut [u8; 253]) -> Option<&'b [u8]> {
    normalise(text, buffer)
}
