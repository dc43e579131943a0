//! The outermost sections of a WebAssembly file.

/// Magic number and version.
pub(super) const HEADER: usize = 8;
const MAGIC: &[u8] = b"\0asm";
const CUSTOM: u8 = 0;
/// A component has a few dozen.
pub(super) const MAX_SECTIONS: usize = 10_000;

/// One section.
#[derive(Debug)]
pub(super) struct Section<'f> {
    /// Of a custom section.
    pub(super) name: Option<&'f str>,
    /// Behind the name.
    pub(super) content: &'f [u8],
    /// Where it begins, its own number and size included.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// All of them, in order. What is in them is not looked at.
pub(super) fn read(file: &[u8]) -> Result<Vec<Section<'_>>, &'static str> {
    const EARLY: &str = "the file ends early: bring all of it";
    if !file.starts_with(MAGIC) || file.len() < HEADER {
        return Err("the file is no WebAssembly: build it with --target wasm32-wasip2");
    }
    let (mut sections, mut at) = (Vec::new(), HEADER);
    while let Some(&kind) = file.get(at) {
        if sections.len() >= MAX_SECTIONS {
            return Err("the file has more than 10000 sections: build it again");
        }
        let (size, head) = file.get(at + 1..).and_then(number).ok_or(EARLY)?;
        let begin = at + 1 + head;
        let end = begin.checked_add(size).ok_or(EARLY)?;
        let mut content = file.get(begin..end).ok_or(EARLY)?;
        let mut name = None;
        if kind == CUSTOM {
            const NAME: &str = "a custom section has no name: build the file again";
            let (length, head) = number(content).ok_or(NAME)?;
            let text = content.get(head..head.saturating_add(length)).ok_or(NAME)?;
            name = Some(std::str::from_utf8(text).map_err(|_| NAME)?);
            content = content.get(head + length..).unwrap_or_default();
        }
        sections.push(Section {
            name,
            content,
            start: at,
            end,
        });
        at = end;
    }
    Ok(sections)
}

/// Adds a custom section at the end.
pub(super) fn append(file: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut inner = Vec::new();
    put_number(&mut inner, name.len());
    inner.extend_from_slice(name.as_bytes());
    inner.extend_from_slice(content);
    file.push(CUSTOM);
    put_number(file, inner.len());
    file.extend_from_slice(&inner);
}

/// An unsigned LEB128 of 32 bits, and how many bytes it has.
fn number(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).ok()?;
            return Some((usize::try_from(value).ok()?, index + 1));
        }
    }
    None
}

fn put_number(into: &mut Vec<u8>, mut value: usize) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            into.push(byte);
            return;
        }
        into.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for value in [0, 1, 127, 128, 300, 65_535, 1 << 20, u32::MAX as usize] {
            let mut bytes = Vec::new();
            put_number(&mut bytes, value);
            assert_eq!(number(&bytes), Some((value, bytes.len())));
            assert_eq!(number(&bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(number(&[0xff; 9]), None);
    }

    #[test]
    fn sections_are_counted() {
        let mut file = b"\0asm\x0d\0\x01\0".to_vec();
        file.extend([1, 0].repeat(MAX_SECTIONS));
        assert_eq!(read(&file).unwrap().len(), MAX_SECTIONS);
        file.extend([1, 0]);
        assert!(read(&file).unwrap_err().contains("10000 sections"));
    }

    #[test]
    fn every_cut_is_told() {
        let mut file = b"\0asm\x0d\0\x01\0".to_vec();
        append(&mut file, "name", &[7; 300]);
        let whole = read(&file).unwrap();
        assert_eq!((whole[0].name, whole[0].content.len()), (Some("name"), 300));
        for length in (0..HEADER).chain(HEADER + 1..file.len()) {
            assert!(read(&file[..length]).is_err(), "{length}");
        }
        assert!(read(&file[..HEADER]).unwrap().is_empty());
    }
}
