//! An action compiled for one destination and one mapping, all but the mapping itself.

use std::sync::OnceLock;

use bytes::Bytes;
use ebb_core::{
    Code, Failure,
    port::{Batch, Batching, Exchange, Header, ItemBuffer, Request, Step},
};

use super::{Body, CompiledRule, Head, Judge, Judged, Signer, head::HeadPlan, header};
use crate::{
    native::{Context, Native},
    template::{Node, Payload, Run, Scope},
};

/// A compiled action. No `Debug`: it holds secrets.
pub(crate) struct Plan {
    pub(crate) head: HeadPlan,
    /// Whether the head is the same for all records of this mapping.
    pub(crate) same_head: bool,
    /// Fields beyond the head that tell batches apart.
    pub(crate) keys: Vec<String>,
    pub(crate) rules: Vec<CompiledRule>,
    pub(crate) item: Option<Node>,
    pub(crate) native: Option<Box<dyn Native>>,
    pub(crate) body: Body,
    pub(crate) signer: Option<Signer>,
    /// Whether records are sent together.
    pub(crate) batched: bool,
    pub(crate) batching: Batching,
    pub(crate) max_item_bytes: Option<usize>,
    /// Headers of requests with at least so many elements.
    pub(crate) several: (usize, Vec<Header>),
    pub(crate) judge: Judge,
    pub(crate) sync_mode: Option<String>,
    pub(crate) group: OnceLock<Bytes>,
}

/// A record's part of a request.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) group: Bytes,
    pub(crate) bytes: Bytes,
}

/// How many elements each item of a request puts into its body.
pub(crate) type Elements = Vec<usize>;

impl Plan {
    /// What a validated payload becomes.
    pub(crate) fn prepare(
        &self,
        payload: Payload<'_>,
        run: &Run<'_>,
        buffer: &mut ItemBuffer,
    ) -> Result<Prepared, Failure> {
        let scope = Scope { field: payload, run };
        for rule in &self.rules {
            rule.judge(scope)?;
        }
        let bytes = buffer.fill(|bytes| {
            self.write_item(scope, bytes)?;
            match self.max_item_bytes {
                Some(most) if bytes.len() > most => {
                    Err(too_large(bytes.len(), most, &self.judge.name))
                }
                Some(_) | None => Ok(()),
            }
        })?;
        Ok(Prepared { group: self.group(scope)?, bytes })
    }

    fn write_item(&self, scope: Scope<'_>, bytes: &mut Vec<u8>) -> Result<(), Failure> {
        let Some(native) = &self.native else {
            if let Some(item) = &self.item {
                item.write(scope, bytes);
            }
            return Ok(());
        };
        let made = self.item.as_ref().and_then(|item| item.evaluate(scope));
        let payload = scope.field.whole();
        if let Some(value) = native.item(made, payload.get(), &self.context(scope.run))? {
            value.write_json(bytes);
        }
        Ok(())
    }

