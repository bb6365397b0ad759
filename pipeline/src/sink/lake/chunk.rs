//! A column of a row group: chosen rows of a window's column as Parquet pages, compressed, with statistics.
//!
//! The rows come in the order in which they are to lie in the file, so that sorting happens here, while values are read
//! for the encoder anyway. Numbers become DELTA_BINARY_PACKED, texts that repeat RLE_DICTIONARY with a dictionary of what
//! this row group uses, other texts PLAIN. Data pages are of version 1, which every reader has.
//!
//! Ours and not the parquet crate's column writers, because those take Arrow arrays: texts that are codes already would be
//! gathered, spread and hashed once more. They took three times the core; page headers, footer and bloom filters are theirs.
//! Source: apache/parquet-format, README.md (data pages), Encodings.md; levels are always 0 or 1, for every column is optional and flat.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use super::bits;
use super::columns::{Codes, Column, Store, Texts};

/// Bytes of texts after which a page ends: what a reader has to hold at once. Other columns' pages are whole row groups.
const PAGE_BYTES: usize = 1 << 20;

/// A dictionary larger than this is not written: its texts hardly repeat after all.
const DICTIONARY_BYTES_MAX: usize = 1 << 20;

/// Longest bound of texts in the statistics.
const BOUND_BYTES_MAX: usize = 64;

/// False positives of a bloom filter.
const BLOOM_FALSE: f64 = 0.01;

/// What is wanted of a column besides its values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Least and greatest of texts; of numbers they always are.
    pub(super) text_bounds: bool,
    /// A bloom filter.
    pub(super) bloom: bool,
}

/// An encoded column of a row group.
pub(super) struct Chunk {
    pub(super) bytes: Bytes,
    pub(super) close: ColumnCloseResult,
}

/// Encodes chunks, one after the other; it owns what every chunk needs anew.
pub(super) struct Encoder {
    compressor: Compressor<'static>,
    /// Rows of the chunk that have a value.
    rows: Vec<u32>,
    levels: Vec<u64>,
    codes: Vec<u32>,
    /// The row group's code of each code of the window.
    local: Vec<u32>,
    longs: Vec<i64>,
    ints: Vec<i32>,
    page: Vec<u8>,
    /// Room for a compressed page.
    room: Vec<u8>,
}

impl Encoder {
    pub(super) fn new() -> Self {
        let level = ZstdLevel::default().compression_level();
        Self {
            compressor: Compressor::new(level).expect("the parquet crate's default is a level that zstd has"),
            rows: Vec::new(),
            levels: Vec::new(),
            codes: Vec::new(),
            local: Vec::new(),
            longs: Vec::new(),
            ints: Vec::new(),
            page: Vec::new(),
            room: Vec::new(),
        }
    }

