//! Dates of birth and death, in the calendar that the settings name, and beside it in Bikram Sambat.

use adapter_sdk::model::PartialDate;
use fhir_r4::dates::{Gregorian, ReadDate, is_before};
use fhir_r4::json::{Notes, Primitive, extension_value, scalar};

use crate::bikram_sambat;
use crate::settings::Calendar;

/// How dates are read.
#[derive(Clone, Debug)]
pub struct NepaliDates {
    /// Of the date itself.
    pub calendar: Calendar,
    /// The extension that has it in Bikram Sambat.
    pub extension: Option<String>,
    /// Nobody was born or died after it: such a date is of another calendar than was set.
    pub today: Option<PartialDate>,
}

impl ReadDate for NepaliDates {
    fn read(&self, field: &str, date: &Primitive<'_>, notes: &mut Notes) -> Option<PartialDate> {
        let own = match self.calendar {
            Calendar::Gregorian => Gregorian.read(field, date, notes),
            Calendar::BikramSambat => date.value.and_then(|value| {
                let converted = scalar(value).and_then(|text| bikram_sambat::gregorian(&text));
                if converted.is_none() {
                    notes.add(field, value);
                }
                converted
            }),
        };
        let is_to_come = |it: &PartialDate| {
            let today = self.today.as_ref();
            today.is_some_and(|today| is_before(today, it))
        };
        if own.as_ref().is_some_and(is_to_come) {
            if let Some(value) = date.value {
                notes.add(field, value);
            }
            return None;
        }
        let beside = self.beside(date);
        let Some(value) = beside else {
            return own;
        };
        let converted = scalar(value).and_then(|text| bikram_sambat::gregorian(&text));
        match (own, converted) {
            // The same day twice: what was written in Nepal is kept beside it.
            (Some(own), Some(converted)) if is_same(&own, &converted) => Some(PartialDate {
                original: own.original.clone().or(converted.original),
                ..own
            }),
            (None, Some(converted)) if date.value.is_none() => Some(converted),
            // The two differ, or this one is none: the registry's own date counts, the other is told.
            (own, _) => {
                notes.add(field, value);
                own
            }
        }
    }

    fn extensions(&self) -> Vec<&str> {
        self.extension.as_deref().into_iter().collect()
    }
}

impl NepaliDates {
    fn beside<'a>(&self, date: &Primitive<'a>) -> Option<&'a serde_json::Value> {
        let told = date.extensions.first(self.extension.as_deref()?)?;
        extension_value(&told)
    }
}

/// As far as both are known.
fn is_same(one: &PartialDate, other: &PartialDate) -> bool {
    let agree =
        |one: Option<u8>, other: Option<u8>| one.is_none() || other.is_none() || one == other;
    one.year == other.year && agree(one.month, other.month) && agree(one.day, other.day)
}
