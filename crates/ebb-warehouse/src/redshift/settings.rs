//! The settings of a `redshift` source, read and checked once.

use ebb_core::{Code, Failure, config::Settings};

use crate::{
    given::{Given, Server},
    pgwire::{ConnectionSettings, Product, SslMode},
};

static REDSHIFT: Product = Product {
    server: Server {
        kind: "redshift",
        name: "Redshift",
        schemes: &["redshift", "postgres", "postgresql"],
        port: 5439,
        keys: &[
            "url",
            "host",
            "port",
            "database",
            "user",
            "password",
            "sslmode",
            "sslrootcert",
            "connect_timeout",
            "statement_timeout",
        ],
    },
    // A cluster's certificate comes from an authority that every system trusts.
    sslmode: SslMode::VerifyFull,
    admission: "the cluster's security group and parameter group",
};

/// What other clients call the settings of temporary credentials.
const IAM: [&str; 10] = [
    "iam",
    "cluster",
    "cluster_identifier",
    "workgroup",
    "region",
    "profile",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "role_arn",
];

/// Reads the settings; keys given beside `url` win over the URL's. Fails with `S115`.
pub(super) fn read(
    settings: &Settings,
    managed_schema: &str,
) -> Result<ConnectionSettings, Failure> {
    if let Some((key, _)) = settings.iter().find(|(key, _)| IAM.iter().any(|known| known == key)) {
        let message =
            format!("temporary credentials, to which `{key}` belongs, are not supported yet");
        return Err(Failure::new(Code::SourceSettings, message)
            .help("Create a database user with a password, and give `user` and `password`"));
    }
    let given = Given::read(&REDSHIFT.server, settings)?;
    ConnectionSettings::of(&REDSHIFT, &given, managed_schema)
}

#[cfg(test)]
mod tests {
    use ebb_core::{Code, Failure};
    use serde_json::{Value, json};

    use crate::pgwire::{ConnectionSettings, SslMode};

    fn read(settings: Value) -> Result<ConnectionSettings, Failure> {
        let Value::Object(settings) = settings else { panic!("settings are an object") };
        super::read(&settings.into(), "managed")
    }

    #[test]
    fn what_is_left_out_has_the_defaults_of_the_service() {
        let settings = read(json!({ "url": "redshift://ann:p%2Fw@h/dev" })).unwrap();
        assert_eq!((settings.port, settings.database.as_str()), (5439, "dev"));
        assert_eq!(settings.sslmode, SslMode::VerifyFull);
    }

    #[test]
    fn wrong_settings_are_named() {
        let cases = [
            json!({ "host": "h", "user": "ann", "work_mem": "1GB" }),
            json!({ "host": "h" }),
            json!({ "host": "h", "workgroup": "shop", "region": "eu-central-1" }),
            json!({ "url": "mysql://ann:hunter2@h/d" }),
            json!({ "host": "h", "user": "ann", "sslmode": "verify" }),
        ];
        let told = cases.map(|settings| {
            let failure = read(settings).unwrap_err();
            assert_eq!(failure.code, Code::SourceSettings);
            format!("{} | {}", failure.message(), failure.advice())
        });
        insta::assert_snapshot!(told.join("\n"));
    }
}
