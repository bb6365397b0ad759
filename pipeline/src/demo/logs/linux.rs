//! Linux servers: sshd, PAM, sudo and logind through syslog.
//!
//! Most write RFC 3164 with its stamp of the last century (no year, no zone, whole seconds); every fourth is newer and
//! writes RFC 3339 to the microsecond, so that the demo meets both.

use crate::demo::estate::{Host, Name, User};
use crate::demo::text::{Hex, Ip, Stamp, mix, put};

/// Something that a Linux server says.
#[derive(Clone, Copy, Debug)]
pub(in crate::demo) struct Say {
    pub(in crate::demo) host: Host,
    pub(in crate::demo) pid: u32,
    pub(in crate::demo) told: Told,
}

/// What it says.
#[derive(Clone, Copy, Debug)]
pub(in crate::demo) enum Told {
    /// A login with a key or a password.
    Accepted { user: User, src: u32, port: u16, key: bool },
    /// A wrong password.
    Failed { user: User, src: u32, port: u16 },
    /// PAM's line of the same attempt.
    PamFailed { user: User, src: u32 },
    /// PAM opens or closes a session of a program.
    Session { user: User, program: &'static str, open: bool },
    /// The client said goodbye.
    Disconnected { user: User, src: u32, port: u16 },
    /// A command as root.
    Sudo { user: User, command: u8 },
    /// logind's line of a new session.
    Logind { user: User },
}

const COMMANDS: [&str; 6] = [
    "/usr/bin/systemctl status nginx",
    "/usr/bin/journalctl -u app --since today",
    "/usr/bin/apt-get update",
    "/usr/bin/tail -n 100 /var/log/syslog",
    "/usr/sbin/ss -tlnp",
    "/usr/bin/systemctl reload haproxy",
];

/// Whether a host writes times to the microsecond.
pub(in crate::demo) fn precise(host: Host) -> bool {
    host.number() % 4 == 1
}

impl Say {
    pub(in crate::demo) fn write(&self, us: u64, salt: u64, out: &mut Vec<u8>) {
        let program = match self.told {
            Told::Sudo { .. } => "sudo",
            Told::Logind { .. } => "systemd-logind",
            Told::Session { program, .. } => program,
            _ => "sshd",
        };
        put!(out; if program == "sudo" { "<85>" } else { "<86>" });
        if precise(self.host) {
            put!(out; Stamp::Micros(us), "+00:00");
        } else {
            put!(out; Stamp::Bsd(us));
        }
        put!(out; ' ', Name(self.host), ' ', program);
        // sudo writes no number, as on Debian.
        if program != "sudo" {
            put!(out; '[', self.pid, ']');
        }
        put!(out; ": ");
        match self.told {
            Told::Accepted { user, src, port, key } => {
                put!(out; "Accepted ", if key { "publickey" } else { "password" }, " for ", user, " from ", Ip(src));
                put!(out; " port ", port, " ssh2");
                if key {
                    let seed = u64::from(user.rid());
                    put!(out; ": ED25519 SHA256:", Hex(mix(seed) | 1 << 63), Hex(mix(seed + 1) | 1 << 63), "kQzr4bVwXyA");
                }
            }
            Told::Failed { user, src, port } => {
                put!(out; "Failed password for ", user, " from ", Ip(src), " port ", port, " ssh2");
            }
            Told::PamFailed { user, src } => {
                put!(out; "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=");
                put!(out; Ip(src), "  user=", user);
            }
            Told::Session { user, program, open } => {
                let word = if open { "opened" } else { "closed" };
                put!(out; "pam_unix(", program, ":session): session ", word, " for user ", user);
                if open {
                    put!(out; "(uid=", user.rid(), ") by (uid=0)");
                }
            }
            Told::Disconnected { user, src, port } => {
                put!(out; "Disconnected from user ", user, ' ', Ip(src), " port ", port);
            }
            Told::Sudo { user, command } => {
                let command = COMMANDS[usize::from(command) % COMMANDS.len()];
                put!(out; user, " : TTY=pts/", salt % 4, " ; PWD=/home/", user, " ; USER=root ; COMMAND=", command);
            }
            Told::Logind { user } => put!(out; "New session ", 100 + salt % 9000, " of user ", user, '.'),
        }
    }
}
