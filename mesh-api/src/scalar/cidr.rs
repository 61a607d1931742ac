//! Address prefixes, also written as single addresses.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::names::check;

/// Reads an address or an address prefix (A-X-10). An address is the prefix that holds it alone; bits after the length
/// are kept as written, and a zone is dropped.
///
/// ```
/// use mesh_api::scalar::cidr;
///
/// assert_eq!(cidr::parse("10.0.0.1")?, "10.0.0.1/32".parse().unwrap());
/// assert!(cidr::parse("10.1.0.0/16")?.contains(&"10.1.2.3".parse::<std::net::IpAddr>().unwrap()));
/// # Ok::<(), cidr::CidrError>(())
/// ```
///
/// # Errors
/// When the text is neither.
pub fn parse(text: &str) -> Result<IpNet, CidrError> {
    let error = || CidrError {
        reason: check::ip_subnet(text).err(),
    };
    if check::ip_subnet(text).is_err() {
        return Err(error());
    }
    match text.split_once('/') {
        None => check::parse_ip_address(text).map(IpNet::from).ok_or_else(error),
        Some((address, length)) => {
            let address: IpAddr = check::parse_ip_address(address).ok_or_else(error)?;
            let length = length.parse().map_err(|_| error())?;
            IpNet::new(address, length).map_err(|_| error())
        }
    }
}

/// A text is neither an address nor an address prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CidrError {
    reason: Option<check::CheckError>,
}

impl fmt::Display for CidrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Some(reason) => reason.fmt(f),
            None => f.write_str("not an address prefix"),
        }
    }
}

impl std::error::Error for CidrError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_and_prefixes() {
        for (text, expected) in [
            ("1.2.3.4", "1.2.3.4/32"),
            ("1.2.3.4/8", "1.2.3.4/8"),
            ("::1", "::1/128"),
            ("fe80::1%eth0", "fe80::1/128"),
            ("2001:db8::/32", "2001:db8::/32"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected);
        }
        for text in ["", "x", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/01", "1.2.3.4/8/8"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
