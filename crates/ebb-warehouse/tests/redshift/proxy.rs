//! Stands between Ebb and PostgreSQL, message by message, and makes the server speak as Redshift does.

use std::{
    env, fs, io, process,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::unloads::Unloads;

/// Every statement that came by, as Ebb wrote it. Where `EBB_TEST_REDSHIFT_SQL` names a folder they are
/// left there for the check of their syntax.
#[derive(Debug, Clone)]
pub(crate) struct Statements {
    test: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Statements {
    pub(super) fn new(test: &str) -> Self {
        Self { test: test.to_owned(), seen: Arc::default() }
    }

    fn add(&self, sql: &str) {
        self.seen.lock().unwrap().push(sql.to_owned());
    }

    /// The statements so far.
    pub(crate) fn all(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Statements {
    fn drop(&mut self) {
        #[expect(clippy::disallowed_methods, reason = "how the test script names the folder")]
        let Ok(folder) = env::var("EBB_TEST_REDSHIFT_SQL") else { return };
        // Clones write the same again.
        let path = format!("{folder}/{}-{}.json", self.test, process::id());
        fs::write(path, serde_json::to_string(&self.all()).unwrap()).unwrap();
    }
}

/// What becomes of quoted names, as the cluster's `enable_case_sensitive_identifier` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// Lower case, which is the service's default.
    Folded,
    /// As they are written.
    Kept,
}

/// Listens at a port of its own for as long as the test's runtime lives.
pub(super) async fn listen(
    server: u16,
    names: Names,
    statements: &Statements,
    unloads: Option<&Unloads>,
) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (statements, unloads) = (statements.clone(), unloads.cloned());
    let accept = async move {
        while let Ok((client, _)) = listener.accept().await {
            let (statements, unloads) = (statements.clone(), unloads.clone());
            #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
            drop(tokio::spawn(async move {
                drop(carry(client, server, names, &statements, unloads).await);
            }));
        }
    };
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    drop(tokio::spawn(accept));
    port
}

/// A client's question whether the server can encrypt.
const ENCRYPTION: [u8; 4] = 80_877_103_u32.to_be_bytes();

async fn carry(
    client: TcpStream,
    port: u16,
    names: Names,
    statements: &Statements,
    unloads: Option<Unloads>,
) -> io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", port)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    // The first message has no kind. Encryption is not offered.
    let mut start = body(&mut from_client).await?;
    if start == ENCRYPTION {
        to_client.write_all(b"N").await?;
        start = body(&mut from_client).await?;
    }
    start = without_way(start);
    send(&mut to_server, None, &start).await?;
    let asked = async {
        while let Ok((kind, body)) = message(&mut from_client).await {
            let body = match kind {
                b'Q' if body.starts_with(b"unload ") => {
                    let sql = std::str::from_utf8(&body[..body.len() - 1]).unwrap();
                    statements.add(sql);
                    let unloads = unloads.as_ref().expect("a test with a bucket");
                    let inner = unloads.take(sql, |inner| as_postgres(inner, names)).await;
                    [inner.as_bytes(), b"\0"].concat()
                }
                b'Q' => question(&body, names, statements),
                b'P' => preparation(&body, names),
                _ => body,
            };
            send(&mut to_server, Some(kind), &body).await?;
        }
        to_server.shutdown().await
    };
    let answered = async {
        while let Ok((kind, body)) = message(&mut from_server).await {
            let body = if kind == b'S' && body.starts_with(b"server_version\0") {
                b"server_version\x008.0.2\0".to_vec()
            } else {
                body
            };
            send(&mut to_client, Some(kind), &body).await?;
        }
        to_client.shutdown().await
    };
    // Each side ends when its sender does; a client that is gone takes its server along.
    let (asked, answered) = tokio::join!(asked, answered);
    asked.and(answered)
}

/// A first message with the user's bare name: before it Redshift is told how the user signs in.
fn without_way(start: Vec<u8>) -> Vec<u8> {
    const WAY: &[u8] = b"\0IAM:";
    let Some(place) = start.windows(WAY.len()).position(|part| part == WAY) else { return start };
    [&start[..=place], &start[place + WAY.len()..]].concat()
}

async fn message(from: &mut (impl AsyncRead + Unpin)) -> io::Result<(u8, Vec<u8>)> {
    let kind = from.read_u8().await?;
    Ok((kind, body(from).await?))
}

async fn body(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let length = usize::try_from(from.read_u32().await?).unwrap() - 4;
    let mut body = vec![0; length];
    from.read_exact(&mut body).await?;
    Ok(body)
}

async fn send(to: &mut (impl AsyncWrite + Unpin), kind: Option<u8>, body: &[u8]) -> io::Result<()> {
    let mut bytes: Vec<u8> = kind.into_iter().collect();
    bytes.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    bytes.extend(body);
    to.write_all(&bytes).await
}

/// A simple query: one text.
fn question(body: &[u8], names: Names, statements: &Statements) -> Vec<u8> {
    let sql = std::str::from_utf8(&body[..body.len() - 1]).unwrap();
    statements.add(sql);
    let mut body = as_postgres(sql, names).into_bytes();
    body.push(0);
    body
}

/// A statement to prepare: a name, a text and parameters' types. It is a model, which is the user's, or
/// the driver's own look into the catalog.
fn preparation(body: &[u8], names: Names) -> Vec<u8> {
    let name = body.iter().position(|byte| *byte == 0).unwrap() + 1;
    let end = name + body[name..].iter().position(|byte| *byte == 0).unwrap();
    let sql = std::str::from_utf8(&body[name..end]).unwrap();
    if sql.contains("pg_catalog.pg_range") {
        // Redshift's catalog has no ranges; the driver asks again without them.
        let gone = sql.replace("pg_catalog.pg_range", "pg_catalog.pg_has_no_range");
        return [&body[..name], gone.as_bytes(), &body[end..]].concat();
    }
    [&body[..name], as_postgres(sql, names).as_bytes(), &body[end..]].concat()
}

/// What PostgreSQL has and Redshift has not, and Ebb's other SQL uses.
const LACKING: [&str; 12] = [
    "unlogged",
    " collate ",
    "copy ",
    "create index",
    "create unique index",
    "lock_timeout",
    "hash_record_extended",
    "hashtextextended",
    "default_transaction",
    "pg_temp",
    "to_json",
    "comment on",
];

/// Redshift's statement as PostgreSQL takes it; one that Redshift would not take is spoilt.
fn as_postgres(sql: &str, names: Names) -> String {
    let lower = sql.to_lowercase();
    if let Some(lacking) = LACKING.iter().find(|lacking| lower.contains(*lacking)) {
        return format!("Redshift has no {lacking}");
    }
    let sql = quoted(sql, names)
        .replace("\ndiststyle key distkey(record_id) sortkey(seq)\n", "\n")
        .replace("\ndiststyle key distkey(record_id) sortkey(record_id)\n", "\n")
        .replace(" diststyle all sortkey(seq)", "")
        .replace("set query_group to", "set redshift.query_group to")
        .replace(" as interval year to month)", " as intervaly2m)")
        .replace(" as interval day to second)", " as intervald2s)");
    if sql.contains("distkey") || sql.contains("extra_float_digits to 3") {
        return "Redshift's clause is not known".to_owned();
    }
    sql
}

/// Quoted names as the cluster takes them, and backslashes in literals as escapes.
fn quoted(sql: &str, names: Names) -> String {
    let mut out = String::new();
    let mut rest = sql;
    while let Some(place) = rest.find(['\'', '"']) {
        let (before, from) = rest.split_at(place);
        out.push_str(before);
        let quote = if from.starts_with('"') { '"' } else { '\'' };
        let length = from.match_indices(quote).nth(1).map_or(from.len(), |(end, _)| end + 1);
        let (quoted, after) = from.split_at(length);
        if quote == '"' && names == Names::Folded {
            out.push_str(&quoted.to_lowercase());
        } else if quote == '\'' && quoted.contains('\\') {
            out.push('E');
            out.push_str(quoted);
        } else {
            out.push_str(quoted);
        }
        rest = after;
    }
    out + rest
}
