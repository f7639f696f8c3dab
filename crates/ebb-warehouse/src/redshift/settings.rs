//! The settings of a `redshift` source, read and checked once.

use ebb_core::{Code, Failure, config::Settings};

use super::{form::FORM, iam::Place, unload::UnloadSettings};
use crate::{
    aws::AwsSettings,
    form::Setting,
    given::{Given, wrong},
    pgwire::{ConnectionSettings, Product},
};

static REDSHIFT: Product = Product {
    // A cluster's certificate comes from an authority that every system trusts.
    sslmode_here: None,
    admission: "the cluster's security group and parameter group",
};

/// Where to connect, and how to sign in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RedshiftSettings {
    pub(super) connection: ConnectionSettings,
    /// Who gives temporary passwords; absent where the settings have a lasting one.
    pub(super) passwords: Option<Place>,
    /// Where many rows go by way of S3.
    pub(super) unload: Option<UnloadSettings>,
    /// How to talk to AWS, if anything is asked there.
    pub(super) aws: Option<AwsSettings>,
}

/// Reads the settings; keys given beside `url` win over the URL's. Fails with `S115`.
pub(super) fn read(settings: &Settings, managed_schema: &str) -> Result<RedshiftSettings, Failure> {
    let given = Given::read(&FORM, settings)?;
    let (passwords, unload) = (place(&given)?, unload(&given)?);
    let connection = if passwords.is_some() {
        given.required("database")?;
        let user = given.get("user").unwrap_or_default().to_owned();
        ConnectionSettings::of_user(&REDSHIFT, &given, user, managed_schema)?
    } else {
        ConnectionSettings::of(&REDSHIFT, &given, managed_schema)?
    };
    let aws = if passwords.is_some() || unload.is_some() {
        Some(AwsSettings::read(&given, region(&connection.host))?)
    } else if let Some(Setting { key, .. }) =
        AwsSettings::SETTINGS.iter().find(|setting| given.get(setting.key).is_some())
    {
        return Err(refuse(format!(
            "`{key}` is for temporary passwords and for `unload`, of which there are none"
        ))
        .help("Name the cluster as `cluster`, or the workgroup of Serverless as `workgroup`"));
    } else {
        None
    };
    Ok(RedshiftSettings { connection, passwords, unload, aws })
}

/// Where many rows go, if they do not come through a cursor.
fn unload(given: &Given) -> Result<Option<UnloadSettings>, Failure> {
    let Some(to) = given.get("unload") else {
        let alone = ["unload_role", "unload_rows"].into_iter().find(|key| given.get(key).is_some());
        return alone
            .map_or(Ok(None), |key| Err(refuse(format!("`{key}` is given without `unload`"))));
    };
    let expected = "a bucket, and a folder in it if you like, as in `s3://bucket/folder`";
    let place = to.strip_prefix("s3://").ok_or_else(|| wrong("unload", to, expected))?;
    let (bucket, folder) = place.split_once('/').unwrap_or((place, ""));
    let plain = |text: &str, others: &str| {
        text.chars().all(|one| one.is_ascii_alphanumeric() || others.contains(one))
    };
    if bucket.is_empty() || !plain(bucket, "-.") || !plain(folder, "-._/=") {
        return Err(wrong("unload", to, expected));
    }
    let folder = folder.trim_matches('/');
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let rows = given.value("unload_rows").unwrap_or_default();
    Ok(Some(UnloadSettings {
        bucket: bucket.to_owned(),
        prefix,
        role: given.value("unload_role").unwrap_or_default().to_owned(),
        rows: rows
            .parse()
            .map_err(|_| wrong("unload_rows", rows, "a number of rows such as `100000`"))?,
    }))
}

/// Who gives temporary passwords, if that is the way to sign in.
fn place(given: &Given) -> Result<Option<Place>, Failure> {
    let user = given.get("user").map(str::to_owned);
    let place = match (given.get("cluster"), given.get("workgroup")) {
        (None, None) => return Ok(None),
        (Some(identifier), None) => Place::Cluster { identifier: identifier.to_owned(), user },
        (None, Some(_)) if user.is_some() => {
            return Err(refuse("`user` is given beside `workgroup`")
                .help("Leave `user` out: Serverless names the user after who holds the AWS key"));
        }
        (None, Some(workgroup)) => Place::Workgroup(workgroup.to_owned()),
        (Some(_), Some(_)) => return Err(refuse("both `cluster` and `workgroup` are given")),
    };
    if given.get("password").is_some() {
        return Err(refuse("`password` is given beside `cluster` or `workgroup`")
            .help("Keep `password`, or leave it out and have AWS give temporary ones"));
    }
    Ok(Some(place))
}

/// The region in the name of an endpoint: `shop.abc123.eu-central-1.redshift.amazonaws.com`.
fn region(host: &str) -> Option<&str> {
    let (before, service) = host.rsplit_once(".redshift")?;
    let is_endpoint = service.trim_start_matches("-serverless").starts_with(".amazonaws.com");
    before.rsplit('.').next().filter(|_| is_endpoint)
}

