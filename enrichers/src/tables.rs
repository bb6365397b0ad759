//! The tables that passes look things up in, as one consistent snapshot.
//!
//! A snapshot is built whole and never changed; a new inventory is a new snapshot. Its digest goes with what it
//! produced, so that one can tell later which inventory an alert was judged by.

use sha2::{Digest, Sha256};

use crate::assets::{AssetRow, Assets};
use crate::geo::Geo;
use crate::networks::OwnNetworks;
use crate::ports::PortTable;
use crate::prefix::Network;

/// What is configured beside the tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Networks that are ours although their addresses are public.
    pub own_networks: Vec<Network>,
}

/// One snapshot of everything that passes look up.
pub struct Tables {
    pub(crate) ports: &'static PortTable,
    pub(crate) assets: Assets,
    pub(crate) own: OwnNetworks,
    pub(crate) geo: Geo,
    digest: String,
}

impl Tables {
    /// Builds a snapshot. `assets` are the rows of all asset files, in their order; [`Geo::none`] does without geo.
    pub fn new(assets: Vec<AssetRow>, geo: Geo, options: &Options) -> Tables {
        let mut hash = Sha256::new();
        hash.update(PortTable::text());
        for row in &assets {
            // The line number is not part of what a row says.
            hash.update(format!("{:?}", AssetRow { line: 0, ..row.clone() }));
        }
        hash.update(geo.digest());
        hash.update(format!("{options:?}"));
        let digest = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Tables {
            ports: PortTable::shared(),
            assets: Assets::build(assets),
            own: OwnNetworks::new(&options.own_networks),
            geo,
            digest,
        }
    }

    /// Only what the program brings along: the port table.
    pub fn builtin() -> Tables {
        Tables::new(Vec::new(), Geo::none(), &Options::default())
    }

    /// 32 hex digits that differ if any table differs.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The inventory.
    pub fn assets(&self) -> &Assets {
        &self.assets
    }

    /// The port table.
    pub fn ports(&self) -> &PortTable {
        self.ports
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset_csv::read_csv;

    #[test]
    fn the_digest_changes_with_what_the_tables_say_and_not_with_their_layout() {
        let of = |csv: &str| {
            let rows = read_csv(csv.as_bytes()).expect("a right table");
            Tables::new(rows, Geo::none(), &Options::default()).digest().to_owned()
        };
        let one = of("address,role\n10.0.0.5,server\n");
        assert_eq!(one, of("role,address\n\n# a remark\nserver,10.0.0.5\n"));
        assert_ne!(one, of("address,role\n10.0.0.5,client\n"));
        assert_ne!(one, Tables::builtin().digest());
        assert_eq!(one.len(), 32);
    }
}
