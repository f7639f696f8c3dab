//! The way to a server, with TLS where it is asked for.
//!
//! TDS negotiates encryption in its first packets and carries the handshake inside of packets. The
//! driver can do that with another TLS library than ours alone, so it is done here before the driver
//! comes: what it says first goes nowhere, and the server's answer is kept for it.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use ebb_core::{Code, Failure};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Bytes of a packet's header: type, status, length, and four that do not matter here.
const HEADER: usize = 8;
/// The type of the packets that negotiate and that carry a handshake.
const PRELOGIN: u8 = 0x12;
/// The option that tells encryption, and those of its values that are said here.
const ENCRYPTION: u8 = 1;
const NEVER: u8 = 2;
const WANTED: u8 = 1;

/// A connection on which the driver can log in.
pub(super) struct Tunnel {
    wire: Wire,
    /// What the driver has not said yet of its first packet.
    first: First,
    /// What it has not heard yet of the server's first answer.
    answer: Bytes,
}

enum Wire {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<Packets>>),
}

/// Negotiates on a fresh connection. Fails with `S104` if encryption is wanted and there is none to be
/// trusted.
pub(super) async fn negotiate(
    mut tcp: TcpStream,
    host: &str,
    encryption: Option<ClientConfig>,
    has_token: bool,
) -> Result<Tunnel, Failure> {
    let cut = |error: io::Error| {
        Failure::new(
            Code::SourceUnreachable,
            format!("`{host}` does not answer as SQL Server does"),
        )
        .caused_by(error)
    };
    let wish = if encryption.is_some() { WANTED } else { NEVER };
    tcp.write_all(&greeting(wish, has_token)).await.map_err(cut)?;
    let answer = packets(&mut tcp).await.map_err(cut)?;
    let offered = matches!(encryption_of(&answer), Some(1 | 3));
    let wire = match encryption {
        None if encryption_of(&answer) == Some(3) => {
            return Err(Failure::new(
                Code::SourceTls,
                format!("the server at `{host}` wants encryption"),
            )
            .help("Choose another `sslmode` than `disable`"));
        }
        None => Wire::Plain(tcp),
        Some(_) if !offered => {
            return Err(Failure::new(
                Code::SourceTls,
                format!("no encrypted connection to `{host}` is possible: the server offers none"),
            )
            .help("Switch TLS on at the server, or choose `sslmode: disable`"));
        }
        Some(config) => Wire::Encrypted(Box::new(handshake(tcp, host, config).await?)),
    };
    Ok(Tunnel { wire, first: First::default(), answer })
}

async fn handshake(
    tcp: TcpStream,
    host: &str,
    config: ClientConfig,
) -> Result<TlsStream<Packets>, Failure> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| {
        Failure::new(Code::SourceSettings, format!("`{host}` is not a host's name"))
    })?;
    let packets = Packets { tcp, wrapped: true, left: 0, header: Vec::new(), out: BytesMut::new() };
    let mut stream =
        TlsConnector::from(Arc::new(config)).connect(name, packets).await.map_err(|error| {
            let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            let failure = match tls {
                Some(tls) => ebb_tls::refused(tls, host),
                None => Failure::new(Code::SourceTls, format!("TLS with `{host}` was cut off")),
            };
            failure.caused_by(error)
        })?;
    stream.get_mut().0.wrapped = false;
    Ok(stream)
}

/// The packet that negotiates: version, encryption, no instance, no thread, one statement at a time, and
/// whether a token will come.
fn greeting(encryption: u8, has_token: bool) -> Vec<u8> {
    let options: &[(u8, &[u8])] = &[
        (0, &[0, 0, 0, 0, 0, 0]),
        (ENCRYPTION, &[encryption]),
        (2, &[0]),
        (3, &[0, 0, 0, 0]),
        (4, &[0]),
        (6, &[1]),
    ];
    let options = if has_token { options } else { options.split_at(5).0 };
    let (mut table, mut data) = (Vec::new(), Vec::new());
    for (option, value) in options {
        // A few dozen bytes in all.
        let number = |length: usize| u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        table.push(*option);
        table.extend(number(options.len() * 5 + 1 + data.len()));
        table.extend(number(value.len()));
        data.extend_from_slice(value);
    }
    table.push(0xff);
    table.extend(data);
    packet(&table)
}

/// One packet, the last of its message.
fn packet(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + HEADER).unwrap_or(u16::MAX);
    let mut out = vec![PRELOGIN, 1];
    out.extend(length.to_be_bytes());
    out.extend([0, 0, 0, 0]);
    out.extend_from_slice(payload);
    out
}

/// A whole message of the server with its headers.
async fn packets(tcp: &mut TcpStream) -> io::Result<Bytes> {
    let mut message = BytesMut::new();
    loop {
        let mut header = [0; HEADER];
        tcp.read_exact(&mut header).await?;
        let [_, status, high, low, ..] = header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let payload = length.checked_sub(HEADER).ok_or(io::ErrorKind::InvalidData)?;
        message.extend_from_slice(&header);
        let begin = message.len();
        message.resize(begin + payload, 0);
        if let Some(place) = message.get_mut(begin..) {
            tcp.read_exact(place).await?;
        }
        if status & 1 == 1 {
            return Ok(message.freeze());
        }
    }
}

