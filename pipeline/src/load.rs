//! Reads what a run needs before the first record: rules, assets, geo databases. Everything that is wrong is told at once.

use rules::scan::RawSample;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::SchemaRef;
use enrichers::{Geo, Network, Options, Tables};
use rules::RuleSet;

use crate::demo;
use crate::error::Failure;
use crate::sink::lake::Table;
use crate::stages::Engine;

/// The rule library that the program brings along: (name, text) of each file, in name order.
pub const LIBRARY: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// What a run is given to judge by.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Rule files and folders; none means the library.
    pub rules: Vec<PathBuf>,
    /// Asset files: CSV, or YAML by their name's ending.
    pub assets: Vec<PathBuf>,
    /// MaxMind-format database of countries.
    pub country: Option<PathBuf>,
    /// MaxMind-format database of autonomous systems.
    pub asn: Option<PathBuf>,
    /// Networks that are ours although their addresses are public.
    pub own_networks: Vec<Network>,
    /// Whose network it is; part of alerts' ids.
    pub tenant: Arc<str>,
}

/// A configured network as the enrichers take it; `None` can't be, because its parts are checked already.
pub fn network(net: ipnet::IpNet) -> Option<Network> {
    Network::new(net.network().into(), net.prefix_len())
}

/// The lake's tables with their columns, as `Lake::open` wants them.
pub fn tables(raw: schemas::arrow::RawLine) -> Vec<(Table, SchemaRef)> {
    vec![
        (Table::Flows, schemas::arrow::flows_schema(raw)),
        (Table::Alerts, schemas::arrow::alerts_schema()),
        (Table::Rejects, schemas::arrow::rejects_schema()),
    ]
}

/// Reads and compiles everything.
///
/// # Errors
/// All that is wrong in rules and tables, or the first file that can't be read.
pub fn engine(sources: &Sources, raw_in_hits: RawSample) -> Result<Engine, Failure> {
    let rules = rules(&sources.rules)?;
    let mut assets = Vec::new();
    for path in &sources.assets {
        assets.extend(asset_rows(path)?);
    }
    let geo = geo(sources.country.as_deref(), sources.asn.as_deref())?;
    let options = Options { own_networks: sources.own_networks.clone() };
    Ok(Engine::new(rules, Tables::new(assets, geo, &options), sources.tenant.clone(), raw_in_hits))
}

/// Rules of the library and assets of the shipped incident.
///
/// # Errors
/// None, as long as what ships is right; tests see to that.
pub fn incident(raw_in_hits: RawSample) -> Result<Engine, Failure> {
    let rows = enrichers::read_csv(demo::estate::ASSETS_CSV.as_bytes());
    let rows = rows.map_err(|errors| Failure::assets(Path::new("assets.csv"), errors))?;
    let tables = Tables::new(rows, Geo::none(), &Options::default());
    Ok(Engine::new(rules(&[])?, tables, Arc::from(""), raw_in_hits))
}

/// Rules of files and folders, or of the library if there are none.
///
/// # Errors
/// Everything that is wrong in them.
pub fn rules(paths: &[PathBuf]) -> Result<RuleSet, Failure> {
    let mut files = Vec::new();
    if paths.is_empty() {
        files.extend(LIBRARY.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    }
    for path in crate::source::file::list(paths)? {
        let name = path.to_string_lossy().into_owned();
        let yaml = name.ends_with(".yaml") || name.ends_with(".yml");
        if yaml && !name.ends_with(".events.yaml") || paths.contains(&path) {
            let text = fs::read_to_string(&path).map_err(Failure::unreadable("rule file", &path))?;
            files.push((name, text));
        }
    }
    RuleSet::load(&files).map_err(|errors| Failure::Rules(errors.iter().map(ToString::to_string).collect()))
}

/// The rows of an asset file.
///
/// # Errors
/// The file can't be read, or everything that is wrong in it.
pub fn asset_rows(path: &Path) -> Result<Vec<enrichers::AssetRow>, Failure> {
    let bytes = fs::read(path).map_err(Failure::unreadable("asset file", path))?;
    let yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let rows = if yaml { enrichers::read_yaml(&String::from_utf8_lossy(&bytes)) } else { enrichers::read_csv(&bytes) };
    rows.map_err(|errors| Failure::assets(path, errors))
}

/// Databases of countries and of autonomous systems.
///
/// # Errors
/// A file can't be read, or is no such database.
pub fn geo(country: Option<&Path>, asn: Option<&Path>) -> Result<Geo, Failure> {
    let read = |path: Option<&Path>| {
        path.map(|path| fs::read(path).map_err(Failure::unreadable("geo database", path))).transpose()
    };
    let (country_bytes, asn_bytes) = (read(country)?, read(asn)?);
    let named =
        || [country, asn].into_iter().flatten().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    Geo::open(country_bytes, asn_bytes).map_err(|error| Failure::Assets(vec![format!("{}: {error}", named())]))
}
