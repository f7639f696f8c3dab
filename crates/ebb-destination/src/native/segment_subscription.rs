//! Channels and their subscriptions, as a Segment profile space takes them.

use ebb_core::{Code, Failure, Object, Value};

use super::{Context, Native};
use crate::template::{is_truthy, text_of};

/// Plans an identify call with `messaging_subscriptions` and `externalIds`.
#[derive(Debug)]
pub(super) struct SegmentSubscription;

/// A way to reach somebody.
struct Channel {
    /// The payload's field, and what its identifier is called.
    field: &'static str,
    identifier: &'static str,
    /// The field of each subscription with the channel's name.
    subscriptions: &'static [(&'static str, &'static str)],
    groups: bool,
}

const CHANNELS: &[Channel] = &[
    Channel {
        field: "email",
        identifier: "email",
        subscriptions: &[("email_subscription_status", "EMAIL")],
        groups: true,
    },
    Channel {
        field: "phone",
        identifier: "phone",
        subscriptions: &[
            ("sms_subscription_status", "SMS"),
            ("whatsapp_subscription_status", "WHATSAPP"),
        ],
        groups: false,
    },
    Channel {
        field: "android_push_token",
        identifier: "android.push_token",
        subscriptions: &[("android_push_subscription_status", "ANDROID_PUSH")],
        groups: false,
    },
    Channel {
        field: "ios_push_token",
        identifier: "ios.push_token",
        subscriptions: &[("ios_push_subscription_status", "IOS_PUSH")],
        groups: false,
    },
];

const INVALID: &str = "INVALID";

/// The status that a word stands for; `None` without a word.
fn status_of(word: &str) -> Option<&'static str> {
    match word.trim().to_lowercase().as_str() {
        "" => None,
        "true" | "subscribed" => Some("SUBSCRIBED"),
        "false" | "unsubscribed" => Some("UNSUBSCRIBED"),
        "did-not-subscribe" | "did_not_subscribe" => Some("DID_NOT_SUBSCRIBE"),
        _ => Some(INVALID),
    }
}

impl Native for SegmentSubscription {
    fn item<'v>(
        &'v self,
        made: Option<Value<'v>>,
        payload: &'v Value<'v>,
        _context: &Context<'v>,
    ) -> Result<Option<Value<'v>>, Failure> {
        let nothing = Object::new();
        let payload = payload.as_object().unwrap_or(&nothing);
        check(payload).map_err(|lack| Failure::new(Code::PayloadInvalid, lack))?;
        let mut identifiers = Vec::new();
        let mut subscriptions = Vec::new();
        for channel in CHANNELS {
            let contact = payload.get(channel.field).filter(|value| !value.is_null());
            if let Some(contact) = contact {
                let mut identifier = Object::with_capacity(4);
                identifier.push("id", contact.clone().into_owned());
                identifier.push("type", channel.identifier.into());
                identifier.push("collection", "users".into());
                identifier.push("encoding", "none".into());
                identifiers.push(identifier.into());
            }
            for (field, name) in channel.subscriptions {
                let Some(status) = status(payload, field) else { continue };
                let mut subscription = Object::with_capacity(4);
                if let Some(contact) = payload.get(channel.field) {
                    subscription.push("key", contact.clone().into_owned());
                }
                subscription.push("type", (*name).into());
                subscription.push("status", status.into());
                if channel.groups
                    && let Some(groups) = groups(payload)
                {
                    subscription.push("groups", groups);
                }
                subscriptions.push(subscription.into());
            }
        }
        let Some(Value::Object(mut event)) = made else { return Ok(None) };
        if let Some(Value::Object(context)) = event.get_mut("context") {
            context.insert("messaging_subscriptions", Value::Array(subscriptions));
            context.insert("externalIds", Value::Array(identifiers));
        }
        Ok(Some(event.into()))
    }
}

fn status(payload: &Object<'_>, field: &str) -> Option<&'static str> {
    status_of(payload.get(field)?.as_str()?)
}

/// The groups of the e-mail channel; `None` if none are given.
fn groups(payload: &Object<'_>) -> Option<Value<'static>> {
    let groups = payload.get("subscription_groups")?.as_object()?;
    let list = groups.iter().map(|(name, status)| {
        let mut group = Object::with_capacity(2);
        group.push("name", name.to_owned().into());
        if let Some(status) = status_of(&text_of(status)) {
            group.push("status", status.into());
        }
        group.into()
    });
    (!groups.is_empty()).then(|| Value::Array(list.collect()))
}

/// What the payload lacks, in a sentence.
fn check(payload: &Object<'_>) -> Result<(), &'static str> {
    let has = |field: &str| is_truthy(payload.get(field));
    let all = || CHANNELS.iter().flat_map(|channel| channel.subscriptions).map(|(field, _)| *field);
    if !CHANNELS.iter().any(|channel| has(channel.field)) {
        return Err(
            "one of `email`, `phone`, `android_push_token` and `ios_push_token` must have a value",
        );
    }
    if !all().any(has) {
        return Err("at least one channel must have a subscription");
    }
    if !has("email") && has("email_subscription_status") {
        return Err("`email_subscription_status` needs an `email`");
    }
    let groups = payload.get("subscription_groups").and_then(Value::as_object);
    if groups.is_some_and(|groups| !groups.is_empty()) && !has("email_subscription_status") {
        return Err("`subscription_groups` need an `email_subscription_status`");
    }
    if !has("phone") && (has("sms_subscription_status") || has("whatsapp_subscription_status")) {
        return Err("`sms_subscription_status` and `whatsapp_subscription_status` need a `phone`");
    }
    if !has("android_push_token") && has("android_push_subscription_status") {
        return Err("`android_push_subscription_status` needs an `android_push_token`");
    }
    if !has("ios_push_token") && has("ios_push_subscription_status") {
        return Err("`ios_push_subscription_status` needs an `ios_push_token`");
    }
    if all().all(|field| status(payload, field) == Some(INVALID)) {
        return Err("no subscription has a status that is known");
    }
    Ok(())
}
