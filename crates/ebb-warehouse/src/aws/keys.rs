//! Finding keys: given ones, or those that Amazon's own tools would find.

use std::sync::Arc;

use reqsign_aws_v4::{
    AssumeRoleCredentialProvider, AssumeRoleWithWebIdentityCredentialProvider, Credential,
    ECSCredentialProvider, EnvCredentialProvider, IMDSv2CredentialProvider,
    ProfileCredentialProvider, RequestSigner, SSOCredentialProvider, StaticCredentialProvider,
};
use reqsign_core::{Context, ProvideCredential, ProvideCredentialDyn, Result, Signer};

use super::settings::{AwsSettings, Keys};

/// One way to find keys.
type Way = Arc<dyn ProvideCredentialDyn<Credential = Credential>>;

/// Several ways, tried one after the other. Unlike the library's chain it tells why there are no keys.
#[derive(Debug)]
struct Ways(Vec<Way>);

impl ProvideCredential for Ways {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> Result<Option<Credential>> {
        let mut why = None;
        for way in &self.0 {
            match way.provide_credential_dyn(context).await {
                Ok(Some(credential)) => return Ok(Some(credential)),
                Ok(None) => {}
                // The first says most: the last is the metadata of a machine, which only Amazon's have.
                Err(error) => _ = why.get_or_insert(error),
            }
        }
        why.map_or(Ok(None), Err)
    }
}

/// What signs requests. It keeps keys for as long as they are good.
pub(super) fn signer(settings: &AwsSettings, context: &Context) -> Signer<Credential> {
    let region = settings.region.as_str();
    let keys = found(&settings.keys, region);
    let sts = Signer::new(context.clone(), keys, RequestSigner::new("sts", region));
    let Some(role) = &settings.role else { return sts };
    let mut taken = AssumeRoleCredentialProvider::new(role.arn.clone(), sts)
        .with_role_session_name("ebb".to_owned())
        .with_region(region.to_owned())
        .with_regional_sts_endpoint();
    if let Some(id) = &role.external_id {
        taken = taken.with_external_id(id.clone());
    }
    Signer::new(context.clone(), taken, RequestSigner::new("sts", region))
}

