//! The place where a lake lies: a folder of this machine, or a bucket behind the same interface.
//!
//! Data files of a folder are written straight to a file that is not yet called `.parquet` and renamed when
//! they are whole, so that neither memory grows with them nor a glob over the folder meets half of one. An
//! object store has no half-written objects: there a file is encoded in memory and sent at once.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_kernel::object_store::local::LocalFileSystem;
use delta_kernel::object_store::path::Path as ObjectPath;
use delta_kernel::object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use delta_kernel::try_parse_uri;
use delta_kernel_default_engine::executor::TaskExecutor;
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use delta_kernel_default_engine::storage::store_from_url;

use super::error::{LakeError, of_any, of_io};

/// Bytes gathered before the operating system is asked to write.
const WRITE_BUFFER_BYTES: usize = 1 << 20;

/// A lake's root, opened.
pub(super) struct Store {
    /// The root as a URL that ends with a slash.
    url: String,
    /// The root's folder, where it is a local one.
    folder: Option<PathBuf>,
    /// Path of the root inside the object store.
    prefix: String,
    /// The object store, for the log always and for data files where there is no folder.
    pub(super) objects: Arc<dyn ObjectStore>,
    /// Runs the futures of the object store; the rest of the pipeline is threads.
    pub(super) executor: Arc<TokioMultiThreadExecutor>,
}

impl Store {
    /// Opens `root`, a folder (made if missing) or a URL.
    pub(super) fn open(root: &str) -> Result<Self, LakeError> {
        let bad_root = |why: String| LakeError::BadRoot { root: root.to_owned(), why };
        let local = root.strip_prefix("file://").unwrap_or(root);
        let is_folder = !local.contains("://");
        if is_folder {
            if Path::new(local).exists() && !Path::new(local).is_dir() {
                return Err(bad_root("there is a file of that name".to_owned()));
            }
            fs::create_dir_all(local).map_err(|error| of_io("create the lake's folder", local, &error))?;
        }
        let mut url =
            try_parse_uri(if is_folder { local } else { root }).map_err(|error| bad_root(error.to_string()))?;
        if !url.path().ends_with('/') {
            let with_slash = format!("{}/", url.path());
            url.set_path(&with_slash);
        }
        let (objects, folder): (Arc<dyn ObjectStore>, _) = if is_folder {
            let folder = fs::canonicalize(local).map_err(|error| of_io("open the lake's folder", local, &error))?;
            (Arc::new(LocalFileSystem::new().with_fsync(true)), Some(folder))
        } else {
            (store_from_url(&url).map_err(|error| bad_root(error.to_string()))?, None)
        };
        let prefix = ObjectPath::from_url_path(url.path()).map_err(|error| bad_root(error.to_string()))?;
        // Two workers, because writing a checkpoint waits for reads from within a task.
        let executor = TokioMultiThreadExecutor::new_owned_runtime(Some(2), None)
            .map_err(|error| of_any("start the lake's runtime", root, &error))?;
        Ok(Self { url: url.to_string(), folder, prefix: prefix.to_string(), objects, executor: Arc::new(executor) })
    }

    /// The URL of a table's folder, with a slash at its end. A local folder is made: the kernel opens none that
    /// does not exist.
    pub(super) fn table_url(&self, table: &str) -> Result<String, LakeError> {
        if let Some(folder) = &self.folder {
            let folder = folder.join(table);
            fs::create_dir_all(&folder)
                .map_err(|error| of_io("create a table's folder", folder.display().to_string(), &error))?;
        }
        Ok(format!("{}{table}/", self.url))
    }

