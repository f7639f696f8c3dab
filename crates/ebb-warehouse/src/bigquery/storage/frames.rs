//! How gRPC puts messages into a body: a byte that tells whether it is compressed, four of its length, and itself.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::Message;

/// What stands before a message.
const HEAD: usize = 5;
/// The service's messages have some megabytes; what is longer than this is none of them.
const LONGEST: usize = 256 << 20;

/// A body of one message.
pub(super) fn framed(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut body = BytesMut::with_capacity(HEAD + length);
    body.put_u8(0);
    body.put_u32(u32::try_from(length).expect("a request is short"));
    message.encode(&mut body).expect("the buffer grows");
    body.freeze()
}

/// Messages from the pieces of a body.
#[derive(Debug, Default)]
pub(super) struct Frames(BytesMut);

/// A body that is not made of messages.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Frames {
    /// Takes a piece, which may end anywhere.
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.0.extend_from_slice(piece);
    }

    /// The next message, if all of it is there.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, Malformed> {
        let Some((mut head, rest)) = self.0.split_at_checked(HEAD) else { return Ok(None) };
        let is_compressed = head.get_u8() != 0;
        let length = usize::try_from(head.get_u32()).unwrap_or(usize::MAX);
        if is_compressed || length > LONGEST {
            return Err(Malformed);
        }
        if rest.len() < length {
            self.0.reserve(HEAD + length - self.0.len());
            return Ok(None);
        }
        self.0.advance(HEAD);
        Ok(Some(self.0.split_to(length).freeze()))
    }

    /// Whether nothing is left of a message.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Frames, Malformed, framed};
    use crate::bigquery::storage::messages::ReadStream;

    #[test]
    fn messages_come_out_of_pieces_of_any_length() {
        let stream = |name: &str| ReadStream { name: name.to_owned() };
        let body = [framed(&stream("a")), framed(&stream("")), framed(&stream("bc"))].concat();
        for length in 1..=body.len() {
            let mut frames = Frames::default();
            let mut all = Vec::new();
            for piece in body.chunks(length) {
                frames.push(piece);
                while let Some(message) = frames.next().unwrap() {
                    all.push(message);
                }
            }
            assert!(frames.is_empty());
            assert_eq!(all, [&b"\x0a\x01a"[..], b"", b"\x0a\x02bc"], "{length}");
        }
    }

    #[test]
    fn what_is_not_made_of_messages_is_told() {
        for body in [&b"\x01\x00\x00\x00\x00"[..], b"<html>"] {
            let mut frames = Frames::default();
            frames.push(body);
            assert_eq!(frames.next(), Err(Malformed));
        }
    }
}
