//! Names, and the invented words among them that a leak test can look for.

use super::shuffle::Dice;

/// How a household writes its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Culture {
    /// Latin letters without marks.
    Latin,
    /// Latin letters with marks.
    Marked,
    /// Devanagari.
    Devanagari,
    /// Arabic script, written from right to left.
    Arabic,
    /// Family names with an apostrophe, a hyphen or a particle.
    Apostrophe,
    /// One name only: it stands in `surname`, and there is no `given_name`.
    Single,
    /// Names longer than most columns.
    Long,
}

/// A person's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The family name, or the only name; it always holds a planted word.
    pub surname: String,
    /// The given name; none for people of one name.
    pub given: Option<String>,
    /// A second given name.
    pub second: Option<String>,
}

impl Culture {
    /// The culture of a household by the draw.
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        match dice.below(100) {
            0..45 => Self::Latin,
            45..62 => Self::Marked,
            62..75 => Self::Devanagari,
            75..83 => Self::Arabic,
            83..92 => Self::Apostrophe,
            92..98 => Self::Single,
            _ => Self::Long,
        }
    }

    /// The word that the family names of a household of this culture are made of.
    pub(crate) fn family_word(self, dice: &mut Dice) -> &'static str {
        dice.pick(match self {
            Self::Latin | Self::Apostrophe | Self::Single | Self::Long => LATIN,
            Self::Marked => MARKED,
            Self::Devanagari => DEVANAGARI,
            Self::Arabic => ARABIC,
        })
    }

    /// A name for one member of a household with this family word.
    pub(crate) fn name(self, family: &str, female: bool, dice: &mut Dice) -> Name {
        let given = |dice: &mut Dice| {
            let (women, men): (&[&str], &[&str]) = match self {
                Self::Latin | Self::Apostrophe | Self::Single | Self::Long => (WOMEN, MEN),
                Self::Marked => (MARKED_WOMEN, MARKED_MEN),
                Self::Devanagari => (DEVANAGARI_WOMEN, DEVANAGARI_MEN),
                Self::Arabic => (ARABIC_WOMEN, ARABIC_MEN),
            };
            dice.pick(if female { women } else { men }).to_owned()
        };
        let first = given(dice);
        let second = dice.percent(30).then(|| given(dice));
        match self {
            // An only name is of one person, not of the family: the syllable tells members apart.
            Self::Single => Name {
                surname: format!("{family}{}", dice.pick(ENDINGS)),
                given: None,
                second: None,
            },
            Self::Apostrophe => Name {
                surname: format!("{}{family}", dice.pick(PARTICLES)),
                given: Some(first),
                second,
            },
            Self::Long => Name {
                surname: format!("{family}-{LONG_TAIL}"),
                given: Some(format!("{first} {LONG_GIVEN}")),
                second,
            },
            _ => Name {
                surname: family.to_owned(),
                given: Some(first),
                second,
            },
        }
    }
}

/// The invented family words: each person's surname holds one, and none of them occurs in code or
/// in a log by chance.
pub(crate) fn planted_words() -> Vec<&'static str> {
    [LATIN, MARKED, DEVANAGARI, ARABIC].concat()
}

#[rustfmt::skip]
const LATIN: &[&str] = &[
    "Zwimbatosk", "Quorvelinth", "Brezzolundi", "Okwarimbesh", "Tarnuvaplek", "Mwanzikoror",
    "Pheldragosti", "Yirumbekwa", "Dzhorvanelk", "Ubantorizwe", "Klemvaristo", "Nyarobithek",
    "Grolvandimu", "Sefwizandor", "Vuktaliermo", "Hlombikazet", "Rajvotimbre", "Chipendoluz",
    "Xolvarinday", "Wekstrobali", "Ipskanduro", "Jemborvatil", "Lurkaziband", "Eftorwindala",
];
#[rustfmt::skip]
const MARKED: &[&str] = &[
    "Žvimbätošek", "Qüørvelïnth", "Brézzolûndi", "Ñandorvïlez", "Tårnuväplék", "Łuwkoręzbak",
    "Đorvänêlkić", "Nguyêlthưốk", "Şerkölbüğan", "Ĳsvøldæker",
];
#[rustfmt::skip]
const DEVANAGARI: &[&str] = &[
    "झ्विम्बातोस्क", "क्वोर्वेलिन्थ", "ब्रेज्जोलुन्दी", "ओक्वारिम्बेश", "टर्नुवाप्लेक", "म्वान्जिकोरोर", "श्रेष्ठोल्वान्दी",
];
const ARABIC: &[&str] = &["زويمباتوسك", "كورفيلينثي", "بريزولوندي", "أوكواريمبش"];

#[rustfmt::skip]
const WOMEN: &[&str] = &[
    "Amina", "Beatrice", "Chipo", "Dalia", "Esther", "Fatou", "Grace", "Halima", "Ines", "Joy",
    "Khadija", "Lucia", "Maria", "Nadia", "Olive", "Priya", "Rosa", "Sudarat", "Thandiwe", "Wanjiru",
];
#[rustfmt::skip]
const MEN: &[&str] = &[
    "Abel", "Bakari", "Carlos", "Daniel", "Emeka", "Farouk", "Gideon", "Hassan", "Ivan", "Juma",
    "Kwame", "Luis", "Moses", "Nelson", "Omar", "Pedro", "Rajan", "Samuel", "Tendai", "Yusuf",
];
const MARKED_WOMEN: &[&str] = &[
    "Zoë", "Chloé", "Ángela", "Thủy", "Šárka", "Ayşe", "Łucja", "Bjørg",
];
const MARKED_MEN: &[&str] = &[
    "José",
    "Søren",
    "Jürgen",
    "Đức",
    "Ömer",
    "Łukasz",
    "François",
    "Åke",
];
const DEVANAGARI_WOMEN: &[&str] = &["सीता", "गीता", "लक्ष्मी", "सरस्वती", "अनिता", "मीरा"];
const DEVANAGARI_MEN: &[&str] = &["राम", "हरि", "कृष्ण", "बिष्णु", "प्रकाश", "सुरेश"];
const ARABIC_WOMEN: &[&str] = &["فاطمة", "مريم", "عائشة", "زينب"];
const ARABIC_MEN: &[&str] = &["محمد", "أحمد", "يوسف", "عمر"];
const ENDINGS: &[&str] = &[
    "a", "e", "o", "ari", "ono", "udin", "wati", "anto", "iyah", "esti",
];
const PARTICLES: &[&str] = &["O'", "N'", "D’", "Mc", "van der ", "Al-", "Ka'"];
const LONG_TAIL: &str =
    "Rakotondramanitraharimalala-Andriantsimitoviaminandriana-Wolfeschlegelsteinhausen";
const LONG_GIVEN: &str = "Marie Antoinette Josephine Immaculée Bernadette Perpétue Célestine";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_words_are_distinct_and_long_enough_to_mean_something() {
        let words = planted_words();
        let mut unique = words.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), words.len());
        assert!(words.iter().all(|word| word.chars().count() >= 9));
    }

    #[test]
    fn each_culture_plants_its_word_and_a_single_name_has_no_given_name() {
        for culture in [
            Culture::Latin,
            Culture::Marked,
            Culture::Devanagari,
            Culture::Arabic,
            Culture::Apostrophe,
            Culture::Single,
            Culture::Long,
        ] {
            let mut dice = Dice::new(&[3]);
            let family = culture.family_word(&mut dice);
            let name = culture.name(family, true, &mut dice);
            assert!(name.surname.contains(family));
            assert_eq!(name.given.is_none(), culture == Culture::Single);
        }
    }
}
