//! Ways to people outside the page: what each takes, and how it is sent there.

mod email;
mod form;
mod hook;

use std::{sync::Arc, time::Duration};

use ebb_core::{
    Code, Failure,
    config::{self, ChannelKind},
    port::Transport,
};

use super::letter::Letter;
use email::Post;
pub(crate) use form::{ChannelSetting, Takes, secrets, settings, settings_of};
use hook::Hook;

/// So long a message may take, connection and all.
const LIMIT: Duration = Duration::from_secs(20);

/// A configured channel, ready to send.
pub(super) enum Channel {
    Email(Box<Post>),
    Hook(Hook),
}

/// What is wrong with a channel's settings, if anything. Connects to nothing.
pub fn check_channel(channel: &config::Channel) -> Result<(), Failure> {
    Channel::open(channel).map(drop)
}

impl Channel {
    pub(super) fn open(
        config::Channel { kind, settings }: &config::Channel,
    ) -> Result<Self, Failure> {
        form::check(*kind, settings)?;
        Ok(match kind {
            ChannelKind::Email => Self::Email(Box::new(Post::new(settings)?)),
            ChannelKind::Slack => Self::Hook(Hook::slack(settings)?),
            ChannelKind::Webhook => Self::Hook(Hook::signed(settings)?),
        })
    }

    /// Sends a letter. `transport` is the way out for HTTP.
    pub(super) async fn send(
        &self,
        letter: &Letter,
        transport: &Arc<dyn Transport>,
    ) -> Result<(), Failure> {
        let sending = async {
            match self {
                Self::Email(post) => post.send(letter).await,
                Self::Hook(hook) => hook.send(letter, transport.as_ref()).await,
            }
        };
        tokio::time::timeout(LIMIT, sending).await.unwrap_or_else(|_| {
            let seconds = LIMIT.as_secs();
            Err(not_sent(format!("the channel did not answer within {seconds} seconds")))
        })
    }
}

/// `R421` with what happened.
fn not_sent(message: impl Into<String>) -> Failure {
    Failure::new(Code::AlertNotSent, message)
}
