//! The settings of a `postgres` source, read and checked once.

use ebb_core::{Failure, config::Settings};

use super::form::FORM;
use crate::{
    given::{Given, wrong},
    pgwire::{ConnectionSettings, Product, SslMode},
};

static POSTGRES: Product =
    Product { sslmode_here: Some(SslMode::Prefer), admission: "the server's pg_hba.conf" };

/// How to connect, and what the diff may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PostgresSettings {
    pub(super) connection: ConnectionSettings,
    /// Memory of one sort or hash of the diff, as the server writes it.
    pub(super) work_mem: Option<String>,
}

impl PostgresSettings {
    /// Reads the settings; keys given beside `url` win over the URL's. Fails with `S115`.
    pub(super) fn read(settings: &Settings, managed_schema: &str) -> Result<Self, Failure> {
        let given = Given::read(&FORM, settings)?;
        let connection = ConnectionSettings::of(&POSTGRES, &given, managed_schema)?;
        let work_mem = given.get("work_mem");
        if let Some(work_mem) = work_mem {
            let digits = work_mem.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
            let unit = work_mem.strip_prefix(digits).unwrap_or_default();
            if digits.parse::<u32>().is_err() || !matches!(unit, "kB" | "MB" | "GB") {
                return Err(wrong("work_mem", work_mem, "a size such as `256MB`"));
            }
        }
        Ok(Self { connection, work_mem: work_mem.map(str::to_owned) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ebb_core::{Code, Failure, Secret};
    use serde_json::{Value, json};

    use super::PostgresSettings;
    use crate::pgwire::SslMode;

    fn read(settings: Value) -> Result<PostgresSettings, Failure> {
        let Value::Object(settings) = settings else { panic!("settings are an object") };
        PostgresSettings::read(&settings.into(), "managed")
    }

    fn refused(settings: Value) -> String {
        let failure = read(settings).unwrap_err();
        assert_eq!(failure.code, Code::SourceSettings);
        format!("{} | {}", failure.message(), failure.advice())
    }

    #[test]
    fn a_url_and_single_settings_say_the_same() {
        let url =
            "postgresql://ann%40x:p%2Fw@db.example:6432/shop?sslmode=require&connect_timeout=3";
        let single = json!({
            "host": "db.example", "port": 6432, "user": "ann@x", "password": "p/w",
            "database": "shop", "sslmode": "require", "connect_timeout": "3s",
        });
        let settings = read(json!({ "url": url })).unwrap();
        assert_eq!(settings, read(single).unwrap());
        assert_eq!(settings.connection.password, Some(Secret::new("p/w")));
        assert_eq!(settings.connection.connect_timeout, Duration::from_secs(3));
    }

    #[test]
    fn what_stands_beside_the_url_wins() {
        let url = "postgres://ann:old@h/shop";
        let settings = read(json!({ "url": url, "password": "new", "sslmode": "verify-ca" }));
        let settings = settings.unwrap();
        assert_eq!(settings.connection.password, Some(Secret::new("new")));
        assert_eq!(settings.connection.sslmode, SslMode::VerifyCa);
    }

    #[test]
    fn what_is_left_out_has_safe_defaults() {
        let settings = read(json!({ "host": "h", "user": "ann" })).unwrap();
        assert_eq!(
            (settings.connection.port, settings.connection.database.as_str()),
            (5432, "ann")
        );
        assert_eq!((settings.connection.sslmode, settings.work_mem), (SslMode::VerifyFull, None));
        for here in ["localhost", "127.0.0.1", "::1", "/run/postgresql"] {
            let settings = read(json!({ "host": here, "user": "ann" })).unwrap();
            assert_eq!(settings.connection.sslmode, SslMode::Prefer, "{here}");
        }
    }

    #[test]
    fn a_folder_is_a_unix_socket() {
        for settings in [
            json!({ "host": "/run/postgresql", "user": "ann" }),
            json!({ "url": "postgres://ann@%2Frun%2Fpostgresql/shop" }),
            json!({ "url": "postgres:///shop?host=/run/postgresql&user=ann" }),
        ] {
            let settings = read(settings).unwrap();
            assert!(settings.connection.is_socket());
            assert_eq!(settings.connection.host, "/run/postgresql");
        }
    }

    #[test]
    fn wrong_settings_are_named() {
        let cases = [
            json!({ "hots": "h", "user": "ann" }),
            json!({ "host": "h" }),
            json!({ "user": "ann" }),
            json!({ "host": "h", "user": "ann", "port": 70_000 }),
            json!({ "host": "h", "user": "ann", "sslmode": "verify" }),
            json!({ "host": "h", "user": "ann", "sslcert": "a.pem" }),
            json!({ "host": "h", "user": "ann", "statement_timeout": "soon" }),
            json!({ "host": "h", "user": "ann", "work_mem": "much" }),
            json!({ "host": ["h"], "user": "ann" }),
            json!({ "url": "postgres://ann@h/d?ssl_mode=require" }),
        ];
        let told: Vec<String> = cases.into_iter().map(refused).collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn a_wrong_url_is_never_shown() {
        for url in ["postgres://ann:hunter2@h:port/d", "mysql://ann:hunter2@h/d", "hunter2"] {
            assert!(!refused(json!({ "url": url })).contains("hunter2"));
        }
    }
}
