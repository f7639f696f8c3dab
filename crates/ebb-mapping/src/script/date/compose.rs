//! Numbers that become a day, a time, a zone.

use jiff::civil;

/// Up to three numbers, and perhaps a month's name.
#[derive(Debug, Default)]
pub(super) struct Day {
    parts: Vec<i64>,
    pub(super) month: Option<i64>,
    pub(super) iso: bool,
}

impl Day {
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether there was room for one more.
    pub(super) fn add(&mut self, part: i64) -> bool {
        let room = self.parts.len() < 3;
        if room {
            self.parts.push(part);
        }
        room
    }

    /// Days since 1970.
    pub(super) fn days(&self) -> Option<i64> {
        let is_day = |part: i64| (1..=31).contains(&part);
        let first = *self.parts.first()?;
        let second = self.parts.get(1).copied().unwrap_or(1);
        let third = self.parts.get(2).copied();
        let (year, month, day) = match self.month {
            Some(month) if is_day(first) => (second, month, first),
            Some(month) => (first, month, second),
            None if self.iso || !is_day(first) => (first, second, third.unwrap_or(1)),
            None => (third.unwrap_or(1), first, second),
        };
        let year = match year {
            0..=49 if !self.iso => year + 2000,
            50..=99 if !self.iso => year + 1900,
            year => year,
        };
        if !is_day(day) {
            return None;
        }
        // A day past its month's end runs into the next month.
        let month =
            civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()?;
        let since = month.since(civil::date(1970, 1, 1)).ok()?;
        Some(i64::from(since.get_days()) + day - 1)
    }
}

/// Up to four numbers: hour, minute, second, millisecond.
#[derive(Debug, Default)]
pub(super) struct Time {
    parts: Vec<i64>,
    /// The hours that `am` or `pm` adds.
    pub(super) half: Option<i64>,
}

impl Time {
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether there was room for one more.
    pub(super) fn add(&mut self, part: i64) -> bool {
        let room = self.parts.len() < 4;
        if room {
            self.parts.push(part);
        }
        room
    }

    /// Adds the last part.
    pub(super) fn finish(&mut self, part: i64) {
        self.add(part);
        while self.add(0) {}
    }

    /// Whether a number can be the next part.
    pub(super) fn expects(&self, part: i64) -> bool {
        match self.parts.len() {
            1 | 2 => (0..60).contains(&part),
            3 => (0..1000).contains(&part),
            _ => false,
        }
    }

    /// Milliseconds since midnight.
    pub(super) fn milliseconds(&self) -> Option<i64> {
        let part = |place: usize| self.parts.get(place).copied().unwrap_or(0);
        let (mut hour, minute, second, rest) = (part(0), part(1), part(2), part(3));
        if let Some(half) = self.half {
            if hour > 12 {
                return None;
            }
            hour = hour % 12 + half;
        }
        let plain = hour < 24 && minute < 60 && second < 60 && rest < 1000;
        let midnight = (hour, minute, second, rest) == (24, 0, 0, 0);
        (plain || midnight).then_some(((hour * 60 + minute) * 60 + second) * 1000 + rest)
    }
}

/// The time zone.
#[derive(Debug, Default)]
pub(super) struct Zone {
    pub(super) sign: Option<i64>,
    pub(super) hour: Option<i64>,
    pub(super) minute: Option<i64>,
}

impl Zone {
    pub(super) fn set(&mut self, hours: i64) {
        let sign = if hours < 0 { -1 } else { 1 };
        *self = Self { sign: Some(sign), hour: Some(hours.abs()), minute: Some(0) };
    }

    pub(super) fn is_utc(&self) -> bool {
        self.hour == Some(0) && self.minute == Some(0)
    }

    /// Whether a number can be the minutes.
    pub(super) fn expects(&self, part: i64) -> bool {
        self.hour.is_some() && self.minute.is_none() && (0..60).contains(&part)
    }

    /// Milliseconds east of UTC.
    pub(super) fn milliseconds(&self) -> i64 {
        let minutes = self.hour.unwrap_or(0) * 60 + self.minute.unwrap_or(0);
        self.sign.unwrap_or(1) * minutes * 60_000
    }
}