fn found(keys: &Keys, region: &str) -> Ways {
    Ways(match keys {
        Keys::Given { id, secret, token } => {
            let given = StaticCredentialProvider::new(id, secret.expose());
            vec![Arc::new(match token {
                Some(token) => given.with_session_token(token.expose()),
                None => given,
            })]
        }
        Keys::Profile(profile) => vec![
            Arc::new(ProfileCredentialProvider::new().with_profile(profile)),
            Arc::new(SSOCredentialProvider::new().with_profile(profile)),
        ],
        Keys::Surroundings => vec![
            Arc::new(EnvCredentialProvider::new()),
            Arc::new(
                AssumeRoleWithWebIdentityCredentialProvider::new()
                    .with_role_session_name("ebb".to_owned())
                    .with_region(region.to_owned())
                    .with_regional_sts_endpoint(),
            ),
            Arc::new(ProfileCredentialProvider::new()),
            Arc::new(ECSCredentialProvider::new()),
            Arc::new(IMDSv2CredentialProvider::new()),
        ],
    })
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashMap,
        fs,
        path::{Path, PathBuf},
        sync::{Arc, Mutex},
    };

    use bytes::Bytes;
    use ebb_core::{Secret, config::Settings};
    use http::{Request, Response};
    use reqsign_core::{Context, HttpSend, Result, StaticEnv};
    use serde_json::json;

    use super::{super::surroundings::Files, AwsSettings, Keys, signer};
    use crate::{aws::settings::Role, form::Form, given::Given};

    /// Answers as Amazon's services do, and remembers what they were asked.
    #[derive(Debug, Clone, Default)]
    struct Services(Arc<Mutex<Vec<String>>>);

    impl HttpSend for Services {
        async fn http_send(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
            let (uri, headers) = (request.uri().to_string(), request.headers());
            let signed = headers.get("authorization").and_then(|header| header.to_str().ok());
            let signed = signed.and_then(|header| header.split('/').next()).unwrap_or("unsigned");
            let body = String::from_utf8_lossy(request.body()).into_owned();
            let line = format!("{} {uri} {body} {signed}", request.method());
            self.0.lock().unwrap().push(line);
            let keys = |id: &str| {
                json!({
                    "Code": "Success", "AccessKeyId": id, "SecretAccessKey": "hunter2", "Token": "t",
                    "Expiration": "2999-01-01T00:00:00Z", "LastUpdated": "2024-01-01T00:00:00Z",
                    "Type": "AWS-HMAC",
                })
            };
            let sts = |action: &str| {
                format!(
                    "<{action}Response><{action}Result><Credentials>\
                     <AccessKeyId>ASIAFROMTHEROLE0</AccessKeyId><SecretAccessKey>hunter2</SecretAccessKey>\
                     <SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration>\
                     </Credentials></{action}Result></{action}Response>"
                )
            };
            let answer = if uri.contains("Action=AssumeRole&") {
                sts("AssumeRole")
            } else if body.contains("AssumeRoleWithWebIdentity") {
                sts("AssumeRoleWithWebIdentity")
            } else if uri.starts_with("http://169.254.170.2/task") {
                keys("CONTAINER").to_string()
            } else if uri.ends_with("/api/token") {
                "token".to_owned()
            } else if uri.ends_with("/security-credentials/") {
                "role".to_owned()
            } else {
                keys("MACHINE").to_string()
            };
            Ok(Response::new(Bytes::from(answer)))
        }
    }

    fn settings(keys: Keys) -> AwsSettings {
        static FORM: Form = Form {
            kind: "redshift",
            name: "Redshift",
            description: "",
            guide: "",
            available: true,
            schemes: &[],
            settings: &AwsSettings::SETTINGS,
        };
        let given = Given::read(&FORM, &Settings::default()).unwrap();
        AwsSettings { keys, ..AwsSettings::read(&given, Some("eu-central-1")).unwrap() }
    }

    /// Which key signs, and what was asked to find it.
    async fn signed(settings: &AwsSettings, home: &Path, envs: &[(&str, &str)]) -> String {
        let services = Services::default();
        let envs: HashMap<_, _> =
            envs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let context = Context::new()
            .with_env(StaticEnv { home_dir: Some(PathBuf::from(home)), envs })
            .with_file_read(Files)
            .with_http_send(services.clone());
        let (mut parts, ()) = Request::post("https://redshift.eu-central-1.amazonaws.com/")
            .body(())
            .unwrap()
            .into_parts();
        let key = match signer(settings, &context).sign(&mut parts, None).await {
            Ok(()) => {
                let header = parts.headers["authorization"].to_str().unwrap();
                let key = header.split(['=', '/']).nth(1).unwrap();
                format!("{key} {:?}", parts.headers.get("x-amz-security-token"))
            }
            Err(error) => error.to_string(),
        };
        let asked = services.0.lock().unwrap().join("\n  ");
        format!("{key}\n  {asked}")
    }

    #[tokio::test]
    async fn keys_are_found_where_amazons_tools_find_them() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        fs::write(
            home.path().join(".aws/credentials"),
            "[default]\naws_access_key_id = SHARED\naws_secret_access_key = hunter2\n\
             [shop]\naws_access_key_id = SHOP\naws_secret_access_key = hunter2\n",
        )
        .unwrap();
        let nowhere = home.path().join("nowhere");
        let token = home.path().join("token");
        fs::write(&token, "web-identity").unwrap();
        let token = token.to_str().unwrap();
        let around = settings(Keys::Surroundings);
        let env = [("AWS_ACCESS_KEY_ID", "ENVIRONMENT"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];
        let web = [
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", token),
        ];
        let container = [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/task")];
        let off = [("AWS_EC2_METADATA_DISABLED", "true")];
        let found = [
            signed(&around, home.path(), &env).await,
            signed(&around, home.path(), &web).await,
            signed(&around, home.path(), &container).await,
            signed(&around, home.path(), &[("AWS_PROFILE", "shop")]).await,
            signed(&around, &nowhere, &container).await,
            signed(&around, &nowhere, &[]).await,
            signed(&around, &nowhere, &off).await,
            signed(&settings(Keys::Profile("shop".to_owned())), home.path(), &env).await,
            signed(&settings(Keys::Profile("gone".to_owned())), home.path(), &env).await,
        ];
        insta::assert_snapshot!(found.join("\n"));
    }

    #[tokio::test]
    async fn a_role_is_taken_over_with_the_keys() {
        let keys = Keys::Given {
            id: "GIVEN".to_owned(),
            secret: Secret::new("hunter2"),
            token: Some(Secret::new("of the session")),
        };
        let role = Role {
            arn: "arn:aws:iam::123456789012:role/ebb".to_owned(),
            external_id: Some("between-us".to_owned()),
        };
        let without = settings(keys);
        let with = AwsSettings { role: Some(role), ..without.clone() };
        let home = Path::new("/nowhere");
        insta::assert_snapshot!(
            [signed(&without, home, &[]).await, signed(&with, home, &[]).await].join("\n")
        );
    }
}
