//! What was made in the page or by the API: entries of the configuration, their secrets, and the log of
//! who changed what.

use ebb_core::{Code, Failure};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{
    Database, Fault,
    people::moment,
    remade,
    sql::{Row, Transaction, params},
};

/// A source, model, destination or mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `sources`, `models`, `destinations` or `mappings`.
    pub section: String,
    /// Its name.
    pub name: String,
    /// A number that no other content of it ever has.
    pub version: i64,
    /// What a project file would say; a secret stands as `${secret:NAME}`.
    pub document: Value,
}

/// A secret as it lies in the database: encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Its name, as `${secret:NAME}` has it.
    pub name: String,
    /// What only the server's key opens.
    pub bytes: Vec<u8>,
}

/// One change of an entry.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// The section.
    pub section: String,
    /// The name.
    pub name: String,
    /// The new content; `None` removes it.
    pub document: Option<Value>,
    /// The version that it must have; `None` for one that must not be there yet.
    pub expected: Option<i64>,
    /// Secrets that are new or replaced.
    pub secrets: Vec<Sealed>,
    /// Secrets that nothing needs any more.
    pub forgotten: Vec<String>,
}

/// A line of the log of changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditLine {
    /// Sorts by time.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who: an address, and the token's name where one was used.
    pub actor: String,
    /// What was done, such as `mapping.updated`.
    pub action: String,
    /// What it was done to.
    pub subject: String,
    /// How it was before; secrets are left out.
    pub before: Option<Value>,
    /// How it is now; a secret that changed stands as "changed".
    pub after: Option<Value>,
}

impl Database {
    /// Every entry, by section and name.
    pub async fn entries(&self) -> Result<Vec<Entry>, Failure> {
        self.read(|transaction| {
            let query = "select section, name, version, document from entry order by section, name";
            transaction.query(query, params![], |row| {
                Ok(Entry {
                    section: row.get(0)?,
                    name: row.get(1)?,
                    version: row.get(2)?,
                    document: serde_json::from_str(row.get(3)?)?,
                })
            })
        })
        .await
    }

    /// Every secret.
    pub async fn secrets(&self) -> Result<Vec<Sealed>, Failure> {
        self.read(|transaction| {
            transaction.query("select name, sealed from secret", params![], |row| {
                Ok(Sealed { name: row.get(0)?, bytes: row.get(1)? })
            })
        })
        .await
    }

    /// Puts other seals on secrets: they were encrypted anew.
    pub async fn reseal(&self, secrets: Vec<Sealed>) -> Result<(), Failure> {
        self.write(move |transaction, _| keep(transaction, &secrets)).await
    }

    /// Makes all of these changes, each with its line in the log, or none of them, and gives the entries'
    /// new versions. `A607` if an entry does not have the expected version.
    pub async fn edit(&self, edits: Vec<(Edit, AuditLine)>) -> Result<Vec<i64>, Failure> {
        self.write(move |transaction, _| {
            edits.iter().map(|(edit, line)| make(transaction, edit, line)).collect()
        })
        .await
    }

    /// Writes a line of the log for what is no edit of an entry.
    pub async fn note(&self, line: AuditLine) -> Result<(), Failure> {
        self.write(move |transaction, _| log(transaction, &line)).await
    }

    /// The log before a line, the newest first; from its end without one.
    pub async fn audit(
        &self,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<AuditLine>, Failure> {
        let before = before.map(str::to_owned);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(move |transaction| {
            transaction.query(
                "select id, at, actor, action, subject, before, after from audit
                 where cast(?1 as text) is null or id < ?1 order by id desc limit ?2",
                params![before, limit],
                line,
            )
        })
        .await
    }
}

fn make(transaction: &Transaction<'_>, edit: &Edit, line: &AuditLine) -> Result<i64, Fault> {
    let Edit { section, name, document, expected, secrets, forgotten } = edit;
    let query = "select version from entry where section = ?1 and name = ?2";
    let current: Option<i64> =
        transaction.query_optional(query, params![section, name], |row| row.get(0))?;
    if current != *expected {
        return Err(conflict(name, current, *expected).into());
    }
    let next = "update entry_version set number = number + 1 returning number";
    let version: i64 = transaction.query_row(next, params![], |row| row.get(0))?;
    if let Some(document) = document {
        transaction.execute(
            "insert into entry (section, name, version, document) values (?1, ?2, ?3, ?4)
             on conflict (section, name) do update
             set version = excluded.version, document = excluded.document",
            params![section, name, version, document.to_string()],
        )?;
    } else {
        let remove = "delete from entry where section = ?1 and name = ?2";
        transaction.execute(remove, params![section, name])?;
    }
    remade::note(transaction, edit, version)?;
    keep(transaction, secrets)?;
    for secret in forgotten {
        transaction.execute("delete from secret where name = ?1", params![secret])?;
    }
    log(transaction, line)?;
    Ok(version)
}

fn conflict(name: &str, current: Option<i64>, expected: Option<i64>) -> Failure {
    match (current, expected) {
        (Some(_), None) => {
            Failure::new(Code::ConfigDuplicate, format!("there is a `{name}` already"))
                .help("Choose another name")
        }
        _ => Failure::new(Code::EditConflict, format!("`{name}` was changed meanwhile")),
    }
}

fn keep(transaction: &Transaction<'_>, secrets: &[Sealed]) -> Result<(), Fault> {
    for Sealed { name, bytes } in secrets {
        let keep = "insert into secret (name, sealed) values (?1, ?2)
                    on conflict (name) do update set sealed = excluded.sealed";
        transaction.execute(keep, params![name, bytes])?;
    }
    Ok(())
}

fn log(transaction: &Transaction<'_>, line: &AuditLine) -> Result<(), Fault> {
    let text = |value: &Option<Value>| value.as_ref().map(Value::to_string);
    transaction.execute(
        "insert into audit (id, at, actor, action, subject, before, after)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            line.id,
            line.at.as_microsecond(),
            line.actor,
            line.action,
            line.subject,
            text(&line.before),
            text(&line.after),
        ],
    )?;
    Ok(())
}

fn line(row: &Row<'_>) -> Result<AuditLine, Fault> {
    let value = |index| -> Result<Option<Value>, Fault> {
        let text: Option<&str> = row.get(index)?;
        Ok(text.map(serde_json::from_str).transpose()?)
    };
    Ok(AuditLine {
        id: row.get(0)?,
        at: moment(row.get(1)?)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        before: value(5)?,
        after: value(6)?,
    })
}
