//! The TLS modes, as libpq has them.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
};

use ebb_core::{Code, Failure};
use rcgen::{CertificateParams, CertifiedIssuer, DnType, KeyPair, SanType, date_time_ymd};
use rustls::{
    ServerConfig, ServerConnection, Stream,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use serde_json::{Map, Value, json};

use super::server::{Server, Source};

/// Whether it is reached and lets one sign in.
async fn connect(settings: &Map<String, Value>) -> Result<(), Failure> {
    let findings = Source::of(settings.clone()).0.check().await;
    findings.into_iter().take(2).find_map(|step| step.failure).map_or(Ok(()), Err)
}

fn with(settings: &Map<String, Value>, more: Value) -> Map<String, Value> {
    let mut settings = settings.clone();
    let Value::Object(more) = more else { panic!("settings are an object") };
    settings.extend(more);
    settings
}

/// Writes a file of the server's data folder where the client can read it.
async fn file_of(server: &Server, folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, server.value(&format!("select pg_read_file('{name}')")).await).unwrap();
    path
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_for_the_host_is_accepted() {
    let Some(server) = Server::start("verify_full").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let root = file_of(&server, folder.path(), "ca.crt").await;
    let settings =
        with(&server.settings(), json!({ "sslmode": "verify-full", "sslrootcert": root }));
    connect(&settings).await.unwrap();
    let without = with(&server.settings(), json!({ "sslmode": "verify-full" }));
    assert_eq!(connect(&without).await.unwrap_err().code, Code::SourceTls);
}

#[tokio::test]
async fn a_clients_certificate_logs_it_in() {
    let Some(server) = Server::start("certificate").await else { return };
    server.role("ebb_certificate").await;
    let folder = tempfile::tempdir().unwrap();
    let certificate = file_of(&server, folder.path(), "client.crt").await;
    let key = file_of(&server, folder.path(), "client.key").await;
    let settings = with(
        &server.settings(),
        json!({ "user": "ebb_certificate", "password": "", "sslmode": "require",
                "sslcert": certificate, "sslkey": key }),
    );
    connect(&settings).await.unwrap();
    let wrong = with(&settings, json!({ "sslcert": key }));
    assert_eq!(connect(&wrong).await.unwrap_err().code, Code::SourceSettings);
}

#[tokio::test]
async fn lax_modes_try_the_other_way_and_strict_ones_do_not() {
    let Some(server) = Server::start("modes").await else { return };
    server.role("ebb_tls_only").await;
    server.role("ebb_plain_only").await;
    for (user, mode, works) in [
        ("ebb_tls_only", "disable", false),
        ("ebb_tls_only", "allow", true),
        ("ebb_tls_only", "prefer", true),
        ("ebb_tls_only", "require", true),
        ("ebb_plain_only", "disable", true),
        ("ebb_plain_only", "allow", true),
        ("ebb_plain_only", "prefer", true),
        ("ebb_plain_only", "require", false),
    ] {
        let connected = connect(&with(&server.settings_of(user), json!({ "sslmode": mode }))).await;
        assert_eq!(connected.is_ok(), works, "{user} {mode}: {connected:?}");
        if let Err(failure) = connected {
            assert_eq!(failure.code, Code::SourceAuth, "{user} {mode}");
        }
    }
}

#[tokio::test]
async fn a_unix_socket_is_reached_by_its_folder() {
    let Some(server) = Server::start("socket").await else { return };
    let folder = server.value("show unix_socket_directories").await;
    // The folder is the cluster's own: another user may be unable to enter it.
    let settings = with(&server.settings(), json!({ "host": folder, "sslmode": "verify-full" }));
    connect(&settings).await.unwrap();
}

/// An authority, and a server's certificate made by it.
struct Certified {
    authority: String,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

fn certify(change: impl FnOnce(&mut CertificateParams)) -> Certified {
    let mut authority = CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    // Two authorities are told apart by their names.
    let key = KeyPair::generate().unwrap();
    authority
        .distinguished_name
        .push(DnType::CommonName, format!("authority {:?}", key.public_key_raw()));
    let authority = CertifiedIssuer::self_signed(authority, key).unwrap();
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    Certified {
        authority: authority.pem(),
        certificate: certificate.der().clone(),
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    }
}

/// A server that agrees to encrypt, and then refuses every password. Gives its port.
fn refusing_server(certified: &Certified) -> (u16, JoinHandle<()>) {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.certificate.clone()], certified.key.clone_key())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 8];
        socket.read_exact(&mut request).unwrap();
        socket.write_all(b"S").unwrap();
        let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = Stream::new(&mut tls, &mut socket);
        let mut startup = [0; 1024];
        // A client that does not trust the certificate says so and is gone.
        if stream.read(&mut startup).is_ok_and(|read| read > 0) {
            let fields = b"SFATAL\0VFATAL\0C28P01\0Mno\0\0";
            let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
            stream.write_all(&[b"E", &length[..], fields].concat()).unwrap();
            stream.conn.send_close_notify();
            drop(stream.flush());
        }
    });
    (port, served)
}