    fn context<'c>(&'c self, run: &'c Run<'c>) -> Context<'c> {
        Context { sync_mode: self.sync_mode.as_deref(), batched: self.batched, run }
    }

    /// The head of the payload's request, shared where it is the same as the first record's.
    fn group(&self, scope: Scope<'_>) -> Result<Bytes, Failure> {
        if self.same_head
            && let Some(group) = self.group.get()
        {
            return Ok(group.clone());
        }
        let mut more = Vec::new();
        for key in &self.keys {
            if let Some(value) = scope.field.get(key) {
                value.write_json(&mut more);
            }
            more.push(b'\n');
        }
        let group = self.head.build(scope)?.pack(&more);
        let first = self.group.get_or_init(|| group.clone());
        Ok(if *first == group { first.clone() } else { group })
    }

    /// The next step of a batch.
    pub(crate) fn next(&self, batch: &Batch, exchanges: &[Exchange]) -> Result<Step, Failure> {
        match &self.native {
            Some(native) => native.next(self, batch, exchanges),
            None => self.plain_next(batch, exchanges),
        }
    }

    /// The next step of a batch that is one request, or several with whole items each.
    pub(crate) fn plain_next(
        &self,
        batch: &Batch,
        exchanges: &[Exchange],
    ) -> Result<Step, Failure> {
        let elements = self.elements(batch);
        let chunks = self.chunks(&elements);
        if exchanges.is_empty() {
            let requests = chunks.iter().map(|(from, to)| {
                let items = batch.items.get(*from..*to).unwrap_or_default();
                let count = elements.get(*from..*to).unwrap_or_default().iter().sum();
                Ok(self.request(
                    Self::head_of(batch)?,
                    items.iter().map(|item| &*item.bytes),
                    count,
                ))
            });
            return Ok(Step::Send(requests.collect::<Result<_, Failure>>()?));
        }
        let mut outcomes = Vec::with_capacity(batch.items.len());
        for ((from, to), exchange) in chunks.iter().zip(exchanges) {
            let counts = elements.get(*from..*to).unwrap_or_default();
            match self.judge.judge(exchange, counts.iter().sum()) {
                Judged::Each(each) => outcomes.extend(per_item(each, counts)),
                Judged::All(failure) if chunks.len() == 1 => return Ok(Step::Refused(failure)),
                Judged::All(failure) => {
                    outcomes.extend(counts.iter().map(|_| Err(failure.clone())));
                }
            }
        }
        Ok(Step::Done(outcomes))
    }

    /// The head that the batch's items share.
    pub(crate) fn head_of(batch: &Batch) -> Result<Head, Failure> {
        let group = batch.items.first().map(|item| &item.group);
        group.and_then(|group| Head::unpack(group)).ok_or_else(|| {
            Failure::new(Code::DestinationManifest, "a batch without a head cannot be sent")
        })
    }

    /// One request with these items, which hold so many elements.
    pub(crate) fn request<'i>(
        &self,
        mut head: Head,
        items: impl IntoIterator<Item = &'i [u8], IntoIter: Clone>,
        elements: usize,
    ) -> Request {
        let mut items = items.into_iter();
        let body = self.body.write(&items, self.expands());
        if body != ebb_core::port::Body::Empty {
            head.set(header("content-type", self.body.content_type()));
        }
        let (least, headers) = &self.several;
        if elements >= *least {
            for header in headers {
                head.set(header.clone());
            }
        }
        if let Some(signer) = &self.signer
            && let Some(first) = items.next().filter(|item| !item.is_empty())
        {
            let signature = signer.sign(first);
            // The action's own header of that name goes first, as in the reference.
            if !head.headers.iter().any(|known| known.name == signature.name) {
                head.headers.push(signature);
            }
        }
        let Head { method, url, headers } = head;
        Request { method, url, headers, body }
    }

    fn expands(&self) -> bool {
        self.native.as_ref().is_some_and(|native| native.most_elements().is_some())
    }

    /// How many elements each item holds.
    pub(crate) fn elements(&self, batch: &Batch) -> Elements {
        if !self.expands() {
            return vec![1; batch.items.len()];
        }
        let count = |bytes: &[u8]| {
            serde_json::from_slice::<Vec<&serde_json::value::RawValue>>(bytes)
                .map_or(1, |list| list.len())
        };
        batch.items.iter().map(|item| count(&item.bytes)).collect()
    }

    /// Runs of whole items that fit into a request each.
    fn chunks(&self, elements: &[usize]) -> Vec<(usize, usize)> {
        let most = self.native.as_ref().and_then(|native| native.most_elements());
        let Some(most) = most.filter(|_| self.batched) else { return vec![(0, elements.len())] };
        let mut chunks = Vec::new();
        let (mut from, mut held) = (0, 0);
        for (place, count) in elements.iter().enumerate() {
            if held > 0 && held + count > most {
                chunks.push((from, place));
                (from, held) = (place, 0);
            }
            held += count;
        }
        chunks.push((from, elements.len()));
        chunks
    }
}

/// The outcome of an item is the first failure of its elements.
fn per_item(
    each: Vec<Result<(), Failure>>,
    counts: &[usize],
) -> impl Iterator<Item = Result<(), Failure>> {
    let mut each = each.into_iter();
    counts.iter().map(move |count| {
        let own: Vec<_> = each.by_ref().take(*count).collect();
        own.into_iter().collect::<Result<(), Failure>>()
    })
}

fn too_large(size: usize, most: usize, name: &str) -> Failure {
    Failure::new(
        Code::PayloadInvalid,
        format!("the record is `{size}` bytes large, and {name} takes at most `{most}`"),
    )
    .help("Map fewer or shorter columns")
}
