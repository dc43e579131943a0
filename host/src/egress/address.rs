//! Which addresses an endpoint may reach.
//!
//! The threat: whoever controls an endpoint's name in the DNS, or a registry that redirects, can
//! aim the gateway's requests, with their credential, at what only the gateway can see: services
//! on loopback, the administration network, the cloud's metadata server that hands out the
//! machine's own identity. An address has many spellings (decimal, octal, IPv4 inside IPv6), and
//! a name can answer differently the second time (rebinding).
//!
//! So the decision is made on the parsed address, at the moment of connecting, on the very list
//! that is connected to ([`super::resolver`]); literals, which skip the resolver, are checked
//! where the endpoint is built. What is not globally routable is refused unless the endpoint's
//! `allow_networks` lists it. Some addresses are never a registry, whatever is listed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What an address is for, by the IANA special-purpose registries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressClass {
    /// Reachable from anywhere.
    Global,
    /// This machine.
    Loopback,
    /// RFC 1918, unique local, site-local.
    Private,
    /// One network segment.
    LinkLocal,
    /// Behind a carrier's NAT, RFC 6598.
    Shared,
    /// Carries an IPv4 address through IPv6: NAT64, 6to4, Teredo, IPv4-compatible.
    Translated,
    /// For examples in books.
    Documentation,
    /// For laboratory networks, RFC 2544.
    Benchmarking,
    /// Not assigned, or assigned to protocols.
    Reserved,
    /// A cloud's metadata or credential server. Never allowed.
    Metadata,
    /// `0.0.0.0/8`, `::`. Linux connects it to itself. Never allowed.
    Unspecified,
    /// Never allowed.
    Multicast,
    /// Never allowed.
    Broadcast,
}

/// Which addresses one endpoint may reach.
#[derive(Clone, Debug, Default)]
pub struct AddressPolicy {
    allow: Vec<IpNet>,
    listed_only: bool,
}

/// The policy refuses an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address is {}, which the grant does not allow", .class.word())]
pub struct AddressRefused {
    /// What the address is for.
    pub class: AddressClass,
}

impl AddressPolicy {
    /// Global addresses, and what `allow` lists.
    pub fn new(allow: &[IpNet]) -> Self {
        Self {
            allow: allow.to_vec(),
            listed_only: false,
        }
    }

    /// Only what `allow` lists: plain `http` must not leave the networks that were named.
    pub fn listed_only(allow: &[IpNet]) -> Self {
        Self {
            allow: allow.to_vec(),
            listed_only: true,
        }
    }

    /// Decides on one address.
    pub fn check(&self, address: IpAddr) -> Result<(), AddressRefused> {
        // The system connects an IPv4-mapped address to the IPv4 address, so it is judged as one.
        let address = address.to_canonical();
        let class = AddressClass::of(address);
        let refused = Err(AddressRefused { class });
        let listed = self.allow.iter().any(|net| net.contains(&address));
        let global = class == AddressClass::Global && !self.listed_only;
        if class.is_never_allowed() || !(listed || global) {
            return refused;
        }
        match address {
            // The grant of a translator opens the translator. What is behind it needs a grant of
            // its own, unless it is global: else NAT64 would lead back into private networks.
            IpAddr::V6(address) if class == AddressClass::Translated => {
                let through = carried(address).into_iter().all(|v4| self.opens(v4));
                if through { Ok(()) } else { refused }
            }
            _ => Ok(()),
        }
    }

    /// Whether an IPv4 address behind a translator is open.
    fn opens(&self, address: Ipv4Addr) -> bool {
        let listed = self
            .allow
            .iter()
            .any(|net| net.contains(&IpAddr::V4(address)));
        listed || of_v4(address) == AddressClass::Global
    }
}

impl AddressPolicy {
    /// Decides on a URL whose host is an address; a name is the resolver's to decide on.
    pub(super) fn check_literal(&self, url: &url::Url) -> Result<(), AddressRefused> {
        match url.host() {
            Some(url::Host::Ipv4(address)) => self.check(address.into()),
            Some(url::Host::Ipv6(address)) => self.check(address.into()),
            Some(url::Host::Domain(_)) | None => Ok(()),
        }
    }
}

impl AddressClass {
    /// What an address is for.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }

    /// No grant opens it.
    pub fn is_never_allowed(self) -> bool {
        matches!(
            self,
            Self::Metadata | Self::Unspecified | Self::Multicast | Self::Broadcast
        )
    }

    /// The word for it in errors.
    pub fn word(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::LinkLocal => "link-local",
            Self::Shared => "shared (carrier NAT)",
            Self::Translated => "a translation of IPv4",
            Self::Documentation => "for documentation",
            Self::Benchmarking => "for benchmarking",
            Self::Reserved => "reserved",
            Self::Metadata => "a cloud metadata server",
            Self::Unspecified => "unspecified",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
        }
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(head: [u16; 4], tail: [u16; 4], bits: u8) -> Ipv6Net {
    let [a, b, c, d] = head;
    let [e, f, g, h] = tail;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), bits)
}

const ZERO: [u16; 4] = [0; 4];

