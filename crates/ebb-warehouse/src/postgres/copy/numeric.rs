//! `numeric`: digits to the base of 10,000 become plain decimal text.

/// The binary form's signs.
const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// Decimal digits in one digit of the binary form.
const GROUP: usize = 4;

/// What the bytes of a `numeric` are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numeric {
    /// A number; its text was written.
    Number,
    /// NaN or an infinity, which no JSON number can be.
    NotFinite,
}

/// Writes the number to `text` exactly as the server prints it; `None` if the bytes are malformed.
pub(super) fn write(bytes: &[u8], text: &mut Vec<u8>) -> Option<Numeric> {
    let (count, rest) = bytes.split_first_chunk::<2>()?;
    let (weight, rest) = rest.split_first_chunk::<2>()?;
    let (sign, rest) = rest.split_first_chunk::<2>()?;
    let (scale, rest) = rest.split_first_chunk::<2>()?;
    let (groups, &[]) = rest.as_chunks::<2>() else { return None };
    if groups.len() != usize::from(u16::from_be_bytes(*count)) {
        return None;
    }
    match u16::from_be_bytes(*sign) {
        POSITIVE => {}
        NEGATIVE => text.push(b'-'),
        NOT_A_NUMBER | INFINITY | NEGATIVE_INFINITY => return Some(Numeric::NotFinite),
        _ => return None,
    }
    let weight = i32::from(i16::from_be_bytes(*weight));
    // The group of a power of 10,000; those that are not sent are zero.
    let group = |power: i32| {
        usize::try_from(weight - power)
            .ok()
            .and_then(|place| groups.get(place))
            .map_or(0, |group| u16::from_be_bytes(*group))
    };

    if weight < 0 {
        text.push(b'0');
    } else {
        let digits = digits(group(weight))?;
        let zeros = digits.iter().take(GROUP - 1).take_while(|digit| **digit == b'0').count();
        text.extend_from_slice(digits.get(zeros..)?);
        for power in (0..weight).rev() {
            text.extend_from_slice(&self::digits(group(power))?);
        }
    }
    let mut left = usize::from(u16::from_be_bytes(*scale));
    if left > 0 {
        text.push(b'.');
    }
    let mut power = -1;
    while left > 0 {
        let taken = left.min(GROUP);
        text.extend_from_slice(digits(group(power))?.get(..taken)?);
        left -= taken;
        power -= 1;
    }
    Some(Numeric::Number)
}

/// The four decimal digits of a group; `None` if it is 10,000 or more.
fn digits(group: u16) -> Option<[u8; GROUP]> {
    let digit = |power: u16| u8::try_from(group / power % 10).ok().map(|digit| b'0' + digit);
    if group >= 10_000 {
        return None;
    }
    Some([digit(1000)?, digit(100)?, digit(10)?, digit(1)?])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Numeric, write};

    /// The server's own encoding of a number that is given as digits to the base of 10,000.
    fn encode(groups: &[u16], weight: i16, sign: u16, scale: u16) -> Vec<u8> {
        let count = u16::try_from(groups.len()).unwrap();
        [count, weight.cast_unsigned(), sign, scale]
            .iter()
            .chain(groups)
            .flat_map(|part| part.to_be_bytes())
            .collect()
    }

    fn text(groups: &[u16], weight: i16, sign: u16, scale: u16) -> String {
        let mut text = Vec::new();
        assert_eq!(write(&encode(groups, weight, sign, scale), &mut text), Some(Numeric::Number));
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn numbers_are_written_as_the_server_prints_them() {
        let cases = [
            (text(&[], 0, 0, 0), "0"),
            (text(&[], 0, 0, 3), "0.000"),
            (text(&[1], 0, 0, 0), "1"),
            (text(&[1234, 5678], 1, 0, 0), "12345678"),
            (text(&[1, 0, 5000], 1, 0x4000, 1), "-10000.5"),
            (text(&[1], 2, 0, 0), "100000000"),
            (text(&[12, 3400], 0, 0, 2), "12.34"),
            (text(&[1], -2, 0, 10), "0.0000000100"),
            (text(&[9999, 9999], 0, 0, 4), "9999.9999"),
        ];
        for (got, expected) in cases {
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn what_is_not_finite_is_told_apart_from_what_is_malformed() {
        for sign in [0xC000, 0xD000, 0xF000] {
            let bytes = encode(&[], 0, sign, 0);
            assert_eq!(write(&bytes, &mut Vec::new()), Some(Numeric::NotFinite));
        }
        assert_eq!(write(&encode(&[], 0, 0x1234, 0), &mut Vec::new()), None);
        assert_eq!(write(&encode(&[10_000], 0, 0, 0), &mut Vec::new()), None);
        assert_eq!(write(&[0, 1, 0, 0, 0, 0, 0, 0], &mut Vec::new()), None);
        assert_eq!(write(&[0], &mut Vec::new()), None);
    }

    proptest! {
        #[test]
        fn any_decimal_comes_back(
            integer in "0|[1-9][0-9]{0,30}",
            fraction in "[0-9]{0,30}",
            negative: bool,
        ) {
            let width = |length: usize| length.div_ceil(4) * 4;
            let padded = format!(
                "{integer:0>before$}{fraction:0<after$}",
                before = width(integer.len()),
                after = width(fraction.len()),
            );
            let groups: Vec<u16> = padded
                .as_bytes()
                .chunks(4)
                .map(|group| std::str::from_utf8(group).unwrap().parse().unwrap())
                .collect();
            let weight = i16::try_from(width(integer.len()) / 4).unwrap() - 1;
            let scale = u16::try_from(fraction.len()).unwrap();
            // The server strips zero groups at both ends.
            let first = groups.iter().take_while(|group| **group == 0).count();
            let last = groups.len() - groups.iter().rev().take_while(|group| **group == 0).count();
            let stripped = groups.get(first..last).unwrap_or_default();
            let weight = weight - i16::try_from(first).unwrap();
            let sign = if negative { 0x4000 } else { 0 };
            let point = if fraction.is_empty() { "" } else { "." };
            let minus = if negative { "-" } else { "" };
            prop_assert_eq!(
                text(stripped, weight, sign, scale),
                format!("{minus}{integer}{point}{fraction}")
            );
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _: Option<Numeric> = write(&bytes, &mut Vec::new());
        }
    }
}
