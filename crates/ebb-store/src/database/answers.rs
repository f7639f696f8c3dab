//! What was answered to requests that may come twice although they are meant once.

use ebb_core::{Code, Failure};
use jiff::Timestamp;
use serde_json::Value;

use super::{Database, sql::params};

/// A request that is meant once, however often it comes.
#[derive(Debug, Clone)]
pub struct Once {
    /// A digest of who asks and of the key that they gave.
    pub key: String,
    /// What is asked; the same key never stands for two things.
    pub request: String,
}

impl Database {
    /// Keeps what is answered to a request, unless an answer is kept since `oldest`: then that one is given,
    /// and nothing is to be done again. Forgets all that are older. `A610` if the key stands for something
    /// else.
    pub async fn answer_once(
        &self,
        once: &Once,
        answer: &Value,
        now: Timestamp,
        oldest: Timestamp,
    ) -> Result<Option<Value>, Failure> {
        let (Once { key, request }, answer) = (once.clone(), answer.to_string());
        self.write(move |transaction, _| {
            transaction
                .execute("delete from answer where at < ?1", params![oldest.as_microsecond()])?;
            let query = "select request, answer from answer where key = ?1";
            let kept: Option<(String, String)> =
                transaction
                    .query_optional(query, params![key], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let Some((of, kept)) = kept else {
                let keep = "insert into answer (key, request, answer, at) values (?1, ?2, ?3, ?4)";
                transaction.execute(keep, params![key, request, answer, now.as_microsecond()])?;
                return Ok(None);
            };
            if of != request {
                let message = "the `Idempotency-Key` was used for another request";
                return Err(Failure::new(Code::RequestInvalid, message)
                    .help("Make a new key for every request that is meant anew")
                    .into());
            }
            Ok(Some(serde_json::from_str(&kept)?))
        })
        .await
    }

    /// Keeps another answer to a request, which is known only when all is done.
    pub async fn keep_answer(&self, once: &Once, answer: &Value) -> Result<(), Failure> {
        let (key, answer) = (once.key.clone(), answer.to_string());
        self.write(move |transaction, _| {
            transaction
                .execute("update answer set answer = ?2 where key = ?1", params![key, answer])?;
            Ok(())
        })
        .await
    }

    /// Takes an answer back: what it told was not done.
    pub async fn forget_answer(&self, once: &Once) -> Result<(), Failure> {
        let key = once.key.clone();
        self.write(move |transaction, _| {
            transaction.execute("delete from answer where key = ?1", params![key])?;
            Ok(())
        })
        .await
    }
}