async fn judged(certified: &Certified, mode: &str, root: Option<&str>) -> Failure {
    let folder = tempfile::tempdir().unwrap();
    let (port, served) = refusing_server(certified);
    let mut settings = with(
        &Map::new(),
        json!({ "host": "127.0.0.1", "port": port, "user": "ann", "password": "x", "sslmode": mode }),
    );
    if let Some(root) = root {
        let path = folder.path().join("root.pem");
        std::fs::write(&path, root).unwrap();
        settings = with(&settings, json!({ "sslrootcert": path }));
    }
    let failure = connect(&settings).await.unwrap_err();
    served.join().unwrap();
    failure
}

/// What a connection ends with once the certificate was accepted: the server refuses the password.
const ACCEPTED: Code = Code::SourceAuth;

#[tokio::test]
async fn an_expired_certificate_is_refused_by_name() {
    let expired = certify(|params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let failure = judged(&expired, "verify-full", Some(&expired.authority)).await;
    assert_eq!(failure.code, Code::SourceTls);
    insta::assert_snapshot!(failure.message(), @r"the certificate of `127.0.0.1` has expired");
    assert_eq!(judged(&expired, "require", None).await.code, ACCEPTED);
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_by_verify_full_alone() {
    let other = certify(|params| {
        params.subject_alt_names = vec![SanType::DnsName("db.example".try_into().unwrap())];
    });
    let root = Some(other.authority.as_str());
    let failure = judged(&other, "verify-full", root).await;
    assert_eq!(failure.code, Code::SourceTls);
    insta::assert_snapshot!(failure.message(), @r"the server's certificate is not for `127.0.0.1`");
    assert_eq!(judged(&other, "verify-ca", root).await.code, ACCEPTED);
    assert_eq!(judged(&other, "require", root).await.code, ACCEPTED);
}

#[tokio::test]
async fn an_unknown_authority_is_refused_where_one_is_asked() {
    let certified = certify(|_| {});
    let stranger = certify(|_| {}).authority;
    let failure = judged(&certified, "verify-ca", Some(&stranger)).await;
    assert_eq!(failure.code, Code::SourceTls);
    insta::assert_snapshot!(failure.message(), @r"the certificate of `127.0.0.1` comes from an authority that is not trusted");
    // Who names an authority wants it to be asked.
    assert_eq!(judged(&certified, "require", Some(&stranger)).await.code, Code::SourceTls);
    assert_eq!(judged(&certified, "require", None).await.code, ACCEPTED);
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_if_it_is_the_named_one() {
    let mut params = CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let certified = Certified {
        authority: certificate.pem(),
        certificate: certificate.der().clone(),
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    };
    let own = certified.authority.clone();
    assert_eq!(judged(&certified, "verify-full", Some(&own)).await.code, ACCEPTED);
    let stranger = certify(|_| {}).authority;
    let failure = judged(&certified, "verify-full", Some(&stranger)).await;
    assert_eq!(failure.code, Code::SourceTls);
}