/// The first that contains the address counts, so the narrow ones come first.
const V4: &[(Ipv4Net, AddressClass)] = &[
    // AWS, Google, Azure and others; AWS ECS and EKS credentials; Alibaba; Azure; Oracle.
    (v4(169, 254, 169, 254, 32), AddressClass::Metadata),
    (v4(169, 254, 170, 2, 32), AddressClass::Metadata),
    (v4(169, 254, 170, 23, 32), AddressClass::Metadata),
    (v4(100, 100, 100, 200, 32), AddressClass::Metadata),
    (v4(168, 63, 129, 16, 32), AddressClass::Metadata),
    (v4(192, 0, 0, 192, 32), AddressClass::Metadata),
    (v4(255, 255, 255, 255, 32), AddressClass::Broadcast),
    (v4(0, 0, 0, 0, 8), AddressClass::Unspecified),
    (v4(10, 0, 0, 0, 8), AddressClass::Private),
    (v4(100, 64, 0, 0, 10), AddressClass::Shared),
    (v4(127, 0, 0, 0, 8), AddressClass::Loopback),
    (v4(169, 254, 0, 0, 16), AddressClass::LinkLocal),
    (v4(172, 16, 0, 0, 12), AddressClass::Private),
    (v4(192, 0, 0, 0, 24), AddressClass::Reserved),
    (v4(192, 0, 2, 0, 24), AddressClass::Documentation),
    (v4(192, 88, 99, 0, 24), AddressClass::Translated),
    (v4(192, 168, 0, 0, 16), AddressClass::Private),
    (v4(198, 18, 0, 0, 15), AddressClass::Benchmarking),
    (v4(198, 51, 100, 0, 24), AddressClass::Documentation),
    (v4(203, 0, 113, 0, 24), AddressClass::Documentation),
    (v4(224, 0, 0, 0, 4), AddressClass::Multicast),
    (v4(240, 0, 0, 0, 4), AddressClass::Reserved),
];

const V6: &[(Ipv6Net, AddressClass)] = &[
    (v6(ZERO, ZERO, 128), AddressClass::Unspecified),
    (v6(ZERO, [0, 0, 0, 1], 128), AddressClass::Loopback),
    // AWS, AWS EKS, Google.
    (
        v6([0xfd00, 0xec2, 0, 0], [0, 0, 0, 0x254], 128),
        AddressClass::Metadata,
    ),
    (
        v6([0xfd00, 0xec2, 0, 0], [0, 0, 0, 0x23], 128),
        AddressClass::Metadata,
    ),
    (
        v6([0xfd20, 0xce, 0, 0], [0, 0, 0, 0x254], 128),
        AddressClass::Metadata,
    ),
    // IPv4-compatible, IPv4-translated (SIIT), NAT64, local NAT64.
    (v6(ZERO, ZERO, 96), AddressClass::Translated),
    (v6(ZERO, [0xffff, 0, 0, 0], 96), AddressClass::Translated),
    (v6([0x64, 0xff9b, 0, 0], ZERO, 96), AddressClass::Translated),
    (v6([0x64, 0xff9b, 1, 0], ZERO, 48), AddressClass::Translated),
    // Teredo and 6to4.
    (v6([0x2001, 0, 0, 0], ZERO, 32), AddressClass::Translated),
    (v6([0x2002, 0, 0, 0], ZERO, 16), AddressClass::Translated),
    (v6([0x2001, 2, 0, 0], ZERO, 48), AddressClass::Benchmarking),
    (
        v6([0x2001, 0xdb8, 0, 0], ZERO, 32),
        AddressClass::Documentation,
    ),
    (v6([0x3fff, 0, 0, 0], ZERO, 20), AddressClass::Documentation),
    // ORCHID and other protocol assignments.
    (v6([0x2001, 0, 0, 0], ZERO, 23), AddressClass::Reserved),
    (v6([0xfc00, 0, 0, 0], ZERO, 7), AddressClass::Private),
    (v6([0xfe80, 0, 0, 0], ZERO, 10), AddressClass::LinkLocal),
    (v6([0xfec0, 0, 0, 0], ZERO, 10), AddressClass::Private),
    (v6([0xff00, 0, 0, 0], ZERO, 8), AddressClass::Multicast),
    // Only this block is given out to the public internet; the rest is reserved.
    (v6([0x2000, 0, 0, 0], ZERO, 3), AddressClass::Global),
];

fn of_v4(address: Ipv4Addr) -> AddressClass {
    V4.iter()
        .find(|(net, _)| net.contains(&address))
        .map_or(AddressClass::Global, |(_, class)| *class)
}

fn of_v6(address: Ipv6Addr) -> AddressClass {
    let class = V6
        .iter()
        .find(|(net, _)| net.contains(&address))
        .map_or(AddressClass::Reserved, |(_, class)| *class);
    if class != AddressClass::Translated {
        return class;
    }
    // A grant of a translating network does not open what no grant opens.
    carried(address)
        .into_iter()
        .map(of_v4)
        .find(|class| class.is_never_allowed())
        .unwrap_or(class)
}

/// Where the translating forms keep an IPv4 address.
fn carried(address: Ipv6Addr) -> [Ipv4Addr; 2] {
    let [first, one, two, three, four, five, six, seven] = address.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    let tail = join(six, seven);
    match (first, one) {
        // Teredo: the server as it is, the client with all bits inverted.
        (0x2001, 0) => [join(two, three), Ipv4Addr::from(!u32::from(tail))],
        // 6to4.
        (0x2002, _) => [join(one, two); 2],
        // Local NAT64: around the byte that RFC 6052 leaves out of a /48, or at the end. The place
        // that is not in use holds zeros.
        (0x64, 0xff9b) if two == 1 => {
            let wide = join(three, (four << 8) | (five >> 8));
            match (wide.octets(), tail.octets()) {
                ([0, ..], _) => [tail; 2],
                (_, [0, ..]) => [wide; 2],
                _ => [wide, tail],
            }
        }
        _ => [tail; 2],
    }
}
