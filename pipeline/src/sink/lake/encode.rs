//! One Parquet file: which form each column gets, and the writer that puts row groups into it.
//!
//! Measured with `examples/lake_encode.rs` (see docs/performance.md). What makes it so: no dictionary where values hardly
//! repeat, delta encoding for numbers, statistics per chunk and not per page, row groups that are not too small. Zstd at
//! level 1 takes 0.3 µs a row; LZ4 saves no time that can be measured and makes files a third larger. Bloom filters on two
//! addresses cost 3 %.

use std::sync::Arc;

use arrow_schema::{Field, Schema};
use parquet::arrow::ArrowSchemaConverter;
use parquet::errors::Result as ParquetResult;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{SchemaDescPtr, SchemaDescriptor};

use super::chunk::{Encoder, Wanted};
use super::columns::{Column, Store};
use super::error::{LakeError, of_any};
use super::log::STATS_COLUMNS;
use super::stats;
use super::store::{DataOutput, Store as Files};
use super::types::data_fields;
use super::{DataFile, FileStats};

/// Rows of a row group: what a filter can skip. Half of it costs 0.2 µs a row more, in pages and compression
/// contexts that a hundred columns begin anew; twice as much gains 0.06.
pub(super) const ROW_GROUP_ROWS: usize = 65_536;

/// Rows after which a file is closed and the next one begun.
pub(super) const FILE_ROWS_MAX: usize = 1_000_000;

/// Bytes after which a file is closed and the next one begun.
pub(super) const FILE_BYTES_MAX: usize = 128 << 20;

/// Columns of text whose values hardly repeat: no dictionary is made for them.
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

/// Addresses that people search for, with a bloom filter. A filter on each address column would cost 3 % of the encoding
/// for every two of them; `client_ip` and `server_ip` are the same addresses again.
const BLOOM_COLUMNS: &[&str] = &["src_ip", "dst_ip"];

/// How a table's files are laid out.
pub(super) struct Layout {
    schema: SchemaDescPtr,
    properties: WriterPropertiesPtr,
    wanted: Vec<Wanted>,
}

impl Layout {
    /// The layout of a table of these columns.
    pub(super) fn of(schema: &Schema) -> ParquetResult<Self> {
        // Every column is optional, as the log says, whatever the rows' schema promises.
        let columns: Vec<Field> = data_fields(schema).map(|field| field.clone().with_nullable(true)).collect();
        let wanted = columns.iter().map(|field| Wanted {
            text_bounds: STATS_COLUMNS.contains(&field.name().as_str()),
            bloom: BLOOM_COLUMNS.contains(&field.name().as_str()),
        });
        let wanted = wanted.collect();
        let properties = WriterProperties::builder()
            .set_created_by(concat!("portolan ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_offset_index_disabled(true);
        Ok(Self {
            schema: Arc::new(ArrowSchemaConverter::new().convert(&Schema::new(columns))?),
            properties: Arc::new(properties.build()),
            wanted,
        })
    }

    /// An empty column for a field of the table.
    pub(super) fn column(field: &Field) -> Column {
        let name = field.name().as_str();
        Column::new(Store::new(field.data_type(), DISTINCT_TEXT.contains(&name)))
    }
}

/// A data file under way.
pub(super) struct FileWriter {
    /// Path relative to the table's folder.
    path: String,
    date_days: i32,
    rows: usize,
    layout: Arc<Layout>,
    writer: SerializedFileWriter<DataOutput>,
    display: String,
}

impl FileWriter {
    /// Begins the file `path`, relative to `table`'s folder.
    pub(super) fn create(
        store: &Arc<Files>,
        table: &str,
        path: String,
        date_days: i32,
        layout: &Arc<Layout>,
    ) -> Result<Self, LakeError> {
        let output = store.create(format!("{table}/{path}"))?;
        let display = output.display();
        let schema = SchemaDescriptor::root_schema_ptr(&layout.schema);
        let writer = SerializedFileWriter::new(output, schema, Arc::clone(&layout.properties))
            .map_err(|error| of_any("begin a data file", &display, &error))?;
        Ok(Self { path, date_days, rows: 0, layout: Arc::clone(layout), writer, display })
    }

    /// Encodes rows of the window as a row group.
    pub(super) fn write(&mut self, encoder: &mut Encoder, columns: &[Column], rows: &[u32]) -> Result<(), LakeError> {
        self.rows += rows.len();
        self.row_group(encoder, columns, rows).map_err(|error| of_any("write a data file", &self.display, &error))
    }

    fn row_group(&mut self, encoder: &mut Encoder, columns: &[Column], rows: &[u32]) -> ParquetResult<()> {
        let mut group = self.writer.next_row_group()?;
        for (at, column) in columns.iter().enumerate() {
            let chunk = encoder.encode(column, rows, self.layout.schema.column(at), self.layout.wanted[at])?;
            group.append_column(&chunk.bytes, chunk.close)?;
        }
        group.close()?;
        Ok(())
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
