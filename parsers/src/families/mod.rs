//! The families, one word each. The order is that of detection where two are equally sure.
//!
//! No registration at run time: what is not in this list does not exist, and the golden test compares it with the
//! fixture folders both ways.

use crate::Parser;

macro_rules! families {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        /// Every family, in order of detection.
        pub static FAMILIES: &[&dyn Parser] = &[$(&$name::Family),*];
    };
}

families! {
    checkpoint,
    cisco_asa,
    cisco_ios,
    cisco_ise,
    cisco_meraki,
    f5,
    fortigate,
    sonicwall,
    sophos_xg,
    watchguard,
    squid,
    haproxy,
    pfsense,
    mikrotik,
    windows_firewall,
    ubiquiti,
    nginx,
    iptables,
    juniper_srx,
    linux_auth,
    auditd,
    mail,
    osquery,
    openvpn,
    freeradius,
    falco,
    tetragon,
    ftp,
    xrdp,
    samba,
    openldap,
    mysql,
    postgresql,
    mssql,
    mongodb,
    redis,
    oracle,
    journald,
    panw,
    snort,
    suricata,
    sysmon,
    windows_security,
    zeek,
    aws_vpcflow,
    azure_nsg,
    azure_firewall,
    gcp_vpcflow,
    gcp_firewall,
    hubble,
    cloudtrail,
    netflow,
    okta,
    carbon_black,
    crowdstrike,
    sentinel_one,
    wazuh,
    defender_endpoint,
    duo,
    entra_signin,
    google_workspace,
    ocsf_json,
    ecs_json,
    cef,
    leef,
    gelf,
    splunk_cim,
    otel,
}

/// The place in [`FAMILIES`] of the family of that name or alias; dashes and underscores are alike.
pub fn index_of(name: &str) -> Option<usize> {
    let wanted = name.replace('-', "_").to_ascii_lowercase();
    FAMILIES.iter().position(|family| family.name() == wanted || family.aliases().contains(&wanted.as_str()))
}
