//! Braze's purchases, messages and catalogs.

use ebb_core::{
    Code, Failure, Object, Value,
    port::{Batch, Exchange, Request, Step},
};

use super::{Context, Native};
use crate::{
    manifest::Class,
    planner::Plan,
    template::{is_truthy, text_of},
};

fn wrong(lack: impl Into<String>) -> Failure {
    Failure::new(Code::PayloadInvalid, lack)
}

/// The most objects of one call.
const MOST: usize = 75;

/// One purchase for each product of an order.
#[derive(Debug)]
pub(super) struct Purchase;

/// What a purchase has beside its properties.
const OWN: &[&str] = &["product_id", "currency", "price", "quantity"];

impl Native for Purchase {
    fn item<'v>(
        &'v self,
        made: Option<Value<'v>>,
        payload: &'v Value<'v>,
        context: &Context<'v>,
    ) -> Result<Option<Value<'v>>, Failure> {
        let field = |key: &str| payload.as_object().and_then(|payload| payload.get(key));
        let products = field("products").and_then(Value::as_array).unwrap_or_default();
        if context.batched && products.len() > MOST {
            return Err(wrong(format!(
                "`products` has `{}` entries; Braze takes {MOST} in one call",
                products.len()
            )));
        }
        if context.batched && products.is_empty() {
            return Err(wrong("`products` has no entry"));
        }
        let Some(Value::Object(base)) = made else { return Ok(None) };
        let purchases = products.iter().map(|product| {
            let nothing = Object::new();
            let product = product.as_object().unwrap_or(&nothing);
            let mut purchase = base.clone();
            for key in OWN {
                let value = product.get(key).map(|value| value.clone().into_owned());
                let value = match value {
                    None | Some(Value::Null) if *key == "currency" => Some("USD".into()),
                    value => value,
                };
                if let Some(value) = value {
                    purchase.insert(*key, value);
                }
            }
            let mut properties = Object::new();
            let own = product.iter().filter(|(key, _)| !OWN.contains(key));
            let shared = field("properties").and_then(Value::as_object);
            let shared = shared.into_iter().flat_map(Object::iter);
            for (key, value) in own.chain(shared.filter(|(key, _)| *key != "products")) {
                properties.insert(key.to_owned(), value.clone().into_owned());
            }
            purchase.insert("properties", properties.into());
            purchase.into()
        });
        Ok(Some(Value::Array(purchases.collect())))
    }

    fn most_elements(&self) -> Option<usize> {
        Some(MOST)
    }

    fn next(&self, plan: &Plan, batch: &Batch, exchanges: &[Exchange]) -> Result<Step, Failure> {
        if plan.elements(batch).iter().all(|count| *count == 0) {
            return Ok(Step::Done(vec![Ok(()); batch.items.len()]));
        }
        plan.plain_next(batch, exchanges)
    }
}

/// A campaign or canvas for recipients, or for everybody.
#[derive(Debug)]
pub(super) struct Trigger;

impl Native for Trigger {
    fn item<'v>(
        &'v self,
        _made: Option<Value<'v>>,
        payload: &'v Value<'v>,
        _context: &Context<'v>,
    ) -> Result<Option<Value<'v>>, Failure> {
        let Value::Object(mut body) = payload.borrowed() else { return Ok(None) };
        let broadcast = is_truthy(body.get("broadcast"));
        let recipients = body.get("recipients").and_then(Value::as_array).map_or(0, <[_]>::len);
        if !broadcast && recipients == 0 {
            return Err(wrong("either `broadcast` must be true or `recipients` must be given"));
        }
        if broadcast && recipients > 0 {
            return Err(wrong("`recipients` cannot be given with `broadcast`"));
        }
        if recipients > 0 && is_truthy(body.get("prioritization")) {
            let order = body.remove("prioritization").unwrap_or_default();
            let order: Vec<Value<'v>> = ["first_priority", "second_priority"]
                .into_iter()
                .filter_map(|key| order.as_object()?.get(key).cloned())
                .filter(|value| is_truthy(Some(value)))
                .collect();
            if !order.is_empty()
                && let Some(Value::Array(recipients)) = body.get_mut("recipients")
            {
                for recipient in recipients {
                    if let Value::Object(recipient) = recipient {
                        recipient.insert("prioritization", Value::Array(order.clone()));
                    }
                }
            }
        }
        Ok(Some(body.into()))
    }
}

