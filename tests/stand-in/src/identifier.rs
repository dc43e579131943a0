//! Identifiers that carry the index of what they name.
//!
//! | scheme | looks like | of |
//! |---|---|---|
//! | `UIN` | `3829104756`: ten digits, the last by Luhn, never beginning with 9 | every person |
//! | `BRN` | `B4710293850`: `B` and ten digits, the last by Luhn | every person |
//! | `NID` | `N1093847562`: `N` and ten digits, the last by Luhn | people of 16 and more |
//! | `HHID` | `H6602931847`: `H` and ten digits, the last by Luhn | every household |
//!
//! UINs that begin with `99` belong to nobody: they ask for a fault, see [`super::fault`].

use super::shuffle::{Shuffle, mix};

/// A kind of identifier that the registry gives out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Unique identification number of a person.
    Uin,
    /// Birth registration number of a person.
    Brn,
    /// National identity card of an adult.
    Nid,
    /// Household number in the social registry.
    Household,
}

impl Scheme {
    /// The code on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::Uin => "UIN",
            Self::Brn => "BRN",
            Self::Nid => "NID",
            Self::Household => "HHID",
        }
    }

    /// The scheme of a code, in any letter case.
    pub fn of(code: &str) -> Option<Self> {
        [Self::Uin, Self::Brn, Self::Nid, Self::Household]
            .into_iter()
            .find(|scheme| scheme.code().eq_ignore_ascii_case(code))
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Uin => "",
            Self::Brn => "B",
            Self::Nid => "N",
            Self::Household => "H",
        }
    }
}

/// Numbers of nine digits whose first is 1 to 8, so that none is cut by a leading zero and none
/// meets the numbers that ask for faults.
const FIRST: u64 = 100_000_000;
const COUNT: u64 = 800_000_000;

/// Gives out and reads identifiers for one seed.
#[derive(Debug, Clone, Copy)]
pub struct Identifiers {
    shuffles: [Shuffle; 4],
}

impl Identifiers {
    /// The identifiers of the population of `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            shuffles: [1, 2, 3, 4].map(|scheme| Shuffle::new(mix(&[seed, scheme]), COUNT)),
        }
    }

    /// The identifier of the thing at `index`.
    pub fn give(&self, scheme: Scheme, index: u64) -> String {
        let body = FIRST + self.shuffle(scheme).forward(index);
        format!("{}{body}{}", scheme.prefix(), luhn(body))
    }

    /// The index that an identifier carries; none where it isn't well-formed. That a thing exists
    /// at the index is for the population to say.
    pub fn read(&self, scheme: Scheme, value: &str) -> Option<u64> {
        let digits = value.strip_prefix(scheme.prefix())?;
        if digits.len() != 10 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let whole: u64 = digits.parse().ok()?;
        let (body, check) = (whole / 10, whole % 10);
        let in_range = (FIRST..FIRST + COUNT).contains(&body);
        (in_range && luhn(body) == check).then(|| self.shuffle(scheme).back(body - FIRST))
    }

    fn shuffle(&self, scheme: Scheme) -> &Shuffle {
        &self.shuffles[scheme as usize]
    }
}

/// The digit that makes a number pass the Luhn test when appended.
fn luhn(mut body: u64) -> u64 {
    let (mut sum, mut double) = (0, true);
    while body > 0 {
        let digit = body % 10;
        sum += match (double, digit) {
            (true, 5..) => digit * 2 - 9,
            (true, _) => digit * 2,
            (false, _) => digit,
        };
        double = !double;
        body /= 10;
    }
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_luhns() {
        assert_eq!(luhn(7_992_739_871), 3);
    }

    #[test]
    fn identifiers_run_back_to_their_index() {
        let identifiers = Identifiers::new(11);
        for scheme in [Scheme::Uin, Scheme::Brn, Scheme::Nid, Scheme::Household] {
            for index in [0, 1, 19, 999, 999_999] {
                let value = identifiers.give(scheme, index);
                assert_eq!(identifiers.read(scheme, &value), Some(index), "{value}");
            }
        }
    }

    #[test]
    fn a_mistyped_identifier_is_nobodys() {
        let identifiers = Identifiers::new(11);
        let value = identifiers.give(Scheme::Uin, 5);
        let swapped = value.replacen(&value[..1], if &value[..1] == "1" { "2" } else { "1" }, 1);
        for wrong in [
            swapped.as_str(),
            "",
            "12",
            "99000000010",
            "９９９",
            "1 234567890",
        ] {
            assert_eq!(identifiers.read(Scheme::Uin, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn another_seed_gives_other_identifiers() {
        let (one, two) = (Identifiers::new(1), Identifiers::new(2));
        assert_ne!(one.give(Scheme::Uin, 0), two.give(Scheme::Uin, 0));
    }
}
