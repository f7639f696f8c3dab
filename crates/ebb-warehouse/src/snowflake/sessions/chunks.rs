//! A result: its first rows came with the answer, the others lie in cloud storage.

use std::{collections::BTreeMap, io::Read, sync::Arc};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use ebb_core::Failure;
use flate2::read::GzDecoder;
use reqwest::{RequestBuilder, StatusCode};
use tokio::sync::Mutex;
use url::Url;

use super::{
    answer::{Chunk, Executed},
    request::result_of,
    signed_in::SignedIn,
};
use crate::{
    http::{self, Repeat, Reply, Service},
    snowflake::{
        rows::{Rows, unlike},
        runner::{Answer, Piece, Pieces},
    },
};

/// What every gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A result. It holds its session, which gives new links when the old ones expire.
pub(super) struct Chunks {
    session: Arc<SignedIn>,
    query: String,
    first: Rows,
    /// How many rows each piece has.
    promised: Vec<Option<usize>>,
    links: Mutex<Links>,
}

/// Where the pieces after the first are.
#[derive(Clone)]
struct Links {
    addresses: Arc<[String]>,
    /// What the storage wants to be sent; a key is among it.
    headers: Arc<BTreeMap<String, String>>,
}

impl Links {
    fn of(executed: &mut Executed) -> (Self, Vec<usize>) {
        let chunks = executed.chunks.take().unwrap_or_default();
        let rows = chunks.iter().map(|chunk| chunk.row_count).collect();
        let addresses = chunks.into_iter().map(|Chunk { url, .. }| url).collect();
        let headers = executed.chunk_headers.take().unwrap_or_else(|| {
            let key = executed.qrmk.take().into_iter();
            let headers = key.flat_map(|key| {
                let name = |end| format!("x-amz-server-side-encryption-customer-{end}");
                [(name("algorithm"), "AES256".to_owned()), (name("key"), key)]
            });
            headers.collect()
        });
        (Self { addresses, headers: headers.into() }, rows)
    }
}

impl Chunks {
    /// The answer of a statement that is done.
    pub(super) fn answer(
        session: Arc<SignedIn>,
        mut executed: Executed,
    ) -> Result<Answer, Failure> {
        let columns = executed.row_type.take().unwrap_or_default();
        let (links, rows) = Links::of(&mut executed);
        let inline = executed.total.map(|total| total.saturating_sub(rows.iter().sum()));
        let promised = [inline].into_iter().chain(rows.into_iter().map(Some)).collect();
        let first = first(&mut executed)?;
        let query = executed.query_id.unwrap_or_default();
        let links = Mutex::new(links);
        Ok(Answer { columns, pieces: Arc::new(Self { session, query, first, promised, links }) })
    }

    /// The bytes of a piece in the storage. If a link is no longer good, all are got anew, once.
    async fn bytes(&self, number: usize) -> Result<Bytes, Failure> {
        let links = self.links.lock().await.clone();
        let reply = self.download(&links, number).await?;
        if reply.status == StatusCode::OK {
            return Ok(reply.body);
        }
        let links = self.renewed(&links).await?;
        let reply = self.download(&links, number).await?;
        match reply.status {
            StatusCode::OK => Ok(reply.body),
            status => Err(http::lost(&format!(
                "the storage answered `{}` for a piece of the result",
                status.as_u16()
            ))),
        }
    }

    /// Links in place of those that expired, unless somebody got them meanwhile.
    async fn renewed(&self, expired: &Links) -> Result<Links, Failure> {
        let mut links = self.links.lock().await;
        if Arc::ptr_eq(&links.addresses, &expired.addresses) {
            let account = &self.session.account;
            let address = account.address(&result_of(&self.query));
            let request =
                |_| account.http.get(address.clone()).header("Accept", "application/snowflake");
            let said = self.session.send(request).await?;
            let (renewed, _) = Links::of(&mut said.data.unwrap_or_default());
            if renewed.addresses.len() != expired.addresses.len() {
                return Err(http::lost("the service no longer has the statement's result"));
            }
            *links = renewed;
        }
        Ok(links.clone())
    }

    /// Fetches from cloud storage, which must not see the session's token.
    async fn download(&self, links: &Links, number: usize) -> Result<Reply, Failure> {
        let wrong = || http::lost("a piece of the result lies at an address that is none");
        let address = number.checked_sub(1).and_then(|place| links.addresses.get(place));
        let address = Url::parse(address.ok_or_else(wrong)?).map_err(|_| wrong())?;
        let storage = Service {
            name: "Snowflake's storage",
            interface: "Snowflake's storage",
            settings: "nothing",
            address: address.clone(),
        };
        let with = |request: RequestBuilder, (name, value): (&String, &String)| {
            request.header(name, value)
        };
        let http = &self.session.account.http;
        let request = |_| links.headers.iter().fold(http.get(address.clone()), with);
        storage.send(Repeat::Freely, request).await
    }
}

#[async_trait]
impl Pieces for Chunks {
    fn count(&self) -> usize {
        self.promised.len()
    }

    async fn piece(&self, number: usize) -> Result<Piece, Failure> {
        let promised = self.promised.get(number).copied().flatten();
        if number == 0 {
            return Ok(Piece { rows: self.first.clone(), promised });
        }
        let bytes = unpacked(self.bytes(number).await?)?;
        let rows = match self.first {
            Rows::Arrow(_) => Rows::Arrow(bytes),
            // What lies in the storage is a list without its brackets.
            Rows::List(_) | Rows::Object(_) => {
                Rows::List([b"[", bytes.as_ref(), b"]"].concat().into())
            }
        };
        Ok(Piece { rows, promised })
    }
}

/// The rows that came with the answer.
fn first(executed: &mut Executed) -> Result<Rows, Failure> {
    let is_arrow = executed.query_result_format.as_deref() == Some("arrow");
    match (executed.rowset_base64.take(), executed.rowset.take()) {
        (Some(text), _) if is_arrow => {
            let stream = BASE64_STANDARD.decode(text).map_err(|error| unlike().caused_by(error))?;
            Ok(Rows::Arrow(stream.into()))
        }
        (None, _) if is_arrow => Ok(Rows::Arrow(Bytes::new())),
        (_, Some(rows)) => Ok(Rows::List(Box::<str>::from(rows).into_string().into())),
        (_, None) => Ok(Rows::List(Bytes::from_static(b"[]"))),
    }
}

/// The bytes of a file that the storage may give as it keeps it, without a word that it is compressed.
fn unpacked(bytes: Bytes) -> Result<Bytes, Failure> {
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    let read = GzDecoder::new(bytes.as_ref()).read_to_end(&mut unpacked);
    read.map_err(|error| unlike().caused_by(error))?;
    Ok(unpacked.into())
}
