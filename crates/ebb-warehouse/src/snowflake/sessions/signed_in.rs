//! One session: its requests, and how its tokens are kept good.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use ebb_core::Failure;
use reqwest::RequestBuilder;
use tokio::{runtime::Handle, sync::Mutex};

use super::{
    account::Account,
    answer::{Executed, Said},
    chunks::Chunks,
    request::Request,
    sign_in::{Tokens, sign_off, signed},
};
use crate::{
    http::Repeat,
    snowflake::{
        failure,
        runner::{Answer, Runner, Statement, within},
    },
};

/// A session for one operation at a time. It signs in at its first request, and waits for the next operation
/// once nobody holds it any more.
pub(in crate::snowflake) struct SignedIn {
    pub(super) account: Arc<Account>,
    tokens: Mutex<Option<Tokens>>,
    /// Something may be open in it that nobody will close.
    in_doubt: AtomicBool,
    pub(super) runtime: Handle,
}

impl SignedIn {
    pub(super) fn new(account: Arc<Account>, tokens: Option<Tokens>) -> Self {
        let tokens = Mutex::new(tokens);
        Self { account, tokens, in_doubt: AtomicBool::new(false), runtime: Handle::current() }
    }

    /// Sends a request, again if that may help. A token that expired is renewed, and a session that is gone
    /// begins anew, each once. `request` is told how many attempts went before.
    pub(super) async fn send(
        &self,
        request: impl Fn(u32) -> RequestBuilder,
    ) -> Result<Said<Executed>, Failure> {
        let (mut may_renew, mut may_sign_in) = (true, true);
        let mut before = 0;
        loop {
            let tokens = self.tokens().await?;
            let by_token = |attempt| signed(request(before + attempt), &tokens.session);
            let reply = self.account.service.send(Repeat::Freely, by_token).await?;
            before += 1;
            let said = self.account.said(&reply)?;
            let Some(end) = said.code.as_deref().and_then(End::of).filter(|_| !said.success) else {
                return Ok(said);
            };
            if may_renew && end == End::Token {
                may_renew = false;
                if self.renew(&tokens).await? {
                    continue;
                }
            }
            if !may_sign_in {
                return Err(failure::session_ended(&said.refused(None)));
            }
            may_sign_in = false;
            self.forget(&tokens).await;
        }
    }

    pub(super) async fn is_signed_in(&self) -> bool {
        self.tokens.lock().await.is_some()
    }

    /// The tokens of a request now.
    async fn tokens(&self) -> Result<Tokens, Failure> {
        // The lock is held on purpose: who comes meanwhile waits for the same session.
        let mut kept = self.tokens.lock().await;
        if let Some(tokens) = &*kept {
            return Ok(tokens.clone());
        }
        let tokens = self.account.sign_in().await?;
        *kept = Some(tokens.clone());
        Ok(tokens)
    }

    /// Renews tokens that were refused, unless somebody did already; false if they cannot be renewed.
    async fn renew(&self, refused: &Tokens) -> Result<bool, Failure> {
        let mut kept = self.tokens.lock().await;
        if kept.as_ref() != Some(refused) {
            return Ok(true);
        }
        let renewed = self.account.renew(refused).await?;
        let is_renewed = renewed.is_some();
        if is_renewed {
            *kept = renewed;
        }
        Ok(is_renewed)
    }

    /// Forgets tokens that were refused.
    async fn forget(&self, refused: &Tokens) {
        let mut kept = self.tokens.lock().await;
        if kept.as_ref() == Some(refused) {
            *kept = None;
        }
    }

    /// A statement that makes a schema leaves its session there, and models would not find their tables any
    /// more. What follows begins in a session anew.
    pub(super) async fn is_in(&self, schema: Option<&str>) {
        let mut kept = self.tokens.lock().await;
        let named = |schema: &&str| !schema.is_empty();
        let signed_in = kept.as_ref().and_then(|tokens| tokens.schema.as_deref()).filter(named);
        if schema.filter(named).is_some_and(|schema| signed_in != Some(schema))
            && let Some(tokens) = kept.take()
        {
            self.leave(tokens);
        }
    }

    /// Ends a session, without waiting for it.
    fn leave(&self, tokens: Tokens) {
        let account = &self.account;
        let farewell = sign_off(account.http.clone(), account.address("/session"), tokens);
        account.tasks.spawn(farewell, &self.runtime);
    }

    /// Says that this session must not serve anybody else.
    pub(super) fn doubt(&self) {
        self.in_doubt.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl Runner for SignedIn {
    async fn run(self: Arc<Self>, statement: Statement) -> Result<Answer, Failure> {
        let request = Request::new(Arc::clone(&self), &statement)?;
        let executed = within(self.account.settings.statement_timeout, request.run()).await?;
        Chunks::answer(self, executed)
    }
}

impl Drop for SignedIn {
    fn drop(&mut self) {
        let Some(tokens) = self.tokens.get_mut().take() else { return };
        let over = if *self.in_doubt.get_mut() { Some(tokens) } else { self.account.keep(tokens) };
        if let Some(tokens) = over {
            self.leave(tokens);
        }
    }
}

/// What a refused request has come to the end of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The token's time.
    Token,
    /// The session.
    Session,
}

impl End {
    fn of(code: &str) -> Option<Self> {
        match code {
            "390112" => Some(Self::Token),
            "390103" | "390104" | "390110" | "390111" | "390113" | "390114" | "390115" => {
                Some(Self::Session)
            }
            _ => None,
        }
    }
}
