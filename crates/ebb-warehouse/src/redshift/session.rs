//! One live session: statements, descriptions and the rows of a cursor.

use std::{mem, pin::Pin, sync::Arc};

use arrow_array::RecordBatch;
use async_trait::async_trait;
use ebb_core::{Column, Failure, port::BatchStream, record::staged_schema};
use futures_util::{StreamExt, stream};
use roaring::RoaringTreemap;
use tokio_postgres::{SimpleQueryMessage, SimpleQueryStream};

use super::{
    rows::{Malformed, Rows},
    types,
    unload::{self, Unload},
};
use crate::{
    connection::{Access, Changes, Session},
    pgwire::{Link, literal, lost, tell_losses},
};

/// Rows that are fetched at once: enough to hide the way to the server and back.
const FETCH: &str = "fetch forward 10000 from ebb_rows";
/// Bytes of one statement that loads seqs; a statement may have 16 MB.
const LOAD_BYTES: usize = 1024 * 1024;

/// A session.
pub(super) struct RedshiftSession {
    link: Link,
    /// The statement that must come first; none once it came.
    begin: Option<&'static str>,
    /// Whether this session made its temporary table.
    has_seqs: bool,
    /// How many rows leave, if not through a cursor.
    unload: Option<Arc<Unload>>,
    label: String,
}

impl RedshiftSession {
    pub(super) fn new(link: Link, access: Access, unload: Option<Arc<Unload>>) -> Self {
        // No setting makes a session read-only, so that all its statements are one transaction.
        let begin = match access {
            Access::Read => Some("begin read only"),
            Access::Write => None,
        };
        Self { link, begin, has_seqs: false, unload, label: "ebb".to_owned() }
    }

    /// The connection, ready for statements.
    async fn link(&mut self) -> Result<&mut Link, Failure> {
        if let Some(begin) = self.begin.take() {
            self.link.set(begin).await?;
        }
        Ok(&mut self.link)
    }
}

/// A stream's session, the fetch that is under way, and what makes batches of rows.
struct Streaming {
    session: Box<RedshiftSession>,
    fetched: Option<Fetched>,
    rows: Rows,
}

/// What still comes of one fetch.
struct Fetched {
    messages: Pin<Box<SimpleQueryStream>>,
    any: bool,
}

#[async_trait]
impl Session for RedshiftSession {
    async fn label(&mut self, label: &str) -> Result<(), Failure> {
        // Redshift keeps so many characters; a mapping's name has no backslash.
        let label: String = label.chars().filter(|one| *one != '\\').take(320).collect();
        let set = format!("set query_group to {}", literal(&label));
        self.label = label;
        self.link().await?.set(&set).await
    }

    async fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        self.link().await?.execute(sql).await
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Failure> {
        self.link().await?.rows(sql).await
    }

    async fn describe(&mut self, query: &str) -> Result<Vec<Column>, Failure> {
        // Before any transaction: of types that the driver does not know it asks a catalog that Redshift
        // may not have, and an error ends a transaction.
        let described = self.link.prepare_model(query).await?;
        Ok(described
            .columns()
            .iter()
            .map(|column| types::column(column.name(), column.type_(), column.type_modifier()))
            .collect())
    }

    async fn load_seqs(&mut self, table: &str, seqs: &RoaringTreemap) -> Result<(), Failure> {
        // Without a schema the name is that of the temporary table once there is one.
        let drop = if mem::replace(&mut self.has_seqs, true) {
            format!("drop table {table}; ")
        } else {
            String::new()
        };
        let link = self.link().await?;
        link.set(&format!(
            "{drop}create temporary table {table} (seq bigint not null) diststyle all sortkey(seq)"
        ))
        .await?;
        let insert = format!("insert into {table} (seq) values ");
        let mut statement = insert.clone();
        for seq in seqs {
            if statement.len() > LOAD_BYTES {
                link.set(&mem::replace(&mut statement, insert.clone())).await?;
            }
            if statement.len() > insert.len() {
                statement.push_str(", ");
            }
            statement.push('(');
            statement.push_str(&seq.to_string());
            statement.push(')');
        }
        if statement.len() > insert.len() { link.set(&statement).await } else { Ok(()) }
    }

    async fn stream(
        mut self: Box<Self>,
        sql: String,
        columns: Vec<Column>,
    ) -> Result<BatchStream, Failure> {
        // A cursor needs a transaction, which reading sessions have.
        self.execute(&format!("declare ebb_rows cursor for\n{sql}")).await?;
        let rows = Rows::new(Arc::new(staged_schema(&columns)), &columns);
        let streaming = Streaming { session: self, fetched: None, rows };
        Ok(stream::try_unfold(Some(streaming), next).boxed())
    }

    async fn stream_changes(mut self: Box<Self>, changes: Changes) -> Result<BatchStream, Failure> {
        let Changes { sql, columns, count, .. } = changes;
        let Some(unload) = self.unload.clone() else { return self.stream(sql, columns).await };
        unload.clear(&self.label).await;
        let count = self.rows(&count).await?.into_iter().flatten().next().flatten();
        if !unload.takes(count.and_then(|count| count.parse().ok()).unwrap_or(0)) {
            return self.stream(sql, columns).await;
        }
        // Whether a transaction that only reads may unload, no manual says.
        self.link.set("commit").await?;
        let Self { link, label, .. } = *self;
        unload::stream(&unload, link, &label, &sql, &columns).await
    }
}

/// The next batch, and what is left. At the end the session is closed.
async fn next(
    streaming: Option<Streaming>,
) -> Result<Option<(RecordBatch, Option<Streaming>)>, Failure> {
    let Some(mut streaming) = streaming else { return Ok(None) };
    loop {
        let Streaming { session, fetched, rows } = &mut streaming;
        let fetch = if let Some(fetch) = fetched {
            fetch
        } else {
            let messages = session.link.ask().simple_query_raw(FETCH).await;
            let messages = Box::pin(session.link.settle(messages).await?);
            // The server works on until the last row is here.
            session.link.ask();
            fetched.insert(Fetched { messages, any: false })
        };
        match fetch.messages.next().await {
            Some(Ok(SimpleQueryMessage::Row(row))) => {
                fetch.any = true;
                rows.push(&row).map_err(malformed)?;
                if rows.is_full() {
                    let batch = rows.batch().map_err(malformed)?;
                    return Ok(Some((batch, Some(streaming))));
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return session.link.settle(Err(error)).await,
            // A fetch may give fewer rows than it asks for; one that gives none is the end.
            None if fetch.any => *fetched = None,
            None => break,
        }
    }
    let Streaming { mut session, mut rows, .. } = streaming;
    session.link.rest();
    tell_losses(rows.losses());
    Ok(rows.last_batch().map_err(malformed)?.map(|batch| (batch, None)))
}

fn malformed(error: Malformed) -> Failure {
    lost(error.to_string()).caused_by(error)
}
