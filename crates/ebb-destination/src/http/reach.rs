//! Which addresses requests may go to: whoever may write a URL must not see through it into the
//! network that the server stands in.

use std::{
    error::Error,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Which addresses requests may go to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reach {
    /// Any: who starts Ebb by hand may ask them all the same.
    #[default]
    Anywhere,
    /// Those of the Internet, and what the operator allows besides.
    Public {
        /// What else is allowed.
        besides: Vec<IpNet>,
    },
}

/// What is not of the Internet: the registries of IANA for addresses of special purpose (RFC 6890 and
/// those after it), and multicast.
const INSIDE_V4: [(Ipv4Addr, u8); 14] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // With the addresses at which clouds tell a machine its credentials.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The only addresses of IPv6 that are given out for the Internet.
const OUTSIDE_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What of those is for special purposes.
const INSIDE_V6: [(Ipv6Addr, u8); 3] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Addresses that stand for one of IPv4, whose last four bytes they end in.
const TRANSLATED: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
/// Addresses that stand for one of IPv4, which follows the first two bytes.
const TUNNELED: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16);

impl Reach {
    /// Whether requests may go to an address.
    pub fn allows(&self, address: IpAddr) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Public { besides } => {
                let address = address.to_canonical();
                is_public(address) || besides.iter().any(|range| range.contains(&address))
            }
        }
    }

    /// Refuses a URL whose host is an address that requests may not go to. A name is looked up when the
    /// connection is made.
    pub(super) fn check(&self, url: &Url) -> Result<(), OutOfReach> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if self.allows(address) { Ok(()) } else { Err(OutOfReach) }
    }
}

fn within<T>((base, length): (T, u8), address: T) -> bool
where
    IpAddr: From<T>,
{
    IpNet::new(base.into(), length).is_ok_and(|range| range.contains(&IpAddr::from(address)))
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !INSIDE_V4.into_iter().any(|range| within(range, address)),
        IpAddr::V6(address) => {
            if within(TRANSLATED, address) {
                return is_public(embedded(address, 0));
            }
            if within(TUNNELED, address) {
                return is_public(embedded(address, 80));
            }
            within(OUTSIDE_V6, address)
                && !INSIDE_V6.into_iter().any(|range| within(range, address))
        }
    }
}

/// The address of IPv4 that an address holds, so many bits before its end.
fn embedded(address: Ipv6Addr, before_end: u32) -> IpAddr {
    let bits = (address.to_bits() >> before_end) & u128::from(u32::MAX);
    Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or_default()).into()
}

/// A host has no address that requests may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutOfReach;

impl fmt::Display for OutOfReach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("its address is inside the network that Ebb runs in")
    }
}

impl Error for OutOfReach {}

/// Looks names up, and gives of their addresses those alone that requests may go to. The connection is
/// made to what was judged: a name that answers differently the next time gains nothing.
impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let (allowed, refused): (Vec<_>, Vec<_>) =
                found.partition(|found| reach.allows(found.ip()));
            if allowed.is_empty() && !refused.is_empty() {
                return Err(OutOfReach.into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(besides: &[&str]) -> Reach {
        Reach::Public { besides: besides.iter().map(|range| range.parse().unwrap()).collect() }
    }

    #[test]
    fn addresses_of_the_internet_are_allowed_and_no_others() {
        let reach = public(&[]);
        for address in ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "64:ff9b::808:808"] {
            assert!(reach.allows(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2001:db8::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!reach.allows(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn what_the_operator_allows_is_allowed_besides() {
        let reach = public(&["10.0.0.0/8", "::1/128"]);
        for address in ["10.9.9.9", "::ffff:10.0.0.1", "::1", "8.8.8.8"] {
            assert!(reach.allows(address.parse().unwrap()), "{address}");
        }
        assert!(!reach.allows("127.0.0.1".parse().unwrap()));
        assert!(Reach::Anywhere.allows("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn an_address_is_refused_however_it_is_written() {
        let reach = public(&[]);
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1:8080/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://user@10.0.0.1/",
        ] {
            assert_eq!(reach.check(&url.parse().unwrap()), Err(OutOfReach), "{url}");
        }
        assert_eq!(reach.check(&"http://8.8.8.8/".parse().unwrap()), Ok(()));
    }
}
