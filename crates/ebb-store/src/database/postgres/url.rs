//! Where the server is and who connects, read from a URL as libpq takes it.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use ebb_core::{Code, Failure, suggest};
use ebb_tls::SslMode;
use percent_encoding::percent_decode_str;
use tokio_postgres::{
    Config,
    config::{Host, TargetSessionAttrs},
};

/// The schema of the control database, unless the URL names another.
const SCHEMA: &str = "ebb";

/// Parameters of a URL that the driver reads.
const OF_THE_DRIVER: [&str; 17] = [
    "host",
    "hostaddr",
    "port",
    "user",
    "password",
    "dbname",
    "options",
    "application_name",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "sslnegotiation",
    "channel_binding",
    "load_balance_hosts",
];

/// A control database on a PostgreSQL server:
/// `postgres://user:password@host:5432/database?sslmode=verify-full`.
///
/// Beside libpq's own parameters it takes `search_path`, the schema to use, which is made if it is
/// missing.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(super) config: Config,
    pub(super) sslmode: SslMode,
    pub(super) sslrootcert: Option<PathBuf>,
    /// The client's certificate and its key.
    pub(super) own: Option<(PathBuf, PathBuf)>,
    pub(super) schema: String,
}

impl FromStr for DatabaseUrl {
    type Err = Failure;

    /// Reads a URL; `C504` if it is none. No message shows it: it holds the password.
    fn from_str(text: &str) -> Result<Self, Failure> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(broken("it does not begin with `postgres://`"));
        }
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let mut theirs = Vec::new();
        let mut ours = Ours::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if OF_THE_DRIVER.contains(&key) {
                theirs.push(pair);
            } else {
                let value = percent_decode_str(value).decode_utf8();
                ours.take(key, &value.map_err(|_| broken("a parameter is not UTF-8"))?)?;
            }
        }
        let mut config: Config = format!("{place}?{}", theirs.join("&"))
            .parse()
            .map_err(|_| broken("its host, its port or a parameter is wrong"))?;
        if config.get_hosts().is_empty() {
            return Err(broken("it names no host"));
        }
        // A server that is gone without a word is noticed within about a minute.
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(Duration::from_secs(30));
        }
        config
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3)
            .target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_application_name().is_none() {
            config.application_name("ebb");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        if !theirs.iter().any(|pair| pair.starts_with("keepalives_idle=")) {
            config.keepalives_idle(Duration::from_secs(30));
        }
        let own = match (ours.certificate, ours.key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) => return Err(broken("`sslcert` is given without `sslkey`")),
            (None, Some(_)) => return Err(broken("`sslkey` is given without `sslcert`")),
        };
        let here = config.get_hosts().iter().all(is_here);
        let safe = if here { SslMode::Prefer } else { SslMode::VerifyFull };
        Ok(Self {
            sslmode: ours.mode.unwrap_or(safe),
            sslrootcert: ours.root,
            own,
            schema: ours.schema.unwrap_or_else(|| SCHEMA.to_owned()),
            config,
        })
    }
}

/// The parameters that the driver does not know.
#[derive(Default)]
struct Ours {
    mode: Option<SslMode>,
    root: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    schema: Option<String>,
}

impl Ours {
    fn take(&mut self, key: &str, value: &str) -> Result<(), Failure> {
        match key {
            "sslmode" => {
                // What is in clear unless the server insists has no use here.
                let modes = SslMode::ALL.into_iter().filter(|mode| *mode != SslMode::Allow);
                let known = modes.clone().find(|mode| mode.as_str() == value);
                self.mode = Some(known.ok_or_else(|| {
                    broken("its `sslmode` is not known")
                        .help(suggest::allowed(value, modes.map(SslMode::as_str)))
                })?);
            }
            "sslrootcert" => self.root = Some(value.into()),
            "sslcert" => self.certificate = Some(value.into()),
            "sslkey" => self.key = Some(value.into()),
            "search_path" => {
                let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
                if value.is_empty() || value.len() > 63 || !value.chars().all(plain) {
                    return Err(broken("`search_path` is not one plain name of a schema"));
                }
                self.schema = Some(value.to_owned());
            }
            // It is not shown: it may be the rest of a password with a question mark in it.
            _ => return Err(broken("it has a parameter that is not known")),
        }
        Ok(())
    }
}

