//! People by what is known of them: those whom births and deaths are about.

use adapter_sdk::model::{Opaque, Page, Person, SearchQuery};
use adapter_sdk::{Answer, Failure, Search};
use serde::{Deserialize, Serialize};

use crate::exchange::{Slice, ask};
use crate::mapping::subject;
use crate::query::{by_criteria, holds};
use crate::settings::Settings;
use crate::{OpenCrvs, PAGE_TOKEN};

/// Where a page begins, and how long it is.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Place(u32, u32);

impl Search for OpenCrvs {
    fn search(query: SearchQuery) -> Result<Answer<Page>, Failure> {
        let settings = Settings::load()?;
        if let Some(key) = query.sort.first() {
            return Err(Failure::unsupported("sort").field(&key.field));
        }
        let place = place(&query, &settings)?;
        let sought = by_criteria(&query.criteria, &settings)?;
        // A page from the index: to read each record as a whole would note each in OpenCRVS as read.
        let slice = Slice {
            count: place.1,
            skip: place.0,
            whole: false,
        };
        let found = ask(&sought.plan, slice, &settings)?;
        let people = found.records.iter().filter_map(subject);
        let people: Vec<Person> = people
            .filter(|person| !sought.is_wider || holds(person, &query.criteria))
            .collect();
        let next = place.0.checked_add(place.1).filter(|_| found.more);
        let next = next.map(|skip| Opaque::pack(PAGE_TOKEN, &Place(skip, place.1)));
        Ok(Page {
            // Of what is left out here OpenCRVS does not tell how much there is.
            total: found.total.filter(|_| !sought.is_wider),
            next: next.transpose()?,
            ..Page::of(people)
        }
        .into())
    }
}

fn place(query: &SearchQuery, settings: &Settings) -> Result<Place, Failure> {
    let most = settings.max_page_size.max(1);
    let place = match &query.page {
        None => Place(0, query.page_size.clamp(1, most)),
        Some(token) => token.unpack(PAGE_TOKEN)?,
    };
    if place.1 == 0 || place.1 > most {
        return Err(Failure::rejected("state.unreadable").field("page"));
    }
    Ok(place)
}
