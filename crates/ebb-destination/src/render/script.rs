//! Scripted answers in place of a network.

use std::time::Duration;

use bytes::Bytes;
use ebb_core::{
    Code, Failure,
    port::{Reply, Request},
};
use regex::Regex;

use super::line::Response;

/// The answers that are left.
#[derive(Debug)]
pub(super) struct Script<'l> {
    rules: Vec<Rule<'l>>,
}

#[derive(Debug)]
struct Rule<'l> {
    response: &'l Response,
    left: Option<i64>,
}

/// An answer, and where it came from.
#[derive(Debug)]
pub(super) struct Scripted {
    pub(super) status: u16,
    pub(super) by_rule: bool,
    pub(super) reply: Result<Reply, Failure>,
}

impl<'l> Script<'l> {
    pub(super) fn new(responses: &'l [Response]) -> Self {
        let rules = responses.iter().map(|response| Rule { response, left: response.times });
        Self { rules: rules.collect() }
    }

    /// The answer to a request: the first that fits, or 200 with an empty object.
    pub(super) fn answer(&mut self, request: &Request) -> Scripted {
        let Some(rule) = self.rules.iter_mut().find(|rule| rule.fits(request)) else {
            return Scripted {
                status: 200,
                by_rule: false,
                reply: Ok(reply(200, "{}".into(), Vec::new())),
            };
        };
        rule.left = rule.left.map(|left| left - 1);
        let response = rule.response;
        let status = response.status.unwrap_or(200);
        let failed =
            response.network_error.as_ref().filter(|it| **it != serde_json::Value::Bool(false));
        if failed.is_some() {
            let failure =
                Failure::new(Code::DestinationUnreachable, "the script cuts the connection");
            return Scripted { status, by_rule: true, reply: Err(failure) };
        }
        let body = match &response.body {
            None => "{}".to_owned(),
            Some(serde_json::Value::Null) => String::new(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(body) => body.to_string(),
        };
        let headers = response.headers.iter().map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.to_ascii_lowercase(), value)
        });
        Scripted { status, by_rule: true, reply: Ok(reply(status, body, headers.collect())) }
    }
}

impl Rule<'_> {
    fn fits(&self, request: &Request) -> bool {
        let response = self.response;
        self.left.is_none_or(|left| left > 0)
            && response
                .method
                .as_ref()
                .is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
            && match (&response.regex, &response.part) {
                (Some(regex), _) => {
                    Regex::new(regex).is_ok_and(|regex| regex.is_match(&request.url))
                }
                (None, Some(part)) => request.url.contains(part),
                (None, None) => true,
            }
    }
}

fn reply(status: u16, body: String, headers: Vec<(String, String)>) -> Reply {
    Reply { status, headers, body: Bytes::from(body), elapsed: Duration::ZERO }
}
