//! People by what is known of them.

use adapter_sdk::model::{Page, SearchQuery};
use adapter_sdk::{Answer, Failure, Search};
use fhir_r4::bundle::Bundle;
use fhir_r4::query::{self, Terms};
use fhir_r4::server::{NextPage, Parameters, ignored};
use fhir_r4::{dates, lookup, mapping};

use crate::registry::Registry;
use crate::settings::Calendar;
use crate::{PAGE_TOKEN, SosysNepal, bikram_sambat};

impl Search for SosysNepal {
    fn search(query: SearchQuery) -> Result<Answer<Page>, Failure> {
        let registry = Registry::load()?;
        let settings = &registry.settings;
        let mut asked = Parameters::new();
        let request = match &query.page {
            Some(token) => {
                let next: NextPage = token.unpack(PAGE_TOKEN)?;
                registry.server.next("Patient", &next)?
            }
            None => {
                let terms = Terms {
                    schemes: &settings.schemes(),
                    knows: &|scheme| settings.knows(scheme),
                    date: &|text| date(text, settings.calendar),
                };
                asked = query::parameters(&query.criteria, &terms)?;
                asked.extend(query::sort(&query.sort)?);
                let count = query.page_size.clamp(1, settings.max_page_size.max(1));
                asked.push(("_count".to_owned(), count.to_string()));
                registry.server.search("Patient", &asked)
            }
        };
        let body = lookup::answer(&registry.server, &request.send()?)?;
        let bundle = Bundle::read(&body, "Patient")?;
        // Whoever fits the rest alone is not whom the caller asked for.
        if ignored(&bundle, &asked).is_some() {
            return Err(Failure::unsupported("search.ignored").field("criteria"));
        }
        let patients = bundle.matches("Patient");
        for patient in &patients {
            mapping::check(patient, "Patient")?;
        }
        let next = registry.server.next_page(&bundle, "Patient")?;
        let page = Page {
            total: bundle.total,
            next: next.map(|it| it.pack(PAGE_TOKEN)).transpose()?,
            ..Page::of(patients.into_iter().map(|it| registry.person(it)))
        };
        Ok(page.into())
    }
}

/// A registry that writes Bikram Sambat is asked in it. A Gregorian month or year is none there.
fn date(text: &str, calendar: Calendar) -> Option<String> {
    match calendar {
        Calendar::Gregorian => query::gregorian(text),
        Calendar::BikramSambat => bikram_sambat::written(&dates::parse(text)?),
    }
}
