//! One record, sent for real, and everything that was said.

use std::sync::Arc;

use ebb_core::{
    Code, Failure, Record, RecordSet,
    port::{Batch, Exchange, ItemBuffer, ShownRequest, Step, Wanted},
};

use crate::{Engine, Job, Plan};

/// What became of a test record.
#[derive(Debug)]
pub struct Trial {
    /// The requests and their answers, in order.
    pub exchanges: Vec<Exchange>,
    /// Whether the destination took the record.
    pub outcome: Result<(), Failure>,
}

impl Engine {
    /// The requests that one record would make first. Nothing is sent, and no source is asked. The record is taken as if it had just been added.
    pub fn rehearse(&self, job: &Job, record: Record<'_>) -> Result<Vec<ShownRequest>, Failure> {
        let plan = Plan { columns: record.columns().to_vec(), ..job.plan.clone() };
        let action = Job { plan, ..job.clone() }.action(&self.limits)?;
        let item = action.prepare(&record, &mut ItemBuffer::default())?;
        let redactor = job.delivery.redactor();
        match action.next(&Batch { items: vec![item] }, &[])? {
            Step::Send(requests) => {
                Ok(requests.iter().map(|request| request.shown(redactor)).collect())
            }
            Step::Done(_) => Ok(Vec::new()),
            Step::Refused(failure) => Err(failure),
        }
    }

    /// Sends one record of the model as if it had just been added. Nothing is tracked. `Err` means
    /// that nothing was sent: the record is not there or does not fit.
    pub async fn trial(&self, mut job: Job, record_id: &str) -> Result<Trial, Failure> {
        job.plan.columns = job.warehouse.columns(&job.query).await?;
        let action = job.action(&self.limits)?;
        let set = self.record(&job, record_id).await?;
        let record = set.get(0).ok_or_else(|| not_found(record_id))?;
        let item = action.prepare(&record, &mut ItemBuffer::default())?;
        let batch = Batch { items: vec![item] };
        let transport = job.delivery.transport();
        let mut exchanges = Vec::new();
        let outcome = loop {
            match action.next(&batch, &exchanges) {
                Err(failure) | Ok(Step::Refused(failure)) => break Err(failure),
                Ok(Step::Done(answers)) => break answers.into_iter().collect(),
                Ok(Step::Send(requests)) => {
                    for request in requests {
                        let reply = transport.send(&request).await?;
                        exchanges.push(Exchange { request, reply });
                    }
                }
            }
        };
        Ok(Trial { exchanges, outcome })
    }

    /// One record of a model, read in its source: the first and only one of what this gives. Fails if there is
    /// none with this identifier.
    async fn record(&self, job: &Job, record_id: &str) -> Result<RecordSet, Failure> {
        let rows = job.warehouse.preview(&job.query, Wanted::Record(record_id), 1).await?.rows;
        let now: Arc<str> = self.ports.clock.now().to_string().into();
        let set = RecordSet::new(&rows, job.plan.name.as_str().into(), now)?;
        if set.is_empty() { Err(not_found(record_id)) } else { Ok(set) }
    }
}

fn not_found(record_id: &str) -> Failure {
    Failure::new(Code::RecordNotFound, format!("the model has no record `{record_id}`"))
}
