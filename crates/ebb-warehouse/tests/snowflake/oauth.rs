//! OAuth tokens that Ebb gets itself.

use ebb_core::Code;
use serde_json::{Value, json};

use super::double::{Double, source};

/// Settings of an OAuth client; the database is its scope, so that tests are told apart.
fn settings(double: &Double, others: &Value) -> Value {
    let mut settings = double.settings_with(&json!({
        "oauth_client_id": "ebb", "oauth_client_secret": "of the client", "oauth_scope": double.database,
    }));
    settings.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    settings
}

async fn failures(settings: &Value) -> Vec<ebb_core::Failure> {
    source(settings).check().await.into_iter().filter_map(|finding| finding.failure).collect()
}

#[tokio::test]
async fn an_expired_token_is_refreshed_once_and_then_told() {
    let Some(double) = Double::start(json!({})).await else { return };
    let settings = settings(&double, &json!({ "oauth_refresh_token": "dev-refresh-0" }));
    let source = source(&settings);
    let expired = json!({ "code": "390318", "message": "OAuth access token expired." });
    let fault =
        |count: u32| json!({ "sql": "^select 1$", "status": 401, "body": expired, "count": count });
    double.fault(fault(1)).await;
    let findings = source.check().await;
    assert!(findings.iter().all(|finding| finding.failure.is_none()), "{findings:?}");
    // Each answer brings the refresh token for the next.
    assert_eq!(double.grants(&double.database).await, json!(["refresh_token", "refresh_token"]));

    double.fault(fault(2)).await;
    let failure = source.check().await.into_iter().find_map(|finding| finding.failure).unwrap();
    assert_eq!(failure.code, Code::SourceAuth);
    insta::assert_snapshot!(format!("{}\n  {}", failure.message(), failure.advice()), @r"
    Snowflake refused the OAuth token: OAuth access token expired. (code 390318)
      Get a new token, or consent anew for a refresh token, put it where the settings read it, and see that its scope has the role
    ");
    let grants = double.grants(&double.database).await;
    assert_eq!(grants.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_client_may_ask_for_itself() {
    let Some(double) = Double::start(json!({})).await else { return };
    let host = double.settings()["host"].as_str().unwrap().to_owned();
    let provider = json!({ "oauth_token_url": format!("{host}/oauth/token-request") });
    let settings = settings(&double, &provider);
    assert_eq!(failures(&settings).await, []);
    assert_eq!(double.grants(&double.database).await, json!(["client_credentials"]));
}

#[tokio::test]
async fn what_the_token_endpoint_refuses_is_told() {
    let Some(double) = Double::start(json!({})).await else { return };
    let mut told = Vec::new();
    for others in [
        json!({ "oauth_refresh_token": "hunter2" }),
        json!({ "oauth_refresh_token": "dev-refresh-0", "oauth_client_secret": "hunter2" }),
    ] {
        let failure = failures(&settings(&double, &others)).await.remove(0);
        assert_eq!(failure.code, Code::SourceAuth);
        told.push(format!("{}\n  {}", failure.message(), failure.advice()));
    }
    let told = told.join("\n");
    assert!(!told.contains("hunter2"), "{told}");
    insta::assert_snapshot!(told, @r"
    no OAuth token is given for the refresh token: The refresh token is not valid. (code invalid_grant)
      Let the user consent anew, and put the new refresh token where `oauth_refresh_token` reads it; see that `oauth_client_id` and `oauth_client_secret` are those of the integration
    no OAuth token is given for the refresh token: The client is not known. (code invalid_client)
      Let the user consent anew, and put the new refresh token where `oauth_refresh_token` reads it; see that `oauth_client_id` and `oauth_client_secret` are those of the integration
    ");
}