    /// The column's values of `rows`, in that order.
    pub(super) fn encode(
        &mut self,
        column: &Column,
        rows: &[u32],
        described: ColumnDescPtr,
        wanted: Wanted,
    ) -> Result<Chunk> {
        self.choose(column, rows);
        let nulls = (rows.len() - self.rows.len()) as u64;
        let mut pages = Pages::new(rows.len());
        let mut bloom = wanted.bloom.then(|| Sbbf::new_with_ndv_fpp(rows.len() as u64, BLOOM_FALSE)).transpose()?;
        let seen = Seen { bounds: wanted.text_bounds.then(Bounds::default), bloom: bloom.as_mut() };
        let statistics = match &column.values {
            _ if self.rows.is_empty() => {
                self.data_page(&mut pages, 0..rows.len(), Encoding::PLAIN, |_, _| ())?;
                match &column.values {
                    Store::Codes(_) | Store::Texts(_) => Statistics::byte_array(None, None, None, Some(nulls), false),
                    Store::Longs(_) => Statistics::int64(None, None, None, Some(nulls), false),
                    Store::Ints(_) => Statistics::int32(None, None, None, Some(nulls), false),
                    Store::Bools(_) => Statistics::boolean(None, None, None, Some(nulls), false),
                }
            }
            Store::Codes(codes) => text_statistics(self.codes(codes, &mut pages, rows.len(), seen)?, nulls),
            Store::Texts(texts) => text_statistics(self.texts(texts, &mut pages, rows.len(), seen)?, nulls),
            Store::Longs(values) => {
                self.longs.clear();
                self.longs.extend(self.rows.iter().map(|row| values[*row as usize]));
                let bounds = self.longs.iter().copied().min().zip(self.longs.iter().copied().max()).unzip();
                self.data_page(&mut pages, 0..rows.len(), Encoding::DELTA_BINARY_PACKED, |encoder, page| {
                    bits::delta_longs(&encoder.longs, page);
                })?;
                Statistics::int64(bounds.0, bounds.1, None, Some(nulls), false)
            }
            Store::Ints(values) => {
                self.ints.clear();
                self.ints.extend(self.rows.iter().map(|row| values[*row as usize]));
                let bounds = self.ints.iter().copied().min().zip(self.ints.iter().copied().max()).unzip();
                self.data_page(&mut pages, 0..rows.len(), Encoding::DELTA_BINARY_PACKED, |encoder, page| {
                    bits::delta_ints(&encoder.ints, page);
                })?;
                Statistics::int32(bounds.0, bounds.1, None, Some(nulls), false)
            }
            Store::Bools(values) => {
                let has = |wanted| self.rows.iter().any(|row| values[*row as usize] == wanted);
                let bounds = (!has(false), has(true));
                self.data_page(&mut pages, 0..rows.len(), Encoding::PLAIN, |encoder, page| {
                    bits::plain_bools(encoder.rows.iter().map(|row| values[*row as usize]), page);
                })?;
                Statistics::boolean(Some(bounds.0), Some(bounds.1), None, Some(nulls), false)
            }
        };
        // It was made for as many texts as there are rows; most repeat.
        if let Some(bloom) = &mut bloom {
            bloom.fold_to_target_fpp(BLOOM_FALSE);
        }
        pages.close(described, statistics, bloom)
    }

    /// Finds the rows that have a value, and the levels that say so.
    fn choose(&mut self, column: &Column, rows: &[u32]) {
        self.rows.clear();
        self.levels.clear();
        if column.valid.ones() == 0 {
            return;
        }
        for part in rows.chunks(64) {
            let mut word = 0;
            for (bit, row) in part.iter().enumerate() {
                word |= u64::from(column.valid.get(*row as usize)) << bit;
            }
            self.levels.push(word);
            if word.count_ones() as usize == part.len() {
                self.rows.extend_from_slice(part);
                continue;
            }
            let mut rest = word;
            while rest != 0 {
                self.rows.push(part[rest.trailing_zeros() as usize]);
                rest &= rest - 1;
            }
        }
    }

    /// Writes a dictionary of what the rows use, and their places in it; as PLAIN texts where that is not worth it.
    fn codes(&mut self, codes: &Codes, pages: &mut Pages, count: usize, mut seen: Seen<'_>) -> Result<Option<Bounds>> {
        const NONE: u32 = u32::MAX;
        self.local.clear();
        self.local.resize(codes.entries(), NONE);
        self.codes.clear();
        self.page.clear();
        let mut entries = 0;
        for row in &self.rows {
            let local = &mut self.local[codes.codes[*row as usize] as usize];
            if *local == NONE {
                *local = entries;
                entries += 1;
                let text = codes.entry(codes.codes[*row as usize]);
                bits::plain_text(text, &mut self.page);
                seen.text(text);
            }
            self.codes.push(*local);
        }
        if self.page.len() > DICTIONARY_BYTES_MAX {
            self.plain(pages, count, |row| codes.entry(codes.codes[row as usize]), |_| ())?;
            return Ok(seen.bounds);
        }
        let length = self.page.len();
        let buf = compress(&mut self.compressor, &self.page, &mut self.room)?;
        let page = Page::DictionaryPage { buf, num_values: entries, encoding: Encoding::PLAIN, is_sorted: false };
        pages.write(CompressedPage::new(page, length), Encoding::PLAIN)?;
        let width = bits::width_of(entries.saturating_sub(1));
        self.data_page(pages, 0..count, Encoding::RLE_DICTIONARY, |encoder, page| {
            page.push(width as u8);
            bits::hybrid(&encoder.codes, width, page);
        })?;
        Ok(seen.bounds)
    }

    fn texts(&mut self, texts: &Texts, pages: &mut Pages, count: usize, mut seen: Seen<'_>) -> Result<Option<Bounds>> {
        self.plain(pages, count, |row| texts.get(row as usize), |text| seen.text(text))?;
        Ok(seen.bounds)
    }

