//! One kept-alive HTTP/1.1 connection, as bare as it can be.

use std::io::Write as _;
use std::net::Ipv4Addr;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection to the receiver, whose answers are small.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

/// A whole request, head and body, in one piece for one write.
pub(super) fn request(body: &[u8]) -> Bytes {
    let mut request = Vec::with_capacity(body.len() + 128);
    let head = "POST /in HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ";
    request.extend_from_slice(head.as_bytes());
    write!(request, "{}\r\n\r\n", body.len()).expect("a vector takes every write");
    request.extend_from_slice(body);
    request.into()
}

impl Connection {
    /// Connects to the receiver on loopback.
    pub(super) async fn open(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .with_context(|| format!("no receiver on 127.0.0.1:{port}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(1024) })
    }

    /// Sends a request and reads its answer, which must be 200.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        while !is_whole(&self.answer)? {
            let read = self.stream.read_buf(&mut self.answer).await?;
            ensure!(read > 0, "the receiver closed the connection");
        }
        ensure!(
            self.answer.starts_with(b"HTTP/1.1 200 "),
            "the receiver answered `{}`",
            String::from_utf8_lossy(&self.answer).lines().next().unwrap_or_default()
        );
        Ok(())
    }
}

/// Whether head and body of an answer are all here.
fn is_whole(answer: &[u8]) -> anyhow::Result<bool> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(false);
    };
    let (head, body) = answer.split_at(end + 4);
    let head = std::str::from_utf8(head).context("the answer's head is no text")?;
    let length = head.lines().filter_map(|line| line.split_once(": ")).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>())
    });
    Ok(body.len() >= length.context("the answer has no content-length")??)
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn an_answer_is_whole_with_the_last_byte_of_its_body() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        let whole: Vec<_> =
            [10, 38, 39, 40].map(|length| is_whole(&answer[..length]).unwrap()).into();
        assert_eq!(whole, [false, false, answer.len() == 39, true]);
    }
}
