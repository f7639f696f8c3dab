//! Which requests are answered badly, chosen by a seed.

use std::str::FromStr;

use anyhow::{Context as _, bail};

/// How a request is answered other than by 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// This status; nothing is counted as accepted.
    Status(u16),
    /// The connection is closed before anything is counted.
    Cut,
    /// The records are accepted, then the connection is closed without an answer.
    Lost,
}

/// Percentages of faults; what is left of a hundred is answered 200.
#[derive(Debug, Clone, Default)]
pub(super) struct FaultMix {
    shares: Vec<(Fault, f64)>,
}

impl FaultMix {
    /// The fault for a number drawn evenly from 0 to 100, or none.
    pub(super) fn pick(&self, draw: f64) -> Option<Fault> {
        let mut upper = 0.0;
        for (fault, percent) in &self.shares {
            upper += percent;
            if draw < upper {
                return Some(*fault);
            }
        }
        None
    }
}

impl FromStr for FaultMix {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut shares = Vec::new();
        for item in text.split(',').filter(|item| !item.is_empty()) {
            let (name, percent) =
                item.split_once(':').with_context(|| format!("`{item}` is not FAULT:PERCENT"))?;
            let fault = match name {
                "cut" => Fault::Cut,
                "lost" => Fault::Lost,
                status => match status.parse() {
                    Ok(status @ 100..=599) => Fault::Status(status),
                    _ => bail!("`{name}` is neither a status, `cut` nor `lost`"),
                },
            };
            let percent: f64 =
                percent.parse().with_context(|| format!("`{percent}` is not a percentage"))?;
            shares.push((fault, percent));
        }
        let total: f64 = shares.iter().map(|(_, percent)| percent).sum();
        if total > 100.0 || shares.iter().any(|(_, percent)| *percent < 0.0) {
            bail!("the percentages of `{text}` must be positive and at most 100 together");
        }
        Ok(Self { shares })
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultMix};

    #[test]
    fn each_fault_takes_its_percentage_of_the_draws() {
        let mix: FaultMix = "500:2,429:1,cut:1".parse().unwrap();
        let drawn: Vec<_> =
            [0.0, 1.9, 2.0, 3.5, 4.0, 99.0].into_iter().map(|draw| mix.pick(draw)).collect();
        let (server, limit) = (Some(Fault::Status(500)), Some(Fault::Status(429)));
        assert_eq!(drawn, [server, server, limit, Some(Fault::Cut), None, None]);
    }

    #[test]
    fn a_mix_that_makes_no_sense_is_refused() {
        for text in ["500", "teapot:1", "500:x", "500:60,429:60", "500:-1", "99:1"] {
            assert!(text.parse::<FaultMix>().is_err(), "{text}");
        }
    }
}