    /// Texts as they are, in pages of a bounded size.
    fn plain<'t>(
        &mut self,
        pages: &mut Pages,
        count: usize,
        text_of: impl Fn(u32) -> &'t [u8],
        mut seen: impl FnMut(&'t [u8]),
    ) -> Result<()> {
        let (mut from, mut next) = (0, 0);
        while from < count {
            // Where every row has a value, or none of the rest is long, this is one page.
            let (mut to, mut bytes, first) = (from, 0, next);
            while to < count && bytes < PAGE_BYTES {
                if self.levels[to / 64] >> (to % 64) & 1 == 1 {
                    bytes += 4 + text_of(self.rows[next]).len();
                    next += 1;
                }
                to += 1;
            }
            self.data_page(pages, from..to, Encoding::PLAIN, |encoder, page| {
                page.reserve(bytes);
                for row in &encoder.rows[first..next] {
                    let text = text_of(*row);
                    bits::plain_text(text, page);
                    seen(text);
                }
            })?;
            from = to;
        }
        Ok(())
    }

    /// Writes a data page of the chunk's rows `range`: their levels, then what `values` appends.
    fn data_page(
        &mut self,
        pages: &mut Pages,
        range: std::ops::Range<usize>,
        encoding: Encoding,
        values: impl FnOnce(&mut Self, &mut Vec<u8>),
    ) -> Result<()> {
        let mut page = std::mem::take(&mut self.page);
        page.clear();
        page.extend_from_slice(&[0; 4]);
        let count = range.len();
        if self.rows.is_empty() {
            bits::one_run(count, 0, &mut page);
        } else if self.rows.len() == pages.rows {
            bits::one_run(count, 1, &mut page);
        } else {
            bits::hybrid_bits(&shifted(&self.levels, &range), count, &mut page);
        }
        let levels = (page.len() - 4) as u32;
        page[..4].copy_from_slice(&levels.to_le_bytes());
        values(self, &mut page);
        let buf = compress(&mut self.compressor, &page, &mut self.room)?;
        let num_values = count as u32;
        let (level, statistics) = (Encoding::RLE, None);
        let data = Page::DataPage {
            buf,
            num_values,
            encoding,
            def_level_encoding: level,
            rep_level_encoding: level,
            statistics,
        };
        let length = page.len();
        self.page = page;
        pages.write(CompressedPage::new(data, length), encoding)
    }
}

fn compress(compressor: &mut Compressor<'_>, bytes: &[u8], room: &mut Vec<u8>) -> Result<Bytes> {
    room.clear();
    room.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
    compressor.compress_to_buffer(bytes, room)?;
    Ok(Bytes::copy_from_slice(room))
}

/// The bits of `range`, from bit 0 on; those past its end are zero.
fn shifted<'w>(words: &'w [u64], range: &std::ops::Range<usize>) -> std::borrow::Cow<'w, [u64]> {
    if range.start == 0 && range.end.div_ceil(64) == words.len() {
        return words.into();
    }
    let (skip, shift) = (range.start / 64, range.start % 64);
    let word = |at: usize| words.get(at).copied().unwrap_or(0);
    let mut moved: Vec<u64> = (skip..)
        .take(range.len().div_ceil(64))
        .map(|at| word(at) >> shift | if shift == 0 { 0 } else { word(at + 1) << (64 - shift) })
        .collect();
    if let (Some(last), used @ 1..) = (moved.last_mut(), range.len() % 64) {
        *last &= (1 << used) - 1;
    }
    moved.into()
}

/// The pages of a chunk.
struct Pages {
    sink: TrackedWrite<Vec<u8>>,
    rows: usize,
    dictionary_at: Option<u64>,
    data_at: Option<u64>,
    encodings: Vec<Encoding>,
    uncompressed: usize,
}

impl Pages {
    fn new(rows: usize) -> Self {
        let sink = TrackedWrite::new(Vec::new());
        Self { sink, rows, dictionary_at: None, data_at: None, encodings: vec![Encoding::RLE], uncompressed: 0 }
    }

