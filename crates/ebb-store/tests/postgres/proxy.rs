//! A way to the server that can lose answers.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    task::JoinSet,
};

/// Hands everything through, but for what it is told to lose.
pub(crate) struct Proxy {
    server: String,
    address: String,
    lose: Arc<AtomicBool>,
    /// Of its own: to open a control database keeps the test's thread waiting.
    runtime: Option<Runtime>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl Proxy {
    /// A way to the server of a URL.
    pub(crate) fn start(url: &str) -> Self {
        let place = url.split_once('@').unwrap().1;
        let server = place.split_once('/').unwrap().0.to_owned();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let lose = Arc::new(AtomicBool::new(false));
        let (to, losing) = (server.clone(), Arc::clone(&lose));
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&to).await.unwrap();
                connections.spawn(carry(client, server, Arc::clone(&losing)));
            }
        });
        Self { server, address, lose, runtime: Some(runtime) }
    }

    /// A URL that goes this way, without encryption.
    pub(crate) fn through(&self, url: &str) -> String {
        format!("{}&sslmode=disable", url.replace(&self.server, &self.address))
    }

    /// Lets the next commit reach the server, and nothing of its answer come back.
    pub(crate) fn keep_the_next_commits_answer(&self) {
        self.lose.store(true, Ordering::SeqCst);
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, lose: Arc<AtomicBool>) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        let done = tokio::select! {
            read = client.read(&mut asked) => {
                let bytes = &asked[..read.unwrap_or(0)];
                if bytes.is_empty() {
                    return;
                }
                let is_commit = bytes.windows(7).any(|word| word == b"commit\0");
                let sent = server.write_all(bytes).await;
                if is_commit && lose.swap(false, Ordering::SeqCst) {
                    // It is answered once it is done.
                    assert!(server.read(&mut answered).await.unwrap() > 0);
                    return;
                }
                sent
            }
            read = server.read(&mut answered) => {
                let bytes = &answered[..read.unwrap_or(0)];
                if bytes.is_empty() {
                    return;
                }
                client.write_all(bytes).await
            }
        };
        if done.is_err() {
            return;
        }
    }
}
