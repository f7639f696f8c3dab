//! What an answer means: for all records of a request, or for each of them.

use std::time::Duration;

use ebb_core::{
    Code, Failure, Redactor, Value,
    port::{Exchange, Reply},
};

use crate::{
    manifest::{BodyAnswer, Class, Rows},
    template::{is_truthy, text_of},
};

/// Judges the answers of one destination.
#[derive(Debug)]
pub(crate) struct Judge {
    /// What people call the destination.
    pub(crate) name: String,
    /// What differs from the default table, by status.
    pub(crate) errors: Vec<(u16, Class)>,
    /// What bodies give away.
    pub(crate) answers: Vec<BodyAnswer>,
    /// How an answer tells of each record.
    pub(crate) rows: Option<Rows>,
    /// Takes secrets out of what the service says.
    pub(crate) redactor: Redactor,
}

/// What an answer means.
#[derive(Debug)]
pub(crate) enum Judged {
    /// For each element of the request.
    Each(Vec<Result<(), Failure>>),
    /// For all of them: nothing is known of any single one.
    All(Failure),
}

/// The longest part of an answer that a failure shows, in characters.
const SHOWN: usize = 300;

impl Judge {
    /// What the answer to a request of so many elements means.
    pub(crate) fn judge(&self, exchange: &Exchange, elements: usize) -> Judged {
        let reply = &exchange.reply;
        if let Some(rows) = &self.rows
            && ((200..300).contains(&reply.status) || rows.on.contains(&reply.status))
            && let Some(body) = json(reply)
            && let Some(each) = self.rows(rows, &body, reply, elements)
        {
            return Judged::Each(each);
        }
        match self.class(reply) {
            Class::Delivered => Judged::Each((0..elements).map(|_| Ok(())).collect()),
            class @ (Class::Rejected
            | Class::Auth
            | Class::RateLimited
            | Class::Retry
            | Class::Unexpected) => Judged::All(self.failure(class, reply)),
        }
    }

    /// What the answer as a whole means.
    pub(crate) fn class(&self, reply: &Reply) -> Class {
        if !self.answers.is_empty()
            && let Some(body) = json(reply)
        {
            for answer in &self.answers {
                let found = at(&body, &answer.path);
                let fits = match &answer.equals {
                    Some(wanted) => found == Some(wanted),
                    None => is_truthy(found),
                };
                if fits {
                    return answer.class;
                }
            }
        }
        let own = self.errors.iter().find(|(status, _)| *status == reply.status);
        own.map_or_else(|| default_class(reply.status), |(_, class)| *class)
    }

    /// The failure of a whole answer.
    pub(crate) fn failure(&self, class: Class, reply: &Reply) -> Failure {
        let code = match class {
            Class::Rejected => Code::DestinationRejected,
            Class::Auth => Code::DestinationAuth,
            Class::RateLimited => Code::DestinationBusy,
            Class::Retry => Code::DestinationDown,
            Class::Delivered | Class::Unexpected => Code::DestinationAnswer,
        };
        let said = self.redactor.redact(&String::from_utf8_lossy(&reply.body));
        let failure = Failure::new(code, self.sentence(reply.status, &said));
        match retry_after(reply) {
            Some(wait) => failure.after(wait),
            None => failure,
        }
    }

    fn sentence(&self, status: u16, said: &str) -> String {
        let said = said.trim();
        let cut: String = said.chars().take(SHOWN).collect();
        let dots = if cut.len() < said.len() { "…" } else { "" };
        if cut.is_empty() {
            format!("{} answered `{status}`", self.name)
        } else {
            format!("{} answered `{status}`: `{cut}{dots}`", self.name)
        }
    }

    fn rows(
        &self,
        rows: &Rows,
        body: &Value<'static>,
        reply: &Reply,
        elements: usize,
    ) -> Option<Vec<Result<(), Failure>>> {
        let refused = |entry: &Value<'static>| {
            let reason = rows.message.as_deref().and_then(|path| at(entry, path));
            let reason = text_of(reason.unwrap_or(entry)).into_owned();
            let said = self.redactor.redact(&reason);
            Failure::new(Code::DestinationRejected, self.sentence(reply.status, &said))
        };
        let mut each: Vec<Result<(), Failure>> = (0..elements).map(|_| Ok(())).collect();
        if let Some(path) = &rows.failed {
            let Some(failed) = at(body, path).and_then(Value::as_array) else {
                // A service that has nothing to complain of may leave the list out.
                return (200..300).contains(&reply.status).then_some(each);
            };
            for entry in failed {
                let place = at(entry, &rows.index)
                    .and_then(|place| text_of(place).parse::<usize>().ok())
                    .and_then(|place| each.get_mut(place));
                if let Some(place) = place {
                    *place = Err(refused(entry));
                }
            }
            return Some(each);
        }
        let list = at(body, rows.each.as_deref().unwrap_or_default()).and_then(Value::as_array)?;
        if list.len() != elements {
            return None;
        }
        for (place, entry) in each.iter_mut().zip(list) {
            let mark = rows.ok.as_deref().map_or(Some(entry), |path| at(entry, path));
            let taken = match &rows.equals {
                Some(wanted) => mark == Some(wanted),
                None => is_truthy(mark),
            };
            if !taken {
                *place = Err(refused(entry));
            }
        }
        Some(each)
    }
}

/// What a status means, unless the manifest knows better.
const fn default_class(status: u16) -> Class {
    match status {
        200..=299 => Class::Delivered,
        401 | 403 => Class::Auth,
        429 => Class::RateLimited,
        408 | 425 | 500..=599 => Class::Retry,
        400 | 404 | 409 | 413 | 422 => Class::Rejected,
        _ => Class::Unexpected,
    }
}

fn json(reply: &Reply) -> Option<Value<'static>> {
    Value::from_json(std::str::from_utf8(&reply.body).ok()?).ok()
}

/// The value at a path with dots between keys; the value itself at an empty path.
fn at<'v>(value: &'v Value<'static>, path: &str) -> Option<&'v Value<'static>> {
    path.split('.').filter(|key| !key.is_empty()).try_fold(value, |value, key| match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        Value::Object(object) => object.get(key),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

/// How long the service asks to wait. The transport has turned dates into seconds.
fn retry_after(reply: &Reply) -> Option<Duration> {
    let (_, text) = reply.headers.iter().find(|(name, _)| name == "retry-after")?;
    text.trim().parse::<u64>().ok().map(Duration::from_secs)
}