/// Items of a catalog, by identifier.
#[derive(Debug)]
pub(super) struct Catalog;

impl Native for Catalog {
    fn item<'v>(
        &'v self,
        _made: Option<Value<'v>>,
        payload: &'v Value<'v>,
        context: &Context<'v>,
    ) -> Result<Option<Value<'v>>, Failure> {
        let field = |key: &str| payload.as_object().and_then(|payload| payload.get(key));
        let item = field("item").map_or_else(|| Object::new().into(), Value::borrowed);
        let upsert = context.sync_mode == Some("upsert");
        if upsert && item.as_object().is_some_and(Object::is_empty) {
            return Err(wrong("`item` must have a value"));
        }
        if !context.batched {
            return Ok(Some(item));
        }
        let mut body = match item {
            Value::Object(item) if upsert => item,
            Value::Object(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Object::new(),
        };
        body.insert("id", field("item_id").map(Value::borrowed).unwrap_or_default());
        Ok(Some(body.into()))
    }

    fn next(&self, plan: &Plan, batch: &Batch, exchanges: &[Exchange]) -> Result<Step, Failure> {
        let ids = ids(batch);
        let first = |place: usize| !ids.iter().take(place).any(|id| Some(id) == ids.get(place));
        let Some(exchange) = exchanges.last() else {
            let items =
                batch.items.iter().enumerate().filter(|(place, _)| !plan.batched || first(*place));
            let items: Vec<&[u8]> = items.map(|(_, item)| &*item.bytes).collect();
            let count = items.len();
            let request: Request = plan.request(Plan::head_of(batch)?, items, count);
            return Ok(Step::Send(vec![request]));
        };
        let class = plan.judge.class(&exchange.reply);
        let answer = std::str::from_utf8(&exchange.reply.body).ok();
        let answer = answer.and_then(|text| Value::from_json(text).ok()).unwrap_or_default();
        let errors = answer.as_object().and_then(|answer| answer.get("errors"));
        let errors = errors.and_then(Value::as_array).unwrap_or_default();
        let delete = plan.sync_mode.as_deref() == Some("delete");
        if !plan.batched {
            let gone = errors.first().and_then(|error| error.as_object()?.get("id")?.as_str());
            if class == Class::Delivered || (delete && gone == Some("item-not-found")) {
                return Ok(Step::Done(vec![Ok(())]));
            }
            return Ok(Step::Refused(plan.judge.failure(class, &exchange.reply)));
        }
        let named = named(errors);
        let whole = plan.judge.failure(class, &exchange.reply);
        if class != Class::Delivered && named.is_empty() {
            return Ok(Step::Refused(whole));
        }
        let outcomes = ids.iter().enumerate().map(|(place, id)| {
            if !first(place) {
                return Err(wrong(format!(
                    "`{id}` is in the batch twice; an item may be there once"
                )));
            }
            if class == Class::Delivered {
                return Ok(());
            }
            match named.iter().find(|(name, _)| name == id) {
                Some((_, message)) => Err(Failure::new(
                    Code::DestinationRejected,
                    plan.judge.redactor.redact(message),
                )),
                // Braze takes a batch whole or not at all: these go again without the bad ones.
                None => Err(Failure::new(
                    Code::DestinationDown,
                    format!("`{id}` was not taken because of other items in its batch"),
                )),
            }
        });
        Ok(Step::Done(outcomes.collect()))
    }
}

/// The identifiers of a batch's items.
fn ids(batch: &Batch) -> Vec<String> {
    let id = |bytes: &[u8]| {
        let item = Value::from_json(std::str::from_utf8(bytes).ok()?).ok()?;
        Some(text_of(item.as_object()?.get("id")?).into_owned())
    };
    batch.items.iter().map(|item| id(&item.bytes).unwrap_or_default()).collect()
}

/// The items that an answer complains of, each with the reason.
fn named(errors: &[Value<'_>]) -> Vec<(String, String)> {
    let mut named = Vec::new();
    for error in errors.iter().filter_map(Value::as_object) {
        let message = error.get("message").map(text_of).unwrap_or_default();
        let values = error.get("parameter_values").and_then(Value::as_array).unwrap_or_default();
        for value in values {
            let id = value.as_object().and_then(|value| value.get("id")).unwrap_or(value);
            named.push((text_of(id).into_owned(), message.clone().into_owned()));
        }
    }
    named
}
