//! Signing in by temporary passwords, which a double of AWS gives.

use ebb_core::{Code, port::Wanted};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{Double, double::source};
use crate::{
    aws::{Answer, Aws},
    postgres::Source,
};

/// The answer of a cluster's API.
fn of_cluster(action: &str, user: &str, password: &str, minutes: i64) -> Answer {
    let until = Timestamp::now() + SignedDuration::from_mins(minutes);
    Answer::of(format!(
        "<{action}Response xmlns=\"http://redshift.amazonaws.com/doc/2012-12-01/\"><{action}Result>\
         <DbUser>{user}</DbUser><DbPassword>{password}</DbPassword><Expiration>{until}</Expiration>\
         </{action}Result></{action}Response>"
    ))
}

/// Serverless' answer.
fn of_workgroup(user: &str, password: &str) -> Answer {
    let until = (Timestamp::now() + SignedDuration::from_hours(1)).as_second();
    let body = json!({
        "dbUser": user, "dbPassword": password, "expiration": until, "nextRefreshTime": until,
    });
    Answer::of(body.to_string())
}

/// Settings that ask AWS for the password of a role.
fn settings(double: &Double, aws: &Aws, others: &Value) -> Map<String, Value> {
    let mut settings = double.settings_without_user();
    settings.extend(aws.settings());
    settings.extend(others.as_object().unwrap().clone());
    settings
}

/// Whether it is reached and lets one sign in.
async fn connects(source: &Source) -> Result<(), ebb_core::Failure> {
    let findings = source.0.check().await;
    findings.into_iter().take(2).find_map(|step| step.failure).map_or(Ok(()), Err)
}

#[tokio::test]
async fn a_cluster_gives_a_password_that_is_kept_while_it_is_good() {
    let Some(double) = Double::start("redshift_iam").await else { return };
    double.server.role("ebb_redshift_iam").await;
    let aws = Aws::start().await;
    let source =
        source(settings(&double, &aws, &json!({ "cluster": "shop", "user": "ebb_redshift_iam" })));
    let good = |minutes| {
        of_cluster("GetClusterCredentials", "IAM:ebb_redshift_iam", "secret-of-the-role", minutes)
    };
    // The first is as good as expired.
    aws.will_answer([good(0), good(60)]);
    for _ in 0..3 {
        connects(&source).await.unwrap();
    }
    insta::assert_snapshot!(aws.asked().join("\n"));
}

#[tokio::test]
async fn who_holds_the_key_may_be_the_user() {
    let Some(double) = Double::start("redshift_iam_user").await else { return };
    double.server.role("ebb_redshift_iam_user").await;
    let aws = Aws::start().await;
    let role = json!({
        "cluster": "shop", "role_arn": "arn:aws:iam::123456789012:role/ebb", "external_id": "between-us",
    });
    let serverless = json!({ "workgroup": "shop" });
    for (others, answer) in [
        (
            role,
            of_cluster(
                "GetClusterCredentialsWithIAM",
                "ebb_redshift_iam_user",
                "secret-of-the-role",
                60,
            ),
        ),
        (serverless, of_workgroup("ebb_redshift_iam_user", "secret-of-the-role")),
    ] {
        aws.will_answer([answer]);
        let source = source(settings(&double, &aws, &others));
        connects(&source).await.unwrap();
        let failure = source
            .0
            .preview(&crate::postgres::model("select 1 as id from pg_authid"), Wanted::First, 1)
            .await
            .unwrap_err();
        assert!(failure.message().contains("user `ebb_redshift_iam_user`"), "{failure}");
    }
    insta::assert_snapshot!(aws.asked().join("\n"));
}

#[tokio::test]
async fn a_refused_password_is_replaced_once_and_then_told() {
    let Some(double) = Double::start("redshift_iam_refused").await else { return };
    double.server.role("ebb_redshift_iam_refused").await;
    let aws = Aws::start().await;
    let answer = |password| {
        of_cluster("GetClusterCredentials", "IAM:ebb_redshift_iam_refused", password, 60)
    };
    let source = source(settings(
        &double,
        &aws,
        &json!({ "cluster": "shop", "user": "ebb_redshift_iam_refused" }),
    ));
    aws.will_answer([answer("hunter2"), answer("secret-of-the-role")]);
    connects(&source).await.unwrap();
    assert_eq!(aws.asked().len(), 2);

    double.server.run("alter role ebb_redshift_iam_refused password 'changed'").await;
    aws.will_answer([answer("hunter2")]);
    let failure = connects(&source).await.unwrap_err();
    double.server.run("alter role ebb_redshift_iam_refused password 'secret-of-the-role'").await;
    assert_eq!(aws.asked().len(), 3);
    insta::assert_snapshot!(format!("{failure}\n  {}", failure.advice()), @r"
    S102: the server refused the password of user `ebb_redshift_iam_refused`; it was a temporary one, just given by AWS
      See that `cluster` and `host` are of the same cluster, and that the database has the user
    ");
}

#[tokio::test]
async fn what_aws_refuses_is_told_with_what_mends_it() {
    let Some(double) = Double::start("redshift_iam_aws").await else { return };
    let aws = Aws::start().await;
    let serverless = json!({ "workgroup": "shop" });
    let mut told = Vec::new();
    let json = |status, code: &str| Answer {
        status,
        ..Answer::of(json!({ "__type": code, "message": "as AWS says it" }).to_string())
    };
    for answers in [
        vec![json(400, "AccessDeniedException")],
        vec![json(400, "ResourceNotFoundException")],
        vec![json(400, "ExpiredTokenException"), json(400, "ExpiredTokenException")],
        vec![json(429, "ThrottlingException"); 6],
        vec![Answer::of("<html>")],
    ] {
        let answers = answers.into_iter().map(|mut answer| {
            answer.headers.push(("retry-after", "0".to_owned()));
            answer
        });
        aws.will_answer(answers);
        let source = source(settings(&double, &aws, &serverless));
        let failure = connects(&source).await.unwrap_err();
        told.push(format!("{failure}\n  {}", failure.advice()));
    }
    let mut unknown = settings(&double, &aws, &serverless);
    unknown.insert("secret_access_key".to_owned(), "hunter2".into());
    let failure = connects(&source(unknown)).await.unwrap_err();
    assert_eq!(failure.code, Code::SourceAuth);
    told.push(format!("{failure}\n  {}", failure.advice()));
    let told = told.join("\n");
    assert!(!told.contains("hunter2"), "{told}");
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn a_busy_service_is_asked_again() {
    let Some(double) = Double::start("redshift_iam_busy").await else { return };
    double.server.role("ebb_redshift_iam_busy").await;
    let aws = Aws::start().await;
    let mut busy = Answer::refusal(503, "ServiceUnavailable", "later");
    busy.headers.push(("retry-after", "0".to_owned()));
    aws.will_answer([
        busy,
        Answer::refusal(400, "Throttling", "slower"),
        of_workgroup("ebb_redshift_iam_busy", "secret-of-the-role"),
    ]);
    let source = source(settings(&double, &aws, &json!({ "workgroup": "shop" })));
    connects(&source).await.unwrap();
    assert_eq!(aws.asked().len(), 3);
}
