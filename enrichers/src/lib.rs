//! Fills columns of a batch from other columns and from tables that it is handed.
//!
//! ```text
//! parser --FlowBatch--> asset -> orientation -> service -> exposure -> geo --FlowBatch--> scan
//! ```
//!
//! A pass is a plain record: what it reads, what it writes, and a function over a batch. They stand in one list, in
//! the order in which they run; a test checks that each field read is written by a parser or by an earlier pass.
//! Passes keep nothing between batches and can't fail, so that the same events and the same tables give the same
//! columns in any partitioning and at any speed. Tables are read whole from bytes that the caller brings: nothing
//! here opens a file or asks the time.

mod asset;
mod asset_csv;
mod asset_yaml;
mod assets;
mod exposure;
mod geo;
mod networks;
mod orientation;
mod ports;
mod prefix;
mod protocols;
mod service;
mod tables;

use schemas::{Field, FlowBatch};

pub use asset_csv::read_csv;
pub use asset_yaml::read_yaml;
pub use assets::{Asset, AssetColumn, AssetRow, Assets, TableError, TableErrorKind};
pub use geo::{Geo, GeoError};
pub use networks::OwnNetworks;
pub use ports::{PortFacts, PortTable};
pub use prefix::{Answer, Network, PrefixEntry, PrefixTable};
pub use protocols::{Protocol, Recognised, recognise};
pub use tables::{Options, Tables};

/// One enricher: what it reads, what it writes, and how.
#[derive(Clone, Copy)]
pub struct Pass {
    /// Its name, for metrics and messages.
    pub name: &'static str,
    /// Fields that it looks at.
    pub reads: &'static [Field],
    /// Fields that it sets.
    pub writes: &'static [Field],
    /// Runs it over a batch that is not sealed yet.
    pub run: fn(&Tables, &mut FlowBatch),
}

macro_rules! passes {
    ($($name:ident),+ $(,)?) => {
        /// Every pass, in the order in which they run.
        pub const PASSES: &[Pass] = &[$($name::PASS),+];
    };
}

passes! { asset, orientation, service, exposure, geo }

/// Runs every pass over a batch. Call it after parsing and before [`FlowBatch::seal`].
pub fn enrich(tables: &Tables, batch: &mut FlowBatch) {
    debug_assert!(!batch.is_sealed(), "a sealed batch takes no values");
    for pass in PASSES {
        (pass.run)(tables, batch);
    }
}
