//! Certificates that are not accepted.

use std::{net::TcpListener, path::Path, sync::Arc, thread};

use ebb_core::Code;
use ebb_destination::Network;
use rustls::{
    ServerConfig, ServerConnection,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::json;

use crate::transport::{connect, send};

fn file(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

/// A server for one connection, whose certificate for `localhost` ran out in 2021.
fn expired() -> String {
    let certificate = CertificateDer::from_pem_file(file("expired.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("expired.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
        // The client breaks off, which is what the test is about.
        connection.complete_io(&mut stream).unwrap_err();
    });
    format!("https://localhost:{port}/")
}

#[tokio::test]
async fn an_expired_certificate_is_named_with_a_remedy() {
    let network = Network { extra_authorities: Some(file("ca.pem")), ..Network::default() };
    let connector = connect("webhook", json!({}), &network);
    let failure = send(&connector, &expired()).await.unwrap_err();
    assert_eq!(failure.code, Code::DestinationTls, "{failure:?}");
    assert_eq!(
        failure.message(),
        "the certificate of `localhost` was not accepted: it has expired"
    );
    assert!(failure.advice().contains("Renew the destination's certificate"));
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_not_accepted() {
    let connector = connect("webhook", json!({}), &Network::default());
    let failure = send(&connector, &expired()).await.unwrap_err();
    assert_eq!(failure.code, Code::DestinationTls, "{failure:?}");
}

#[tokio::test]
async fn authorities_that_cannot_be_read_are_a_failure_that_names_the_file() {
    let network = Network { extra_authorities: Some("missing.pem".into()), ..Network::default() };
    let connector = connect("webhook", json!({}), &network);
    let failure = send(&connector, "https://localhost:1/").await.unwrap_err();
    assert_eq!(failure.code, Code::FileMissing);
    assert!(failure.message().contains("`missing.pem`"), "{failure}");
}
