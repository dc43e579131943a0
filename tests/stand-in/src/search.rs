//! The people or households that meet criteria.

use super::attribute::{Field, Subject};
use super::criteria::{Criteria, RecordType};
use super::envelope::Reject;
use super::fault::Fault;
use super::identifier::Scheme;
use super::people::{Person, Population};

/// One page of what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Indexes of people, or of households where the record type is [`RecordType::Group`].
    pub(crate) page: Vec<u64>,
    /// How many there are on all pages.
    pub(crate) total: usize,
    /// The UIN to write in place of the true one: that of a fault, see [`super::fault`].
    pub(crate) under_uin: Option<String>,
}

impl Criteria {
    /// Finds one page. More than `most` matches are rejected, as registries do to keep people from
    /// copying them; that also ends a search among a million early.
    pub(crate) fn find(&self, people: &Population, most: usize) -> Result<Found, Reject> {
        let pinned = self.filter.pinned();
        if let Some((Scheme::Uin, values)) = &pinned
            && let Some(uin) = values.iter().find(|value| Fault::of_uin(value).is_some())
        {
            return Ok(Found {
                page: vec![0],
                total: 1,
                under_uin: Some((*uin).to_owned()),
            });
        }
        let candidates: Box<dyn Iterator<Item = u64>> = match &pinned {
            Some((scheme, values)) => Box::new(named(people, *scheme, values).into_iter()),
            None => Box::new(0..people.len()),
        };
        let mut matches: Vec<(u64, Vec<Field>)> = Vec::new();
        for index in candidates {
            let person = people.person(index);
            let subject = Subject::new(people, &person);
            if !self.filter.holds(&subject) {
                continue;
            }
            let key = self.key(&person);
            // Members of a household stand side by side, so a repeated one is the last.
            if matches.last().is_some_and(|(last, _)| *last == key) {
                continue;
            }
            let by = self
                .sort
                .iter()
                .map(|(attribute, _)| subject.field(*attribute))
                .collect();
            matches.push((key, by));
            if matches.len() > most {
                let message = format!("more than {most} records");
                return Err(Reject::new("rjct.search.too_many_records_found", message));
            }
        }
        matches.sort_by(|(_, one), (_, two)| self.order(one, two));
        let skip = self.page_size.saturating_mul(self.page_number - 1);
        let page = matches
            .iter()
            .skip(skip)
            .take(self.page_size)
            .map(|(key, _)| *key)
            .collect();
        Ok(Found {
            page,
            total: matches.len(),
            under_uin: None,
        })
    }

    fn key(&self, person: &Person) -> u64 {
        match self.record_type {
            RecordType::Group => person.household,
            RecordType::Person | RecordType::Member => person.index,
        }
    }

    fn order(&self, one: &[Field], two: &[Field]) -> std::cmp::Ordering {
        let orders = one
            .iter()
            .zip(two)
            .zip(&self.sort)
            .map(|((one, two), (_, descending))| {
                // Whoever lacks the value comes last, whichever way the others go.
                let order = one.order(two).unwrap_or_else(|| {
                    let missing = (*one == Field::Missing).cmp(&(*two == Field::Missing));
                    if *descending {
                        missing.reverse()
                    } else {
                        missing
                    }
                });
                if *descending { order.reverse() } else { order }
            });
        orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    }
}

fn named(people: &Population, scheme: Scheme, values: &[&str]) -> Vec<u64> {
    let mut indexes: Vec<u64> = values
        .iter()
        // Filters hold values in small letters; identifiers are written in capitals.
        .filter_map(|value| people.find(scheme, &value.to_uppercase()))
        .flat_map(|index| match scheme {
            Scheme::Household => people.household(index).members,
            _ => index..index + 1,
        })
        .collect();
    indexes.sort_unstable();
    indexes.dedup();
    indexes
}

#[cfg(test)]
mod tests;
