//! A mail server on a loopback port that keeps what it is given, for tests that send letters.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// A letter as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceivedLetter {
    /// The sender's address.
    pub from: String,
    /// The receivers' addresses.
    pub to: Vec<String>,
    /// Its headers and text, lines ended by `\n`.
    pub text: String,
}

#[derive(Debug, Default)]
struct State {
    letters: Vec<ReceivedLetter>,
    /// So many further letters are refused for now.
    refuses: usize,
}

/// A mail server without encryption, which lives until it is dropped.
#[derive(Debug)]
pub struct MailServer {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
    /// Dropping it stops the server and its connections.
    _server: JoinSet<()>,
}

impl MailServer {
    /// Starts on the current tokio runtime. Fails when no port can be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::<Mutex<State>>::default();
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&state)));
        Ok(Self { state, address, _server: server })
    }

    /// The port that it listens on.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// What arrived, in order.
    pub fn letters(&self) -> Vec<ReceivedLetter> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).letters.clone()
    }

    /// Refuses the next letters for now (451).
    pub fn refuse(&self, letters: usize) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).refuses = letters;
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let state = Arc::clone(&state);
                // an error is a connection that the client cut
                connections.spawn(async move { drop(talk(stream, &state).await) });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn talk(stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.test\r\n").await?;
    let mut letter = ReceivedLetter::default();
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let command = line.trim_end();
        let address = |command: &str| {
            let inside = command.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
            inside.map(|(address, _)| address.to_owned()).unwrap_or_default()
        };
        let answer = if command.starts_with("EHLO") {
            "250-mail.test\r\n250 8BITMIME\r\n"
        } else if command.starts_with("MAIL FROM:") {
            letter = ReceivedLetter { from: address(command), ..ReceivedLetter::default() };
            let refused = {
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                let refused = state.refuses > 0;
                state.refuses = state.refuses.saturating_sub(1);
                refused
            };
            if refused { "451 come again\r\n" } else { "250 ok\r\n" }
        } else if command.starts_with("RCPT TO:") {
            letter.to.push(address(command));
            "250 ok\r\n"
        } else if command == "DATA" {
            stream.write_all(b"354 go on\r\n").await?;
            letter.text = text(&mut stream).await?;
            let arrived = std::mem::take(&mut letter);
            state.lock().unwrap_or_else(PoisonError::into_inner).letters.push(arrived);
            "250 taken\r\n"
        } else if command == "QUIT" {
            stream.write_all(b"221 bye\r\n").await?;
            return Ok(());
        } else {
            "250 ok\r\n"
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// The lines up to a point that stands alone.
async fn text(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let (mut text, mut line) = (String::new(), String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end_matches(['\r', '\n']) {
            "." => return Ok(text),
            line => text.push_str(line.strip_prefix('.').unwrap_or(line)),
        }
        text.push('\n');
    }
}
