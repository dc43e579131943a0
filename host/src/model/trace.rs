//! A place in a distributed trace, as the W3C's Trace Context writes it (`traceparent`).

use std::fmt;

/// Version, trace, parent and flags, with three dashes.
const LENGTH: usize = 55;

/// Which trace, and which span of it is the parent of what comes next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TraceContext {
    /// Never 0.
    pub trace: u128,
    /// Never 0.
    pub span: u64,
    /// Whether whoever began the trace keeps it.
    pub sampled: bool,
}

impl TraceContext {
    /// Reads a header's value. None: it is not one, and by the specification a new trace begins.
    pub fn parse(header: &str) -> Option<Self> {
        let (version, rest) = header.get(..LENGTH)?.split_once('-')?;
        let version = hex(version, 2)?;
        // A later version may have more to say, behind a dash. Version ff there is not.
        let more = header.get(LENGTH..)?;
        let fits = match version {
            0 => more.is_empty(),
            0xff => false,
            _ => more.is_empty() || more.starts_with('-'),
        };
        let (trace, rest) = rest.split_once('-')?;
        let (span, flags) = rest.split_once('-')?;
        let context = Self {
            trace: hex(trace, 32)?,
            span: u64::try_from(hex(span, 16)?).ok()?,
            sampled: hex(flags, 2)? & 1 == 1,
        };
        (fits && context.trace != 0 && context.span != 0).then_some(context)
    }
}

/// The header's value.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trace,
            span,
            sampled,
        } = self;
        write!(f, "00-{trace:032x}-{span:016x}-{:02x}", u8::from(*sampled))
    }
}

/// Lower case alone, as the specification has it.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let plain = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let fits = text.len() == digits && text.bytes().all(plain);
    fits.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn what_is_written_is_read() {
        for sampled in [true, false] {
            let flags = if sampled { "01" } else { "00" };
            let header = format!("00-{TRACE}-{SPAN}-{flags}");
            let context = TraceContext::parse(&header).unwrap();
            assert_eq!(context.sampled, sampled);
            assert_eq!(context.to_string(), header);
        }
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        for header in [
            format!("cc-{TRACE}-{SPAN}-01"),
            format!("cc-{TRACE}-{SPAN}-01-what-comes-then"),
        ] {
            let context = TraceContext::parse(&header).unwrap();
            assert_eq!(context.to_string(), format!("00-{TRACE}-{SPAN}-01"));
        }
    }

    #[test]
    fn what_is_not_one_is_nothing() {
        let none = "0".repeat(32);
        for header in [
            String::new(),
            "00".into(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("cc-{TRACE}-{SPAN}-01more"),
            format!("00-{none}-{SPAN}-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{SPAN}-0g"),
            format!("00-{TRACE}{SPAN}--01"),
            format!("0-{TRACE}-{SPAN}-001"),
            format!("00-+bf92f3577b34da6a3ce929d0e0e4736-{SPAN}-01"),
            format!(" 00-{TRACE}-{SPAN}-01"),
            "00-सीतासीतासीतासीतासीतासीतासीतासीता-सीता-01".into(),
        ] {
            assert_eq!(TraceContext::parse(&header), None, "{header}");
        }
    }
}