fn refuse(message: impl Into<String>) -> Failure {
    Failure::new(Code::SourceSettings, message)
}

#[cfg(test)]
mod tests {
    use ebb_core::{Code, Failure};
    use serde_json::{Value, json};

    use super::{RedshiftSettings, region};
    use crate::{pgwire::SslMode, redshift::iam::Place};

    fn read(settings: Value) -> Result<RedshiftSettings, Failure> {
        let Value::Object(settings) = settings else { panic!("settings are an object") };
        super::read(&settings.into(), "managed")
    }

    #[test]
    fn what_is_left_out_has_the_defaults_of_the_service() {
        let settings = read(json!({ "url": "redshift://ann:p%2Fw@h/dev" })).unwrap();
        let connection = settings.connection;
        assert_eq!((connection.port, connection.database.as_str()), (5439, "dev"));
        assert_eq!(connection.sslmode, SslMode::VerifyFull);
        assert_eq!((settings.passwords, settings.aws), (None, None));
    }

    #[test]
    fn the_endpoint_tells_the_region_of_temporary_passwords() {
        let host = "shop.abc123.eu-central-1.redshift.amazonaws.com";
        let settings =
            read(json!({ "host": host, "database": "dev", "user": "ebb", "cluster": "shop" }))
                .unwrap();
        let user = Some("ebb".to_owned());
        let place = Place::Cluster { identifier: "shop".to_owned(), user };
        assert_eq!(settings.passwords, Some(place));
        assert_eq!(settings.aws.unwrap().region, "eu-central-1");
        assert_eq!(
            region("shop.123456789012.cn-north-1.redshift-serverless.amazonaws.com.cn"),
            Some("cn-north-1")
        );
        assert_eq!(region("warehouse.example.com"), None);
        assert_eq!(region("eu.redshift.example.com"), None);
    }

    #[test]
    fn many_rows_may_go_by_way_of_a_bucket() {
        let unload = |to: &str| {
            let settings =
                json!({ "host": "h", "user": "ann", "region": "eu-central-1", "unload": to });
            let unload = read(settings).unwrap().unload.unwrap();
            (unload.bucket, unload.prefix, unload.role, unload.rows)
        };
        let expected =
            |prefix: &str| ("b".to_owned(), prefix.to_owned(), "default".to_owned(), 100_000);
        assert_eq!(unload("s3://b"), expected(""));
        assert_eq!(unload("s3://b/a/c/"), expected("a/c/"));
    }

    #[test]
    fn wrong_settings_are_named_and_secrets_are_not_told() {
        let serverless = |others: Value| {
            let mut settings = json!({ "host": "h", "database": "d", "workgroup": "shop" });
            let all = settings.as_object_mut().unwrap();
            all.extend(others.as_object().unwrap().clone());
            settings
        };
        let cases = [
            json!({ "host": "h", "user": "ann", "work_mem": "1GB" }),
            json!({ "host": "h" }),
            json!({ "url": "mysql://ann:hunter2@h/d" }),
            json!({ "host": "h", "user": "ann", "sslmode": "verify" }),
            json!({ "host": "h", "user": "ann", "password": "hunter2", "profile": "shop" }),
            serverless(json!({})),
            serverless(json!({ "region": "eu-central-1", "cluster": "shop" })),
            serverless(json!({ "region": "eu-central-1", "user": "ann" })),
            serverless(json!({ "region": "eu-central-1", "password": "hunter2" })),
            serverless(json!({ "region": "eu-central-1", "access_key_id": "AKIA" })),
            serverless(
                json!({ "region": "eu-central-1", "profile": "shop", "secret_access_key": "hunter2" }),
            ),
            serverless(json!({ "region": "eu-central-1", "external_id": "hunter2" })),
            serverless(json!({ "region": "eu-central-1", "aws_endpoint": "http://example.com" })),
            json!({ "host": "h", "workgroup": "shop", "region": "eu-central-1" }),
            json!({ "host": "h", "user": "ann", "unload_rows": 7 }),
            json!({ "host": "h", "user": "ann", "unload": "bucket" }),
            json!({ "host": "h", "user": "ann", "unload": "s3://bucket/it's" }),
            json!({ "host": "h", "user": "ann", "unload": "s3://bucket", "unload_rows": "many" }),
            json!({ "host": "h", "user": "ann", "unload": "s3://bucket" }),
        ];
        let told = cases.map(|settings| {
            let failure = read(settings).unwrap_err();
            assert_eq!(failure.code, Code::SourceSettings);
            format!("{} | {}", failure.message(), failure.advice())
        });
        let told = told.join("\n");
        assert!(!told.contains("hunter2"), "{told}");
        insta::assert_snapshot!(told);
    }

    #[test]
    fn debug_shows_no_secret() {
        let settings = read(json!({
            "host": "h", "database": "d", "workgroup": "shop", "region": "eu-central-1",
            "access_key_id": "AKIA", "secret_access_key": "hunter2", "session_token": "hunter2",
        }));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
