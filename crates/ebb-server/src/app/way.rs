//! How browsers reach the server.

/// How browsers reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In clear, from this machine.
    Plain,
    /// By TLS that the server speaks itself.
    Tls,
    /// By TLS that a proxy in front speaks. It says whom it asks for in `X-Forwarded-For`.
    Proxy,
}

impl Way {
    /// Whether browsers may send cookies by TLS alone.
    pub(crate) const fn is_encrypted(self) -> bool {
        match self {
            Self::Plain => false,
            Self::Tls | Self::Proxy => true,
        }
    }
}