fn broken(what: &str) -> Failure {
    Failure::new(Code::ConfigValue, format!("`--database-url` is not a PostgreSQL URL: {what}"))
        .help(
            "Write it as `postgres://user:password@host:5432/database`; characters such as `@`, `/`, `:`, `?` \
             and `%` in user or password must be percent-encoded",
        )
}

/// Whether a host is this machine: what is sent there crosses no network.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            let address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
    }
}

impl fmt::Display for DatabaseUrl {
    /// The place, without user and password.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ports = self.config.get_ports().iter();
        let mut port = 5432;
        out.write_str("postgres://")?;
        for (number, host) in self.config.get_hosts().iter().enumerate() {
            port = *ports.next().unwrap_or(&port);
            let comma = if number == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(out, "{comma}{name}:{port}")?,
                Host::Unix(folder) => write!(out, "{comma}{}:{port}", folder.display())?,
            }
        }
        write!(
            out,
            "/{}",
            self.config.get_dbname().or_else(|| self.config.get_user()).unwrap_or_default()
        )
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DatabaseUrl, Failure> {
        text.parse()
    }

    #[test]
    fn a_url_has_the_drivers_parameters_and_ours() {
        let url = read(
            "postgres://ann:p%2Fw@db.example:6432/shop?sslmode=require&connect_timeout=3\
             &search_path=crm_ebb&sslrootcert=%2Fetc%2Fca.pem",
        )
        .unwrap();
        assert_eq!((url.sslmode, url.schema.as_str()), (SslMode::Require, "crm_ebb"));
        assert_eq!(url.sslrootcert, Some("/etc/ca.pem".into()));
        assert_eq!(url.config.get_password(), Some(&b"p/w"[..]));
        assert_eq!(url.config.get_connect_timeout(), Some(&Duration::from_secs(3)));
        assert_eq!(url.to_string(), "postgres://db.example:6432/shop");
    }

    #[test]
    fn what_is_left_out_has_safe_defaults() {
        let far = read("postgresql://ann@db.example").unwrap();
        assert_eq!((far.sslmode, far.schema.as_str()), (SslMode::VerifyFull, "ebb"));
        assert_eq!(far.to_string(), "postgres://db.example:5432/ann");
        for here in ["localhost", "127.0.0.1", "%2Frun%2Fpostgresql"] {
            let url = read(&format!("postgres://ann@{here}/shop")).unwrap();
            assert_eq!(url.sslmode, SslMode::Prefer, "{here}");
        }
        let several = read("postgres://ann@a:1,b:2/shop").unwrap();
        assert_eq!(several.to_string(), "postgres://a:1,b:2/shop");
    }

    #[test]
    fn a_wrong_url_is_told_and_never_shown() {
        let wrong = [
            "hunter2",
            "mysql://ann:hunter2@h/d",
            "postgres://ann:hunter2@h:hunter2/d",
            "postgres://ann:x?hunter2@h/d",
            "postgres://ann:hunter2@h/d?sslmode=hunter",
            "postgres://ann:hunter2@h/d?search_path=a,b",
            "postgres://ann:hunter2@h/d?sslcert=a",
            "postgres:///d",
        ];
        for text in wrong {
            let failure = read(text).unwrap_err();
            assert_eq!(failure.code, Code::ConfigValue, "{text}");
            let told = format!("{failure} {} {failure:?}", failure.advice());
            assert!(!told.contains("hunter2"), "{told}");
        }
        let url = read("postgres://ann:hunter2@h/d").unwrap();
        assert!(!format!("{url} {url:?}").contains("hunter2"));
    }
}
