//! One Parquet file: which encoding each column gets, and the writer that applies it.
//!
//! Measured with `examples/lake_encode.rs` over ASA and Suricata lines on one core of a busy machine (130 columns,
//! of which about 45 have values; noise 15 %): 1.6 µs and 28 bytes a row, of which sorting takes 0.3 to 0.4. Of a
//! made-up load with more text, 1.4 µs and 41 bytes. What made it so: no dictionary where values hardly repeat,
//! delta encoding for numbers, statistics per chunk and not per page, row groups that are not too small. Zstd at
//! level 1 takes 0.3 µs; LZ4 saves no time that can be measured and makes files a third larger. Bloom filters on
//! two addresses cost 3 %. Fifty columns without any value cost 0.05 µs together. A larger `write_batch_size` than
//! the default is slower, and another allocator changes nothing.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::error::{LakeError, of_any};
use super::log::STATS_COLUMNS;
use super::stats;
use super::store::{DataOutput, Store};
use super::types::is_text;
use super::{DataFile, FileStats};

/// Rows of a row group: what a filter can skip. Half of it costs 0.2 µs a row more, in pages and compression
/// contexts that a hundred columns begin anew; twice as much gains 0.06.
pub(super) const ROW_GROUP_ROWS: usize = 65_536;

/// Rows after which a file is closed and the next one begun.
pub(super) const FILE_ROWS_MAX: usize = 1_000_000;

/// Bytes after which a file is closed and the next one begun.
pub(super) const FILE_BYTES_MAX: usize = 128 << 20;

/// A data file under way.
pub(super) struct FileWriter {
    /// Path relative to the table's folder.
    path: String,
    date_days: i32,
    rows: usize,
    writer: ArrowWriter<DataOutput>,
    display: String,
}

impl FileWriter {
    /// Begins the file `path`, relative to `table`'s folder.
    pub(super) fn create(
        store: &Arc<Store>,
        table: &str,
        path: String,
        date_days: i32,
        schema: SchemaRef,
        properties: WriterProperties,
    ) -> Result<Self, LakeError> {
        let output = store.create(format!("{table}/{path}"))?;
        let display = output.display();
        // The Arrow schema is left out of the file: readers shall see plain Parquet, not our choice of layouts.
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(output, schema, options)
            .map_err(|error| of_any("begin a data file", &display, &error))?;
        Ok(Self { path, date_days, rows: 0, writer, display })
    }

    /// Encodes rows.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        self.rows += batch.num_rows();
        self.writer.write(batch).map_err(|error| of_any("write a data file", &self.display, &error))
    }

    /// Whether the file has reached its size.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= FILE_ROWS_MAX || self.writer.bytes_written() >= FILE_BYTES_MAX
    }

    /// Writes the footer and makes the file durable.
    pub(super) fn finish(mut self) -> Result<DataFile, LakeError> {
        let failed = |error| of_any("finish a data file", &self.display, &error);
        let footer = self.writer.finish().map_err(failed)?;
        let stats: FileStats = stats::of_footer(&footer);
        // Not `into_inner`, which would write the footer a second time. The writer has flushed its own buffer.
        let published = self.writer.inner_mut().publish()?;
        Ok(DataFile {
            path: self.path,
            size: published.size,
            modified_ms: published.modified_ms,
            date_days: self.date_days,
            stats,
        })
    }
}

/// How a column is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Text with many distinct values: a dictionary would be built, overflow, and be thrown away.
    Distinct,
    /// An address: as `Distinct`, with a bloom filter.
    Address,
    /// Few distinct values, or values that repeat in runs.
    Repeating,
    /// Numbers that grow slowly or lie close together.
    Number,
}

/// Columns of text whose values hardly repeat.
const DISTINCT_TEXT: &[&str] = &[
    "raw",
    "extras",
    "message",
    "process_command",
    "parent_command",
    "url",
    "session_id",
    "community_id",
    "dns_answers",
    "evidence",
    "alert_id",
];

/// Numbers of 32 bits that hardly repeat, unlike the ports of services.
const DISTINCT_NUMBERS: &[&str] = &["src_port", "client_port", "nat_src_port"];

/// Addresses that people search for. A filter on each address column would cost 3 % of the encoding for every
/// two of them; `client_ip` and `server_ip` are the same addresses again.
const BLOOM_COLUMNS: &[&str] = &["src_ip", "dst_ip"];

fn shape_of(field: &Field) -> Shape {
    let name = field.name().as_str();
    match field.data_type() {
        text if is_text(text) && BLOOM_COLUMNS.contains(&name) => Shape::Address,
        text if is_text(text) && name.ends_with("_ip") => Shape::Distinct,
        text if is_text(text) && DISTINCT_TEXT.contains(&name) => Shape::Distinct,
        text if is_text(text) => Shape::Repeating,
        DataType::Int32 if DISTINCT_NUMBERS.contains(&name) => Shape::Number,
        DataType::Int32 | DataType::Boolean => Shape::Repeating,
        DataType::Int64 | DataType::Timestamp(_, _) | DataType::Date32 => Shape::Number,
        _ => Shape::Repeating,
    }
}

/// The encodings for a table's columns.
pub(super) fn properties(schema: &SchemaRef) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_created_by(concat!("portolan ", env!("CARGO_PKG_VERSION")).to_owned());
    for field in schema.fields() {
        let path = ColumnPath::from(field.name().as_str());
        builder = match shape_of(field) {
            Shape::Distinct => builder.set_column_dictionary_enabled(path, false),
            Shape::Address => builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_bloom_filter_enabled(path.clone(), std::env::var("XBLOOM").is_err())
                .set_column_bloom_filter_max_ndv(path, ROW_GROUP_ROWS as u64),
            Shape::Repeating => builder.set_column_dictionary_enabled(path, true),
            Shape::Number => builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
        };
        // Finding the least and the greatest of texts that nobody asks for by range costs 3 %.
        if is_text(field.data_type()) && !STATS_COLUMNS.contains(&field.name().as_str()) {
            let path = ColumnPath::from(field.name().as_str());
            builder = builder.set_column_statistics_enabled(path, EnabledStatistics::None);
        }
    }
    builder.build()
}