/// What a server's first answer, one packet, says of encryption.
fn encryption_of(answer: &[u8]) -> Option<u8> {
    let payload = answer.get(HEADER..)?;
    payload.chunks_exact(5).take_while(|option| option.first() != Some(&0xff)).find_map(|option| {
        let [ENCRYPTION, high, low, ..] = *option else { return None };
        payload.get(usize::from(u16::from_be_bytes([high, low]))).copied()
    })
}

/// The driver's first packet on its way to nowhere.
#[derive(Default)]
struct First {
    header: Vec<u8>,
    left: Option<usize>,
}

impl First {
    /// How many of these bytes belong to it.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let of_header = bytes.len().min(HEADER - self.header.len());
        self.header.extend(bytes.iter().take(of_header));
        let left = match (self.left, self.header.as_slice()) {
            (Some(left), _) => left,
            (None, [_, _, high, low, _, _, _, _]) => {
                usize::from(u16::from_be_bytes([*high, *low])).saturating_sub(HEADER)
            }
            (None, _) => return of_header,
        };
        let of_payload = left.min(bytes.len() - of_header);
        self.left = Some(left - of_payload);
        of_header + of_payload
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.answer.has_remaining() {
            let length = self.answer.len().min(buffer.remaining());
            buffer.put_slice(&self.answer.split_to(length));
            return Poll::Ready(Ok(()));
        }
        match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Wire::Encrypted(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let taken = self.first.take(bytes);
        if taken > 0 {
            return Poll::Ready(Ok(taken));
        }
        match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Wire::Encrypted(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_flush(context),
            Wire::Encrypted(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Wire::Encrypted(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// Carries a handshake inside of packets, and everything after it as it is.
struct Packets {
    tcp: TcpStream,
    wrapped: bool,
    /// What is left to read of a packet's payload.
    left: usize,
    /// As much of the next packet's header as has come.
    header: Vec<u8>,
    /// What is written and not yet sent.
    out: BytesMut,
}

/// The longest payload of a handshake's packet.
const PAYLOAD: usize = 4096 - HEADER;

impl Packets {
    /// Reads headers until there is payload.
    fn poll_header(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.left == 0 {
            let mut bytes = [0; HEADER];
            let missing = HEADER - self.header.len();
            let mut place = ReadBuf::new(bytes.get_mut(..missing).unwrap_or_default());
            ready!(Pin::new(&mut self.tcp).poll_read(context, &mut place))?;
            if place.filled().is_empty() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            self.header.extend_from_slice(place.filled());
            if let [_, _, high, low, _, _, _, _] = *self.header.as_slice() {
                self.left = usize::from(u16::from_be_bytes([high, low])).saturating_sub(HEADER);
                self.header.clear();
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.out.has_remaining() {
            let sent = ready!(Pin::new(&mut self.tcp).poll_write(context, &self.out))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.advance(sent);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Packets {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.wrapped {
            return Pin::new(&mut self.tcp).poll_read(context, buffer);
        }
        ready!(self.poll_header(context))?;
        // A handshake's packets are small and few: what is read is copied once more.
        let mut bytes = [0; PAYLOAD];
        let room = self.left.min(buffer.remaining()).min(PAYLOAD);
        let mut part = ReadBuf::new(bytes.get_mut(..room).unwrap_or_default());
        ready!(Pin::new(&mut self.tcp).poll_read(context, &mut part))?;
        let read = part.filled().len();
        buffer.put_slice(part.filled());
        self.left -= read;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Packets {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_out(context))?;
        if !self.wrapped {
            return Pin::new(&mut self.tcp).poll_write(context, bytes);
        }
        let length = bytes.len().min(PAYLOAD);
        let wrapped = packet(bytes.get(..length).unwrap_or_default());
        self.out.extend_from_slice(&wrapped);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(context))?;
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(context))?;
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::{First, encryption_of, greeting, packet};

    #[test]
    fn a_greeting_says_what_is_wanted() {
        for encryption in [1, 2] {
            for has_token in [false, true] {
                let greeting = greeting(encryption, has_token);
                assert_eq!(encryption_of(&greeting), Some(encryption));
                assert_eq!(greeting.ends_with(&[0, 1]), has_token);
                assert_eq!(usize::from(greeting[3]), greeting.len());
            }
        }
        assert_eq!(encryption_of(&packet(&[0xff])), None);
        assert_eq!(encryption_of(&[]), None);
    }

    #[test]
    fn the_first_packet_alone_goes_nowhere() {
        let bytes: Vec<u8> = packet(&[7; 20]).into_iter().chain([1, 2, 3]).collect();
        for piece in 1..bytes.len() {
            let mut first = First::default();
            let taken: usize = bytes.chunks(piece).map(|piece| first.take(piece)).sum();
            assert_eq!(taken, bytes.len() - 3, "in pieces of {piece}");
        }
    }
}