    fn write(&mut self, page: CompressedPage, encoding: Encoding) -> Result<()> {
        let is_dictionary = matches!(page.compressed_page(), Page::DictionaryPage { .. });
        let written = SerializedPageWriter::new(&mut self.sink).write_page(page)?;
        self.uncompressed += written.uncompressed_size;
        if is_dictionary {
            self.dictionary_at = Some(written.offset);
        } else {
            self.data_at = self.data_at.or(Some(written.offset));
        }
        if !self.encodings.contains(&encoding) {
            self.encodings.push(encoding);
        }
        Ok(())
    }

    fn close(self, described: ColumnDescPtr, statistics: Statistics, bloom_filter: Option<Sbbf>) -> Result<Chunk> {
        let bytes = Bytes::from(self.sink.into_inner()?);
        let place = |at: u64| i64::try_from(at).map_err(|error| ParquetError::General(error.to_string()));
        let metadata = ColumnChunkMetaData::builder(described)
            .set_encodings(self.encodings)
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_num_values(self.rows as i64)
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_dictionary_page_offset(self.dictionary_at.map(place).transpose()?)
            .set_data_page_offset(place(self.data_at.unwrap_or(0))?)
            .set_statistics(statistics)
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter,
            column_index: None,
            offset_index: None,
        };
        Ok(Chunk { bytes, close })
    }
}

/// What is noted of a chunk's texts, each at least once.
struct Seen<'b> {
    bounds: Option<Bounds>,
    bloom: Option<&'b mut Sbbf>,
}

impl Seen<'_> {
    #[inline]
    fn text(&mut self, text: &[u8]) {
        if let Some(bounds) = &mut self.bounds {
            bounds.widen(text);
        }
        if let Some(bloom) = &mut self.bloom {
            bloom.insert(text);
        }
    }
}

/// Least and greatest text so far.
#[derive(Default)]
struct Bounds {
    both: Option<(Vec<u8>, Vec<u8>)>,
}

impl Bounds {
    #[inline]
    fn widen(&mut self, text: &[u8]) {
        let set = |bound: &mut Vec<u8>| {
            bound.clear();
            bound.extend_from_slice(text);
        };
        match &mut self.both {
            Some((least, _)) if text < least.as_slice() => set(least),
            Some((_, greatest)) if text > greatest.as_slice() => set(greatest),
            Some(_) => {}
            None => self.both = Some((text.to_vec(), text.to_vec())),
        }
    }
}

fn text_statistics(bounds: Option<Bounds>, nulls: u64) -> Statistics {
    let both = bounds.and_then(|bounds| bounds.both);
    let both = both.and_then(|(least, greatest)| Some((cut_down(least), cut_up(greatest)?)));
    let (least, greatest) = both.map(|(least, greatest)| (ByteArray::from(least), ByteArray::from(greatest))).unzip();
    Statistics::byte_array(least, greatest, None, Some(nulls), false)
}

/// A text that is not greater, and short.
fn cut_down(mut text: Vec<u8>) -> Vec<u8> {
    if text.len() > BOUND_BYTES_MAX {
        let whole = String::from_utf8_lossy(&text);
        let end = whole.floor_char_boundary(BOUND_BYTES_MAX);
        text.truncate(end);
    }
    text
}

/// A text that is not less, and short; `None` if there is none.
fn cut_up(text: Vec<u8>) -> Option<Vec<u8>> {
    if text.len() <= BOUND_BYTES_MAX {
        return Some(text);
    }
    // the last plain letter that has a greater one is raised, and what follows it left out
    let mut cut = text;
    cut.truncate(BOUND_BYTES_MAX);
    let last = cut.iter().rposition(|byte| *byte < 0x7e)?;
    cut.truncate(last + 1);
    cut[last] += 1;
    Some(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn bounds_of_texts_are_short_and_never_cut_the_wrong_way(text in "\\PC{0,90}") {
            let low = cut_down(text.clone().into_bytes());
            proptest::prop_assert!(low.as_slice() <= text.as_bytes() && low.len() <= BOUND_BYTES_MAX);
            proptest::prop_assert!(String::from_utf8(low).is_ok());
            if let Some(high) = cut_up(text.clone().into_bytes()) {
                proptest::prop_assert!(high.as_slice() >= text.as_bytes() && high.len() <= BOUND_BYTES_MAX);
                proptest::prop_assert!(String::from_utf8(high).is_ok());
            }
        }
    }
}
