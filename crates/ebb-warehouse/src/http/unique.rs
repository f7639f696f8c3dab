//! Ids of requests.

use ebb_core::{Code, Failure};
use ring::rand::{SecureRandom, SystemRandom};

/// A random UUID, by which a service recognises a request that is sent again.
pub(crate) fn unique() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Failure::new(Code::SourceUnreachable, "the system gives no random numbers"))?;
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf << 76) & !(0xc << 60) | (0x4 << 76) | (0x8 << 60);
    let digits = format!("{number:032x}");
    let (parts, _) =
        [8, 4, 4, 4, 12].into_iter().fold((Vec::new(), 0), |(mut parts, at), length| {
            parts.push(digits.get(at..at + length).unwrap_or_default());
            (parts, at + length)
        });
    Ok(parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::unique;

    #[test]
    fn requests_have_unlike_random_ids() {
        let (one, other) = (unique().unwrap(), unique().unwrap());
        assert_ne!(one, other);
        let lengths: Vec<_> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(one.get(14..15), Some("4"));
        assert!(matches!(one.get(19..20), Some("8" | "9" | "a" | "b")), "{one}");
    }
}