    /// The object store.
    pub(super) fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.objects)
    }

    /// The root's path inside the object store.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Waits for the object store.
    pub(super) fn block_on<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        self.executor.block_on(work)
    }

    /// How people call `relative`: a path where it is one, else a URL.
    pub(super) fn display(&self, relative: &str) -> String {
        match &self.folder {
            Some(folder) => folder.join(relative).display().to_string(),
            None => format!("{}{relative}", self.url),
        }
    }

    /// Begins a data file at `relative` to the root.
    pub(super) fn create(self: &Arc<Self>, relative: String) -> Result<DataOutput, LakeError> {
        let sink = match &self.folder {
            None => Output::Memory(Vec::new()),
            Some(folder) => {
                let path = folder.join(&relative);
                let unfinished = path.with_extension("parquet.unfinished");
                let parent = path.parent().expect("a data file lies in its table's folder");
                fs::create_dir_all(parent)
                    .map_err(|error| of_io("create a partition's folder", self.display(&relative), &error))?;
                let file = fs::File::create(&unfinished)
                    .map_err(|error| of_io("create a data file", self.display(&relative), &error))?;
                Output::File { writer: BufWriter::with_capacity(WRITE_BUFFER_BYTES, file), unfinished, path }
            }
        };
        Ok(DataOutput { store: Arc::clone(self), relative, sink: Some(sink) })
    }
}

enum Output {
    File { writer: BufWriter<fs::File>, unfinished: PathBuf, path: PathBuf },
    Memory(Vec<u8>),
}

/// A data file under way. Dropped without [`DataOutput::publish`], it leaves nothing behind.
pub(super) struct DataOutput {
    store: Arc<Store>,
    relative: String,
    /// `None` once published.
    sink: Option<Output>,
}

/// What a published file is.
pub(super) struct Published {
    pub(super) size: u64,
    /// Milliseconds since the epoch, by the clock of the store.
    pub(super) modified_ms: i64,
}

impl DataOutput {
    /// Makes the file durable under its name. It is not part of any table yet.
    pub(super) fn publish(&mut self) -> Result<Published, LakeError> {
        let at = self.store.display(&self.relative);
        match self.sink.take().expect("a file is published once, by the call that consumes its writer") {
            Output::File { writer, unfinished, path } => {
                let publish = || -> io::Result<Published> {
                    let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
                    file.sync_all()?;
                    let facts = file.metadata()?;
                    fs::rename(&unfinished, &path)?;
                    if let Some(parent) = path.parent() {
                        // The name lives in the folder, and so must be synced there. A new partition's own
                        // name lives one folder further up.
                        fs::File::open(parent)?.sync_all()?;
                        if let Some(table) = parent.parent() {
                            fs::File::open(table)?.sync_all()?;
                        }
                    }
                    Ok(Published { size: facts.len(), modified_ms: milliseconds(&facts) })
                };
                publish().map_err(|error| {
                    // Best effort: the error that is reported is the one that mattered.
                    let _ = fs::remove_file(&unfinished);
                    of_io("write a data file", at, &error)
                })
            }
            Output::Memory(bytes) => {
                let path = ObjectPath::parse(format!("{}/{}", self.store.prefix, self.relative))
                    .map_err(|error| of_any("name a data file", &at, &error))?;
                let objects = Arc::clone(&self.store.objects);
                let put = async move {
                    objects.put(&path, PutPayload::from(bytes)).await?;
                    objects.head(&path).await
                };
                let facts =
                    self.store.executor.block_on(put).map_err(|error| of_any("send a data file", at, &error))?;
                Ok(Published { size: facts.size, modified_ms: facts.last_modified.timestamp_millis() })
            }
        }
    }

    /// How people call this file.
    pub(super) fn display(&self) -> String {
        self.store.display(&self.relative)
    }
}

fn milliseconds(facts: &fs::Metadata) -> i64 {
    let modified = facts.modified().ok();
    let since_epoch = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since_epoch.map_or(0, |duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

impl Write for DataOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.sink {
            Some(Output::File { writer, .. }) => writer.write(bytes),
            Some(Output::Memory(buffer)) => buffer.write(bytes),
            None => Err(io::Error::other("the file is already published")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Some(Output::File { writer, .. }) => writer.flush(),
            Some(Output::Memory(_)) | None => Ok(()),
        }
    }
}

impl Drop for DataOutput {
    fn drop(&mut self) {
        if let Some(Output::File { unfinished, .. }) = &self.sink {
            // Best effort: a sweep of old unreferenced files takes what is left.
            let _ = fs::remove_file(unfinished);
        }
    }
}
