//! The people of the registry, worked out from a seed whenever they are asked for.
//!
//! ```
//! use stand_in::Population;
//! let people = Population::new(7, 1_000_000);
//! let person = people.person(123_456);
//! assert_eq!(people.by_uin(&person.uin), Some(person));
//! ```

use super::homes::{self, Home};
use super::identifier::{Identifiers, Scheme};
use super::names;
use super::shuffle::Dice;

pub use super::person::{Household, Known, Marital, PartialDate, Person, Place, Role, Sex};

/// The last full year of the register. Ages are counted at its end and never by the clock, so that
/// a query by age finds the same people on every day.
pub const LAST_YEAR: u64 = 2025;

/// Everyone in the registry. It holds nothing but the seed and the size.
#[derive(Debug, Clone, Copy)]
pub struct Population {
    seed: u64,
    size: u64,
    identifiers: Identifiers,
}

impl Population {
    /// The population of a seed. Sizes outside 20 to 1,000,000 are moved to the nearer end.
    pub fn new(seed: u64, size: u64) -> Self {
        let size = size.clamp(homes::BLOCK, 1_000_000);
        Self {
            seed,
            size,
            identifiers: Identifiers::new(seed),
        }
    }

    /// The words of which every surname holds one: what a search for leaks looks for.
    pub fn planted_words() -> Vec<&'static str> {
        names::planted_words()
    }

    /// How many people there are.
    pub fn len(&self) -> u64 {
        self.size
    }

    /// Never true: there are at least twenty people.
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// How many households there are.
    pub fn households(&self) -> u64 {
        homes::count(self.seed, self.size)
    }

    /// The person at `index`; an index past the end starts over.
    pub fn person(&self, index: u64) -> Person {
        let index = index % self.size;
        let (home, position) = Home::of(self.seed, index);
        let role = home.role(position);
        let mut dice = Dice::new(&[self.seed, PERSON, index]);
        let mut person = self.draw(&home, position, role, index, &mut dice);
        if let Some(original) = homes::repeats(self.seed, index) {
            let Person {
                name,
                culture,
                sex,
                birth,
                death,
                ..
            } = self.person(original);
            person = Person {
                name,
                culture,
                sex,
                birth,
                death,
                ..person
            };
        }
        person
    }

    /// The household at `index`; an index past the end starts over.
    pub fn household(&self, index: u64) -> Household {
        let home = Home::at(self.seed, index % self.households());
        Household {
            index: home.index,
            id: self.identifiers.give(Scheme::Household, home.index),
            members: home.first..(home.first + home.planned).min(self.size),
            poverty_score: home.poverty_score,
            place: Place {
                house: 1 + home.place % 240,
                locality: LOCALITIES[(home.place / 240 % 6) as usize],
                region: REGIONS[(home.place / 1440 % 5) as usize],
            },
        }
    }

    /// The person with this unique identification number.
    pub fn by_uin(&self, uin: &str) -> Option<Person> {
        self.find(Scheme::Uin, uin).map(|index| self.person(index))
    }

    /// The index of what an identifier names: of a person, or of a household for its number.
    pub fn find(&self, scheme: Scheme, value: &str) -> Option<u64> {
        let index = self.identifiers.read(scheme, value)?;
        match scheme {
            Scheme::Household => (index < self.households()).then_some(index),
            Scheme::Uin | Scheme::Brn => (index < self.size).then_some(index),
            // A child's card number is well-formed and was never given out.
            Scheme::Nid => (index < self.size && self.person(index).nid.is_some()).then_some(index),
        }
    }

    /// The index of the other record with the name and birth date of the record at `index`, where
    /// one was planted: what makes a search by name ambiguous.
    pub fn repeated_at(&self, index: u64) -> Option<u64> {
        let last = index / homes::BLOCK * homes::BLOCK + homes::BLOCK - 1;
        (last < self.size && homes::repeats(self.seed, last) == Some(index)).then_some(last)
    }

    /// Everyone, one at a time.
    pub fn iter(&self) -> impl Iterator<Item = Person> + '_ {
        (0..self.size).map(|index| self.person(index))
    }

    fn draw(&self, home: &Home, position: u64, role: Role, index: u64, dice: &mut Dice) -> Person {
        let elder = u64::from(position + 1 == home.planned);
        let sex = match role {
            Role::Head => home.head_sex,
            Role::Spouse if home.head_sex == Sex::Female => Sex::Male,
            Role::Spouse => Sex::Female,
            Role::Grandparent if elder == 1 => Sex::Female,
            Role::Grandparent => Sex::Male,
            Role::Child => match dice.below(100) {
                0 => Sex::Other,
                1 => Sex::Unknown,
                2..51 => Sex::Female,
                _ => Sex::Male,
            },
        };
        let year = match role {
            Role::Head => home.head_year,
            Role::Spouse => home.spouse_year(),
            Role::Grandparent => home.head_year - 18 - dice.below(15),
            Role::Child => {
                let years = home.child_years();
                years.start() + dice.below(years.end() - years.start() + 1)
            }
        };
        let birth = PartialDate::draw(year, dice);
        let (dead, widowed) = match role {
            Role::Head => (home.dead[0], home.dead[1]),
            Role::Spouse => (home.dead[1], home.dead[0]),
            Role::Grandparent if elder == 1 => (home.dead[2], home.dead[3]),
            Role::Grandparent => (home.dead[3], home.dead[2]),
            Role::Child => (dice.percent(1), false),
        };
        let death_year = match role {
            Role::Grandparent => 2001 + dice.below(25),
            _ => LAST_YEAR,
        };
        let parents = home.parents(position).into_iter().map(|at| home.first + at);
        let adult = year + 16 <= LAST_YEAR;
        Person {
            index,
            uin: self.identifiers.give(Scheme::Uin, index),
            brn: self.identifiers.give(Scheme::Brn, index),
            nid: adult.then(|| self.identifiers.give(Scheme::Nid, index)),
            name: home.culture.name(home.family, sex == Sex::Female, dice),
            culture: home.culture,
            sex,
            birth,
            death: dead.then(|| PartialDate::draw(death_year, dice)),
            marital: home.marital(role, widowed),
            parents: parents.filter(|parent| *parent < self.size).collect(),
            role,
            household: home.index,
            phone: (adult && dice.percent(60))
                .then(|| format!("+999{:09}", dice.below(1_000_000_000))),
        }
    }
}

const PERSON: u64 = 0x50455253;
const LOCALITIES: [&str; 6] = [
    "Harbour Side",
    "Old Market",
    "Upper Valley",
    "Saint Rémy",
    "Nadi-Tole",
    "Kilometre Nine",
];
const REGIONS: [&str; 5] = ["R01", "R02", "R03", "R04", "R05"];

#[cfg(test)]
mod tests;
