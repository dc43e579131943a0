//! Who lives with whom, worked out from an index and never stored.
//!
//! People come in blocks of twenty, and a block is split into five households by one of a few
//! patterns. So the household of a person, and the people of a household, are a division away.

use super::names::Culture;
use super::people::{LAST_YEAR, Marital, Role, Sex};
use super::shuffle::{Dice, mix};

/// People in a block. A population has at least one whole block.
pub(crate) const BLOCK: u64 = 20;

const HOMES: u64 = 5;
const BIGGEST_FIRST: [u64; 5] = [8, 6, 3, 2, 1];
const PATTERNS: [[u64; 5]; 6] = [
    BIGGEST_FIRST,
    [5, 4, 3, 6, 2],
    [7, 3, 5, 4, 1],
    [4, 4, 4, 4, 4],
    [2, 8, 1, 6, 3],
    [5, 7, 2, 5, 1],
];

/// A household as planned; the last one of a population may lack its last members.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// Which household this is.
    pub(crate) index: u64,
    /// The index of the head; the others follow.
    pub(crate) first: u64,
    /// How many people it is planned for.
    pub(crate) planned: u64,
    /// How it writes names.
    pub(crate) culture: Culture,
    /// The planted word in its family name.
    pub(crate) family: &'static str,
    /// The year in which the head was born.
    pub(crate) head_year: u64,
    /// The head's sex.
    pub(crate) head_sex: Sex,
    /// Whether the second member is the head's spouse.
    pub(crate) couple: bool,
    /// How many of the last members are parents of the head.
    pub(crate) grandparents: u64,
    /// Whether the head, the spouse and either grandparent have died.
    pub(crate) dead: [bool; 4],
    /// From 0, poorest, to 100, in tenths.
    pub(crate) poverty_score: f64,
    /// Picks the address.
    pub(crate) place: u64,
    single_head: Marital,
}

impl Home {
    /// The household at `index` of the population of `seed`.
    pub(crate) fn at(seed: u64, index: u64) -> Self {
        let (block, slot) = (index / HOMES, (index % HOMES) as usize);
        let pattern = pattern(seed, block);
        let planned = pattern[slot];
        let mut dice = Dice::new(&[seed, HOME, index]);
        let culture = match (block, slot) {
            // The smallest populations still show the writings that break software.
            (0, 1) => Culture::Devanagari,
            (0, 2) => Culture::Marked,
            (0, 3) => Culture::Apostrophe,
            (0, _) => Culture::Latin,
            (1, 0) => Culture::Single,
            (1, 1) => Culture::Arabic,
            (1, 2) => Culture::Long,
            _ => Culture::draw(&mut dice),
        };
        let grandparents = if planned >= 6 { dice.below(3) } else { 0 };
        Self {
            index,
            first: block * BLOCK + pattern[..slot].iter().sum::<u64>(),
            planned,
            culture,
            family: culture.family_word(&mut dice),
            head_year: 1955 + dice.below(46),
            head_sex: if dice.percent(35) {
                Sex::Female
            } else {
                Sex::Male
            },
            couple: planned > 1 && (index == 0 || dice.percent(80)),
            grandparents,
            dead: [1, 6, 30, 30].map(|percent| dice.percent(percent)),
            poverty_score: dice.below(1001) as f64 / 10.0,
            place: dice.below(1 << 32),
            single_head: dice.pick(&[Marital::Single, Marital::Widowed, Marital::Divorced]),
        }
    }

    /// The household of the person at `person`, and the person's position in it.
    pub(crate) fn of(seed: u64, person: u64) -> (Self, u64) {
        let (block, mut position) = (person / BLOCK, person % BLOCK);
        let pattern = pattern(seed, block);
        let mut slot = 0;
        while slot + 1 < pattern.len() && position >= pattern[slot] {
            position -= pattern[slot];
            slot += 1;
        }
        (Self::at(seed, block * HOMES + slot as u64), position)
    }

    /// What the member at `position` is to the head.
    pub(crate) fn role(&self, position: u64) -> Role {
        match position {
            0 => Role::Head,
            1 if self.couple => Role::Spouse,
            later if later >= self.planned - self.grandparents => Role::Grandparent,
            _ => Role::Child,
        }
    }

    /// The positions of the parents of the member at `position`.
    pub(crate) fn parents(&self, position: u64) -> Vec<u64> {
        match self.role(position) {
            Role::Head => (self.planned - self.grandparents..self.planned).collect(),
            Role::Child if self.couple => vec![0, 1],
            Role::Child => vec![0],
            Role::Spouse | Role::Grandparent => Vec::new(),
        }
    }

    /// The year in which the spouse was born.
    pub(crate) fn spouse_year(&self) -> u64 {
        (self.head_year - 4 + self.place % 9).min(2003)
    }

    /// The years in which a child can have been born: both parents were eighteen or more.
    pub(crate) fn child_years(&self) -> std::ops::RangeInclusive<u64> {
        let youngest = if self.couple {
            self.head_year.max(self.spouse_year())
        } else {
            self.head_year
        };
        youngest + 18..=(youngest + 40).min(LAST_YEAR - 1)
    }

    /// Whether someone is married or alone, as the register last heard.
    pub(crate) fn marital(&self, role: Role, widowed: bool) -> Marital {
        match role {
            Role::Child => Marital::Single,
            Role::Head if !self.couple => self.single_head,
            Role::Grandparent if self.grandparents < 2 => Marital::Widowed,
            _ if widowed => Marital::Widowed,
            _ => Marital::Married,
        }
    }
}

/// How many households the first `people` people live in.
pub(crate) fn count(seed: u64, people: u64) -> u64 {
    let whole = people / BLOCK;
    let (mut left, mut begun) = (people % BLOCK, 0);
    for planned in pattern(seed, whole) {
        if left == 0 {
            break;
        }
        begun += 1;
        left = left.saturating_sub(planned);
    }
    whole * HOMES + begun
}

/// The person whose name and birth date the record at `person` repeats, if it is such a record.
pub(crate) fn repeats(seed: u64, person: u64) -> Option<u64> {
    let (block, position) = (person / BLOCK, person % BLOCK);
    let repeats = position == BLOCK - 1
        && pattern(seed, block) == BIGGEST_FIRST
        && (block == 0 || mix(&[seed, REPEAT, block]).is_multiple_of(3));
    repeats.then_some(block * BLOCK)
}

const HOME: u64 = 0x0484f4d45;
const PATTERN: u64 = 0x50415454;
const REPEAT: u64 = 0x52455045;

fn pattern(seed: u64, block: u64) -> [u64; 5] {
    match block {
        // The first block is the same for every seed: a repeated record is always there.
        0 => BIGGEST_FIRST,
        _ => Dice::new(&[seed, PATTERN, block]).pick(&PATTERNS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_fills_a_block() {
        assert!(
            PATTERNS
                .iter()
                .all(|pattern| pattern.iter().sum::<u64>() == BLOCK)
        );
    }

    #[test]
    fn a_person_lives_in_the_household_that_lists_them() {
        for person in 0..2_000 {
            let (home, position) = Home::of(9, person);
            assert_eq!(home.first + position, person);
            assert!(position < home.planned);
            assert_eq!(Home::at(9, home.index).first, home.first);
        }
    }

    #[test]
    fn households_are_counted_without_walking_them() {
        for people in 20..120 {
            let last = Home::of(4, people - 1).0.index;
            assert_eq!(count(4, people), last + 1);
        }
    }
}
