//! What a `redshift` source is and takes.

use crate::{
    aws::AwsSettings,
    form::{
        Form, Setting,
        SettingKind::{Number, Secret},
        common::{CONNECT_TIMEOUT, SSLMODE_OF_LIBPQ, SSLROOTCERT, STATEMENT_TIMEOUT, port, url},
    },
};

pub(crate) static FORM: Form = Form {
    kind: "redshift",
    name: "Redshift",
    description: "A cluster of Amazon Redshift, or a workgroup of Redshift Serverless",
    guide: "docs/sources/redshift.md",
    available: true,
    schemes: &["redshift", "postgres", "postgresql"],
    settings: &SETTINGS,
};

const SETTINGS: [Setting; 23] = {
    let [region, profile, key_id, key, session_token, role, external_id, endpoint] =
        AwsSettings::SETTINGS;
    [
        url(
            "All in one, as `redshift://user:password@host:5439/database`; other settings win over it",
        ),
        Setting::connection(
            "host",
            "Host",
            "The endpoint of the cluster or the workgroup, without port and database",
        )
        .required(),
        port("5439"),
        Setting::connection(
            "database",
            "Database",
            "The database of the models; the user's name if left out, but needed with temporary passwords",
        )
        .leads_nowhere(),
        Setting::sign_in(
            "user",
            "User",
            "The user that Ebb signs in as; Serverless with temporary passwords names it itself",
        ),
        Setting::sign_in(
            "password",
            "Password",
            "The user's password, unless AWS gives temporary ones",
        )
        .of(Secret),
        Setting::sign_in(
            "cluster",
            "Cluster",
            "The cluster whose users sign in by temporary passwords",
        ),
        Setting::sign_in(
            "workgroup",
            "Workgroup",
            "The workgroup of Serverless whose users sign in by temporary passwords",
        ),
        region,
        profile,
        key_id,
        key,
        session_token,
        role,
        external_id,
        endpoint,
        Setting::advanced(
            "unload",
            "Bucket",
            "A bucket and folder by way of which many changes leave, such as `s3://bucket/folder`",
        ),
        Setting::advanced(
            "unload_role",
            "Role for the bucket",
            "The ARN of the role by which the cluster writes to the bucket",
        )
        .by_default("default"),
        Setting::advanced(
            "unload_rows",
            "Changes without bucket",
            "Up to so many changes leave through a cursor all the same",
        )
        .leads_nowhere()
        .of(Number)
        .by_default("100000"),
        SSLMODE_OF_LIBPQ,
        SSLROOTCERT,
        CONNECT_TIMEOUT,
        STATEMENT_TIMEOUT,
    ]
};
