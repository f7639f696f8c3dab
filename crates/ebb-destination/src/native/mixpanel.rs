//! Mixpanel's purchases, identities and increments.

use ebb_core::{
    Code, Failure, Number, Object, Value,
    port::{Batch, Exchange, Step},
};

use super::{Context, Native};
use crate::{
    planner::{Judged, Plan},
    template::{is_truthy, text_of},
};

/// One event for an order, and one for each of its products.
#[derive(Debug)]
pub(super) struct Purchase;

/// What belongs to the order and not to its products.
const ORDER_ALONE: &[&str] = &[
    "affiliation",
    "subtotal",
    "total",
    "revenue",
    "shipping",
    "tax",
    "discount",
    "coupon",
    "currency",
    "order_number",
    "products",
];

impl Native for Purchase {
    fn item<'v>(
        &'v self,
        made: Option<Value<'v>>,
        payload: &'v Value<'v>,
        context: &Context<'v>,
    ) -> Result<Option<Value<'v>>, Failure> {
        let field = |key: &str| payload.as_object().and_then(|payload| payload.get(key));
        let Some(order) = made else { return Ok(None) };
        let mut events = Vec::new();
        if is_truthy(field("generatePurchaseEventPerProduct"))
            && let Some(products) = field("products").and_then(Value::as_array)
            && let Some(shared) = order.as_object().and_then(|order| order.get("properties"))
            && let Some(shared) = shared.as_object()
        {
            let insert_id = match field("insert_id").filter(|id| !id.is_null()) {
                Some(id) => text_of(id).into_owned(),
                None => context.run.random_id(),
            };
            let time = field("time")
                .filter(|time| is_truthy(Some(time)))
                .and_then(ebb_mapping::milliseconds);
            let mut time = time.unwrap_or_else(|| context.run.now());
            for (place, product) in products.iter().enumerate() {
                time -= 1;
                let mut properties = shared.clone();
                properties.retain(|key, _| !ORDER_ALONE.contains(&key));
                properties.insert("$insert_id", format!("{place}{insert_id}").into());
                properties.insert("time", time.into());
                if let Some(product) = product.as_object() {
                    for (key, value) in product.iter() {
                        properties.insert(key, value.borrowed());
                    }
                }
                let mut event = Object::with_capacity(2);
                event.push("event", "Product Purchased".into());
                event.push("properties", properties.into());
                events.push(event.into());
            }
        }
        events.insert(0, order);
        Ok(Some(Value::Array(events)))
    }

    fn most_elements(&self) -> Option<usize> {
        Some(2000)
    }
}

/// Numbers to add to a profile's.
#[derive(Debug)]
pub(super) struct Increment;

impl Native for Increment {
    fn item<'v>(
        &'v self,
        made: Option<Value<'v>>,
        payload: &'v Value<'v>,
        _context: &Context<'v>,
    ) -> Result<Option<Value<'v>>, Failure> {
        let wrong = |what: String| Failure::new(Code::PayloadInvalid, what);
        let increment = payload.as_object().and_then(|payload| payload.get("increment"));
        let Some(increment) = increment.and_then(Value::as_object).filter(|it| !it.is_empty())
        else {
            return Ok(None);
        };
        if increment.len() > 20 {
            return Err(wrong(format!(
                "`increment` has `{}` properties; 20 are allowed",
                increment.len()
            )));
        }
        let mut added = Object::with_capacity(increment.len());
        for (key, value) in increment.iter() {
            let number = match value {
                Value::Number(number) => Value::Number(number.borrowed()),
                Value::String(text) => {
                    let number = number_of(text)
                        .ok_or_else(|| wrong(format!("`increment.{key}` is not a number")))?;
                    Value::Number(Number::Float(number))
                }
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => continue,
            };
            added.push(key, number);
        }
        let Some(Value::Object(mut data)) = made else { return Ok(None) };
        data.insert("$add", added.into());
        Ok(Some(data.into()))
    }

    fn next(&self, plan: &Plan, batch: &Batch, exchanges: &[Exchange]) -> Result<Step, Failure> {
        nothing_to_send(batch).map_or_else(|| plan.plain_next(batch, exchanges), Ok)
    }
}

/// Text as JavaScript reads a number: blanks are zero.
fn number_of(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.is_empty() {
        return Some(0.0);
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// An identity and a profile: up to two requests, one after the other.
#[derive(Debug)]
pub(super) struct Identify;

impl Native for Identify {
    fn item<'v>(
        &'v self,
        made: Option<Value<'v>>,
        payload: &'v Value<'v>,
        _context: &Context<'v>,
    ) -> Result<Option<Value<'v>>, Failure> {
        let field = |key: &str| payload.as_object().and_then(|payload| payload.get(key));
        let Some(Value::Object(mut parts)) = made else { return Ok(None) };
        if !is_truthy(field("anonymous_id")) {
            parts.remove("track");
        }
        let traits = field("traits").and_then(Value::as_object);
        if traits.is_none_or(Object::is_empty) {
            parts.remove("engage");
        }
        Ok((!parts.is_empty()).then(|| parts.into()))
    }

    fn next(&self, plan: &Plan, batch: &Batch, exchanges: &[Exchange]) -> Result<Step, Failure> {
        if let Some(done) = nothing_to_send(batch) {
            return Ok(done);
        }
        if let Some(exchange) = exchanges.last()
            && let Judged::All(failure) = plan.judge.judge(exchange, 1)
        {
            return Ok(Step::Refused(failure));
        }
        let bytes = batch.items.first().map(|item| &*item.bytes).unwrap_or_default();
        let parts = Value::from_json(&String::from_utf8_lossy(bytes)).unwrap_or_default();
        let parts = parts.as_object();
        let Some((part, data)) = parts.and_then(|parts| parts.iter().nth(exchanges.len())) else {
            return Ok(Step::Done(vec![Ok(()); batch.items.len()]));
        };
        let mut head = Plan::head_of(batch)?;
        if let Some((base, _)) = head.url.rsplit_once('/') {
            head.url = format!("{base}/{part}");
        }
        let data = data.to_json();
        Ok(Step::Send(vec![plan.request(head, [data.as_bytes()], 1)]))
    }
}

/// A record that asks for nothing is delivered.
fn nothing_to_send(batch: &Batch) -> Option<Step> {
    let nothing = batch.items.iter().all(|item| item.bytes.is_empty());
    nothing.then(|| Step::Done(vec![Ok(()); batch.items.len()]))
}
