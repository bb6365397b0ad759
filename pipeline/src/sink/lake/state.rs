//! Small files beside the tables: snapshots of state, which an entry of a table's log names.
//!
//! They are durable before the commit that refers to them, and nobody looks at them otherwise; so a crash in between
//! leaves a file that costs only its bytes.

use std::io::Write as _;

use delta_kernel::object_store::ObjectStoreExt as _;
use delta_kernel::object_store::path::Path as ObjectPath;

use super::error::{of_any, of_io};
use super::{Lake, LakeError};

impl Lake {
    /// Writes a file at `path`, relative to the lake's root, durably; one that is there is replaced.
    ///
    /// # Errors
    /// Whatever the store refuses.
    pub fn write_file(&self, path: &str, bytes: &[u8]) -> Result<(), LakeError> {
        let mut file = self.store.create(path.to_owned())?;
        file.write_all(bytes).map_err(|error| of_io("write a file of state", self.store.display(path), &error))?;
        file.publish().map(drop)
    }

    /// Reads a file at `path`, relative to the lake's root.
    ///
    /// # Errors
    /// Whatever the store refuses; a file that is not there, too.
    pub fn read_file(&self, path: &str) -> Result<Vec<u8>, LakeError> {
        let place = self.place(path)?;
        let objects = self.store.objects();
        let read = async move { objects.get(&place).await?.bytes().await };
        let bytes = self
            .store
            .block_on(read)
            .map_err(|error| of_any("read a file of state", self.store.display(path), &error))?;
        Ok(bytes.to_vec())
    }

    /// Removes a file at `path`, relative to the lake's root.
    ///
    /// # Errors
    /// Whatever the store refuses; a file that is not there, too.
    pub fn remove_file(&self, path: &str) -> Result<(), LakeError> {
        let place = self.place(path)?;
        let objects = self.store.objects();
        let removed = async move { objects.delete(&place).await };
        self.store.block_on(removed).map_err(|error| of_any("remove a file of state", self.store.display(path), &error))
    }

    fn place(&self, path: &str) -> Result<ObjectPath, LakeError> {
        let whole = format!("{}/{path}", self.store.prefix());
        ObjectPath::parse(whole).map_err(|error| of_any("name a file of state", self.store.display(path), &error))
    }
}
