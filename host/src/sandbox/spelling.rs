//! Letters that a guest's language escaped: Python and JavaScript write `M\u00fcller` in a
//! traceback, Rust `\u{fc}`, and bytes look like `M\xc3\xbcller`. Masking looks at words.

use std::borrow::Cow;

use super::mask::is_word;

/// The text with its escaped letters as letters. Other escapes stay as they are.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        rest = match letters(escape) {
            Some((letters, after)) => {
                plain.push_str(&letters);
                after
            }
            None => {
                plain.push('\\');
                escape.strip_prefix('\\').unwrap_or_default()
            }
        };
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The letters that the text begins with in escaped form, and what follows them.
fn letters(text: &str) -> Option<(String, &str)> {
    let (letters, after) = if text.starts_with("\\x") {
        bytes(text)?
    } else {
        let (letter, after) = braced(text).or_else(|| utf16(text))?;
        (letter.to_string(), after)
    };
    letters.chars().all(is_word).then_some((letters, after))
}

/// `\u{fc}`.
fn braced(text: &str) -> Option<(char, &str)> {
    let (digits, after) = text.strip_prefix("\\u{")?.split_once('}')?;
    let letter = u32::from_str_radix(digits, 16).ok()?;
    Some((char::from_u32(letter)?, after))
}

/// `\u00fc`, and pairs of surrogates.
fn utf16(text: &str) -> Option<(char, &str)> {
    let (first, after) = unit(text, "\\u", 4)?;
    if let Some(letter) = char::from_u32(first) {
        return Some((letter, after));
    }
    let (second, after) = unit(after, "\\u", 4)?;
    let pair = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    let letter = char::decode_utf16(pair).next()?.ok()?;
    Some((letter, after))
}

/// A run of `\xc3\xbc`: UTF-8 where it is that, else one letter each.
fn bytes(text: &str) -> Option<(String, &str)> {
    let (mut run, mut rest) = (Vec::new(), text);
    while let Some((byte, after)) = unit(rest, "\\x", 2) {
        run.push(u8::try_from(byte).ok()?);
        rest = after;
    }
    if run.is_empty() {
        return None;
    }
    let letters = String::from_utf8(run)
        .unwrap_or_else(|error| error.as_bytes().iter().copied().map(char::from).collect());
    Some((letters, rest))
}

fn unit<'a>(text: &'a str, prefix: &str, digits: usize) -> Option<(u32, &'a str)> {
    let (digits, after) = text.strip_prefix(prefix)?.split_at_checked(digits)?;
    // `from_str_radix` takes a sign.
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    Some((u32::from_str_radix(digits, 16).ok()?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_letters_become_letters() {
        for (escaped, plain) in [
            (r"M\u00fcller", "Müller"),
            (r"M\u{fc}ller", "Müller"),
            (r"b'M\xc3\xbcller'", "b'Müller'"),
            (r"M\xfcller", "Müller"),
            (r"\u0938\u0940\u0924\u093e", "सीता"),
            (r"\ud840\udc00 x", "\u{20000} x"),
            (r"C:\users \n \u00", r"C:\users \n \u00"),
            (r"a\u000ab \x1b[2J \ud840 \", r"a\u000ab \x1b[2J \ud840 \"),
        ] {
            assert_eq!(unescaped(escaped), plain, "{escaped}");
        }
    }
}
