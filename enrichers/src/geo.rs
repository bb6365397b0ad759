//! Pass: country and autonomous system of the ends that are not ours, from MaxMind-format databases.
//!
//! The files are handed over as bytes; nothing is bundled. A look-up walks up to 128 bits and decodes a record, some
//! hundred nanoseconds, so each batch keeps a direct-mapped memo of addresses; a cache shared by threads would need a
//! lock and save little more.

use std::fmt;

use hashbrown::HashMap;
use maxminddb::{MaxMindDbError, PathElement, Reader};
use schemas::{Field, FieldKind, Flag, FlowBatch, Ip, Key, Span, key};
use sha2::{Digest, Sha256};

use crate::{Pass, Tables};

/// See the module's text.
pub const PASS: Pass = Pass {
    name: "geo",
    reads: &[Field::SrcIp, Field::DstIp, Field::SrcInternal, Field::DstInternal],
    writes: &[Field::SrcCountry, Field::DstCountry, Field::SrcAsn, Field::DstAsn, Field::SrcAsOrg, Field::DstAsOrg],
    run,
};

/// The databases.
pub struct Geo {
    country: Option<Reader<Vec<u8>>>,
    asn: Option<Reader<Vec<u8>>>,
    digest: Vec<u8>,
}

/// A file that is not a MaxMind-format database.
#[derive(Debug)]
pub struct GeoError {
    /// Which of the two.
    pub which: &'static str,
    /// The reader's own words.
    pub source: MaxMindDbError,
}

impl fmt::Display for GeoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the {} database can't be read: {}; expected a file in MaxMind's format (.mmdb)",
            self.which, self.source
        )
    }
}

impl std::error::Error for GeoError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl Geo {
    /// No database: the pass does nothing.
    pub fn none() -> Geo {
        Geo { country: None, asn: None, digest: Vec::new() }
    }

    /// From the bytes of a country (or city) database and of an ASN database.
    ///
    /// # Errors
    /// [`GeoError`] for the first that is not one.
    pub fn open(country: Option<Vec<u8>>, asn: Option<Vec<u8>>) -> Result<Geo, GeoError> {
        let mut digest = Vec::new();
        let mut open = |which, bytes: Option<Vec<u8>>| -> Result<Option<Reader<Vec<u8>>>, GeoError> {
            let Some(bytes) = bytes else { return Ok(None) };
            digest.extend_from_slice(&Sha256::digest(&bytes));
            Reader::from_source(bytes).map(Some).map_err(|source| GeoError { which, source })
        };
        let (country, asn) = (open("country", country)?, open("ASN", asn)?);
        Ok(Geo { country, asn, digest })
    }

    /// Whether there is no database.
    pub fn is_empty(&self) -> bool {
        self.country.is_none() && self.asn.is_none()
    }

    pub(crate) fn digest(&self) -> &[u8] {
        &self.digest
    }
}

#[derive(Clone, Copy, Default)]
struct Facts {
    country: Option<Span>,
    asn: Option<u64>,
    org: Option<Span>,
}

const MEMO_SLOTS: usize = 1024;

struct View<'t> {
    geo: &'t Geo,
    memo: Vec<Option<(Ip, Facts)>>,
    /// Countries and operators, each kept once a batch.
    texts: HashMap<&'t str, Span>,
}

fn run(tables: &Tables, batch: &mut FlowBatch) {
    if tables.geo.is_empty() {
        return;
    }
    let mut view = View { geo: &tables.geo, memo: vec![None; MEMO_SLOTS], texts: HashMap::new() };
    for row in 0..batch.len() {
        if let (Some(ip), Some(Flag::False)) = (batch.get(row, key::SRC_IP), batch.get(row, key::SRC_INTERNAL)) {
            let facts = view.facts(batch, ip);
            set(batch, row, &facts, key::SRC_COUNTRY, key::SRC_ASN, key::SRC_AS_ORG);
        }
        if let (Some(ip), Some(Flag::False)) = (batch.get(row, key::DST_IP), batch.get(row, key::DST_INTERNAL)) {
            let facts = view.facts(batch, ip);
            set(batch, row, &facts, key::DST_COUNTRY, key::DST_ASN, key::DST_AS_ORG);
        }
    }
}

fn set<T: FieldKind<Value = Span>, L: FieldKind<Value = u64>>(
    batch: &mut FlowBatch,
    row: usize,
    facts: &Facts,
    country: Key<T>,
    asn: Key<L>,
    org: Key<T>,
) {
    if let Some(span) = facts.country {
        batch.set(row, country, span);
    }
    if let Some(number) = facts.asn {
        batch.set(row, asn, number);
    }
    if let Some(span) = facts.org {
        batch.set(row, org, span);
    }
}

impl<'t> View<'t> {
    fn facts(&mut self, batch: &mut FlowBatch, ip: Ip) -> Facts {
        let bits = ip.to_bits();
        let folded = (bits as u64) ^ (bits >> 64) as u64;
        let at = (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize % MEMO_SLOTS;
        if let Some((known, facts)) = self.memo[at]
            && known == ip
        {
            return facts;
        }
        let facts = self.look_up(batch, ip);
        self.memo[at] = Some((ip, facts));
        facts
    }

    /// A damaged record is no record: enrichers do not fail.
    fn look_up(&mut self, batch: &mut FlowBatch, ip: Ip) -> Facts {
        let mut facts = Facts::default();
        let address = ip.to_std();
        if let Some(found) = self.geo.country.as_ref().and_then(|reader| reader.lookup(address).ok()) {
            for root in ["country", "registered_country"] {
                let path = [PathElement::Key(root), PathElement::Key("iso_code")];
                if let Ok(Some(code)) = found.decode_path::<&'t str>(&path) {
                    facts.country = Some(self.keep(batch, code));
                    break;
                }
            }
        }
        if let Some(found) = self.geo.asn.as_ref().and_then(|reader| reader.lookup(address).ok()) {
            let number = found.decode_path::<u32>(&[PathElement::Key("autonomous_system_number")]);
            facts.asn = number.ok().flatten().map(u64::from);
            let org = found.decode_path::<&'t str>(&[PathElement::Key("autonomous_system_organization")]);
            facts.org = org.ok().flatten().map(|org| self.keep(batch, org));
        }
        facts
    }

    fn keep(&mut self, batch: &mut FlowBatch, text: &'t str) -> Span {
        *self.texts.entry(text).or_insert_with(|| batch.keep(text.as_bytes()))
    }
}
