//! The binary as a server that speaks TLS itself.

use std::{
    fs::{File, Permissions},
    os::unix::fs::PermissionsExt,
    process::Child,
    sync::Arc,
    time::Duration,
};

use ebb_testkit::Script;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType, date_time_ymd,
};
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::{server::first_told, shop::Shop};

/// Who makes certificates, and the browsers that trust it.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    trust: TlsConnector,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(issuer.der().clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        // A session that goes on shows no certificate again.
        config.resumption = Resumption::disabled();
        Self { issuer, trust: TlsConnector::from(Arc::new(config)) }
    }

    /// A certificate of this machine that is good until the end of a year, and its key.
    fn certify(&self, year: i32) -> (String, String) {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
        params.not_after = date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// The running server; it ends with the test.
struct Encrypted {
    child: Child,
    address: String,
    first_owner: String,
}

impl Drop for Encrypted {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Encrypted {
    async fn start(shop: &Shop, (certificate, key): &(String, String)) -> Self {
        write(shop, certificate, key);
        let certificate = shop.path("server.pem").display().to_string();
        let key = shop.path("server.key").display().to_string();
        let mut command = shop.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("EBB_TLS_CERT", &certificate).env("EBB_TLS_KEY", &key);
        command.stdout(File::create(shop.path("serve.out")).unwrap());
        command.stderr(File::create(shop.path("serve.err")).unwrap());
        let child = command.spawn().unwrap();
        let mut server = Self { child, address: String::new(), first_owner: String::new() };
        let told = first_told(shop).await;
        let address = told["address"].as_str().unwrap();
        address.strip_prefix("https://").expect("it is encrypted").clone_into(&mut server.address);
        let link = told["first_owner"].as_str().unwrap();
        link.strip_prefix(address).unwrap().clone_into(&mut server.first_owner);
        server
    }

    /// What is answered, and the certificate that is shown.
    async fn ask(&self, trust: &TlsConnector, request: &str) -> (String, CertificateDer<'static>) {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let mut stream = trust.connect(name, stream).await.unwrap();
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        (answer, shown)
    }

    fn hang_up(&self) {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    }
}

fn write(shop: &Shop, certificate: &str, key: &str) {
    shop.write("server.pem", certificate);
    shop.write("server.key", key);
    std::fs::set_permissions(shop.path("server.key"), Permissions::from_mode(0o600)).unwrap();
}

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_a_certificate_is_asked_by_https_alone() {
    let (shop, authority) = (Shop::new(1, Script::default()).await, Authority::new());
    let server = Encrypted::start(&shop, &authority.certify(2100)).await;
    let (answer, _) = server.ask(&authority.trust, HEALTH).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age="), "{answer}");
    let form = "email=ada%40example.com&name=Ada&password=correct+horse+battery";
    let join = format!(
        "POST {} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: {}\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\n{form}",
        server.first_owner,
        form.len(),
    );
    let (joined, _) = server.ask(&authority.trust, &join).await;
    let cookie = joined.lines().find(|line| line.starts_with("set-cookie: ebb_session")).unwrap();
    assert!(cookie.contains("Secure"), "{cookie}");
    let mut plain = TcpStream::connect(&server.address).await.unwrap();
    plain.write_all(HEALTH.as_bytes()).await.unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("https://"), "{answer}");
    assert_eq!(std::fs::read_to_string(shop.path("serve.err")).unwrap(), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_connects_and_says_nothing_stops_nobody() {
    let (shop, authority) = (Shop::new(1, Script::default()).await, Authority::new());
    let server = Encrypted::start(&shop, &authority.certify(2100)).await;
    let mut silent = Vec::new();
    for _ in 0..600 {
        silent.push(TcpStream::connect(&server.address).await.unwrap());
    }
    let asked = server.ask(&authority.trust, HEALTH);
    let (answer, _) = tokio::time::timeout(Duration::from_secs(5), asked).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // More than may agree on encryption at once: the oldest was given up.
    let mut nothing = [0];
    let first = tokio::time::timeout(Duration::from_secs(5), silent[0].read(&mut nothing)).await;
    assert!(first.is_ok_and(|read| read.unwrap_or(0) == 0), "the first is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_is_shown_without_a_restart_and_a_useless_one_is_not() {
    let (shop, authority) = (Shop::new(1, Script::default()).await, Authority::new());
    let server = Encrypted::start(&shop, &authority.certify(2100)).await;
    let (_, first) = server.ask(&authority.trust, HEALTH).await;
    shop.write("server.pem", &authority.certify(2101).0);
    server.hang_up();
    let log = || std::fs::read_to_string(shop.path("serve.err")).unwrap();
    until("the key of another certificate is told", async || {
        log().contains("does not belong to the certificate")
    })
    .await;
    assert_eq!(server.ask(&authority.trust, HEALTH).await.1, first);
    let (certificate, key) = authority.certify(2102);
    write(&shop, &certificate, &key);
    server.hang_up();
    until("the new one is shown", async || server.ask(&authority.trust, HEALTH).await.1 != first)
        .await;
}

async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), waiting).await.is_ok(), "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_used_is_told_with_what_to_do() {
    let (shop, authority) = (Shop::new(1, Script::default()).await, Authority::new());
    let (certificate, key) = authority.certify(2100);
    write(&shop, &certificate, &key);
    shop.write("other.key", &authority.certify(2100).1);
    let mut told = String::new();
    for (certificate, key) in [
        ("server.pem", "none.key"),
        ("server.key", "server.key"),
        ("server.pem", "server.pem"),
        ("server.pem", "other.key"),
    ] {
        let [certificate, key] =
            [certificate, key].map(|name| shop.path(name).display().to_string());
        let refused = shop.run(&["serve", "--tls-cert", &certificate, "--tls-key", &key]).await;
        assert_eq!(refused.code, Some(2), "{refused:?}");
        let error = &refused.json()["error"];
        let line = ["code", "message", "help"].map(|part| error[part].as_str().unwrap());
        told = told + &line.join(" | ") + "\n";
    }
    let folder = shop.folder().display().to_string();
    insta::assert_snapshot!(told.replace(&folder, "DIR"), @"
    C501 | the file of `--tls-key`, `DIR/none.key`, cannot be read: No such file or directory (os error 2) | Correct the path, and let the user who runs Ebb read the file
    C504 | the file of `--tls-cert`, `DIR/server.key`, holds no certificate | Give the certificate in PEM form, followed by those that lead to its authority
    C504 | the file of `--tls-key`, `DIR/server.pem`, holds no private key | Give the private key in PEM form, without a passphrase
    C504 | the key in `DIR/other.key` does not belong to the certificate in `DIR/server.pem` | Give the key that the certificate was made for; of several certificates the server's own comes first
    ");
    for beside in [&["--behind-tls"][..], &[]] {
        let arguments = [&["serve", "--tls-cert", "server.pem"], beside].concat();
        assert_eq!(shop.run(&arguments).await.code, Some(2), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_certificate_and_a_key_that_everybody_reads_are_told() {
    let (shop, authority) = (Shop::new(1, Script::default()).await, Authority::new());
    let pair = authority.certify(2020);
    write(&shop, &pair.0, &pair.1);
    std::fs::set_permissions(shop.path("server.key"), Permissions::from_mode(0o644)).unwrap();
    let [certificate, key] =
        ["server.pem", "server.key"].map(|name| shop.path(name).display().to_string());
    let mut command = shop.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.args(["--tls-cert", &certificate, "--tls-key", &key]);
    command.stdout(File::create(shop.path("serve.out")).unwrap());
    command.stderr(File::create(shop.path("serve.err")).unwrap());
    let (address, first_owner) = <_>::default();
    let server = Encrypted { child: command.spawn().unwrap(), address, first_owner };
    first_told(&shop).await;
    let log = std::fs::read_to_string(shop.path("serve.err")).unwrap();
    assert!(log.contains("expired at 2020-12-31T00:00:00Z"), "{log}");
    assert!(log.contains("every user of this machine can read the key"), "{log}");
    drop(server);
}
