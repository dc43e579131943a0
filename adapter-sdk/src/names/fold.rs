//! Names without case, diacritics and punctuation. Unicode's own tables would double the size of
//! a component; these hold the Latin letters that names are written in.

/// The base letter of U+00C0 to U+017F: Latin-1 Supplement and Latin Extended-A. From Unicode's
/// canonical decompositions, and by look where there is none (`ø` o, `ł` l, `ı` i).
const LATIN: &[u8; 192] = b"\
aaaaaaaceeeeiiiidnooooo.ouuuuytsaaaaaaaceeeeiiiidnooooo.ouuuuyty\
aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll\
lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/// U+1E00 to U+1EFF: Latin Extended Additional, which Vietnamese needs.
const ADDITIONAL: &[u8; 256] = b"\
aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm\
mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv\
wwwwwwwwwwxxxxyyzzzzzzhtwyassssdaaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee\
eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......";

/// Lower case, Latin letters without diacritics, apostrophes left out, other punctuation as one
/// space. Other scripts keep their letters and signs.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Combining diacritics, apostrophes, full stops of initials.
            '\u{300}'..='\u{36f}' | '\'' | '’' | 'ʼ' | '`' | '.' => {}
            c if c.is_ascii_alphanumeric() => folded.push(c.to_ascii_lowercase()),
            c if c.is_ascii() || c.is_whitespace() || c == '\u{2010}' || c == '\u{2013}' => {
                if !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
            c => match base(c) {
                Some(letter) => folded.push(letter),
                None => folded.extend(c.to_lowercase()),
            },
        }
    }
    folded.trim().to_owned()
}

fn base(c: char) -> Option<char> {
    let code = u32::from(c);
    // Vietnamese and Romanian letters that stand between the two blocks.
    match c {
        'Ơ' | 'ơ' => return Some('o'),
        'Ư' | 'ư' => return Some('u'),
        'Ș' | 'ș' => return Some('s'),
        'Ț' | 'ț' => return Some('t'),
        _ => {}
    }
    let letter = match code {
        0xC0..=0x17F => LATIN.get(usize::try_from(code - 0xC0).ok()?)?,
        0x1E00..=0x1EFF => ADDITIONAL.get(usize::try_from(code - 0x1E00).ok()?)?,
        _ => return None,
    };
    (*letter != b'.').then_some(char::from(*letter))
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn folds_latin_and_keeps_other_scripts() {
        assert_eq!(fold("  ÅSA  Ñandú-Łuk "), "asa nandu luk");
        assert_eq!(fold("Đặng Thị Ơ"), "dang thi o");
        assert_eq!(fold("O’Neil J."), "oneil j");
        assert_eq!(fold("मीरा"), "मीरा");
        assert_eq!(fold("×"), "×");
    }
}
