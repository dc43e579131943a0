//! People by what is known of them.

use adapter_sdk::model::{Opaque, Page, SearchQuery};
use adapter_sdk::{Answer, Failure, PendingAnswer, Search, settings};

use crate::exchange::{Question, later};
use crate::mapping;
use crate::query;
use crate::reasons::Asked;
use crate::settings::Settings;
use crate::wire::answer::Found;
use crate::wire::record::Record;
use crate::wire::request::Pagination;
use crate::{PAGE_TOKEN, Spdci};

impl Search for Spdci {
    fn search(query: SearchQuery) -> Result<Answer<Page>, Failure> {
        let settings: Settings = settings::load()?;
        let pagination = pagination(&query, &settings)?;
        let question = Question {
            query: query::by_criteria(&query.criteria, &settings)?,
            record_type: settings.search_record_type(),
            response_entity: None,
            sort: query::sort(&query.sort, &settings)?,
            pagination,
            asked: match query.page {
                None => Asked::Criteria,
                Some(_) => Asked::NextPage,
            },
        };
        let heard = later::begin(question, pagination, &settings)?;
        heard.then(|found, pagination| page(&found, pagination, &settings))
    }

    fn resume(state: Opaque, answer: Option<PendingAnswer>) -> Result<Answer<Page>, Failure> {
        let settings: Settings = settings::load()?;
        let heard = later::go_on::<Pagination>(&state, answer, &settings)?;
        heard.then(|found, pagination| page(&found, pagination, &settings))
    }
}

/// The people whom an answer is about.
fn page(found: &Found, pagination: Pagination, settings: &Settings) -> Result<Page, Failure> {
    let mut people = Vec::new();
    for value in &found.records {
        let record = Record::new(value).ok_or_else(|| Failure::unreadable("answer.record"))?;
        // Not all members of a group that was found are whom the search is for.
        if mapping::is_group(&record) {
            return Err(Failure::unreadable("answer.record_type"));
        }
        people.push(mapping::person(&record, settings));
    }
    Ok(Page {
        total: found.total,
        next: next(pagination, found.records.len(), found.total)?,
        ..Page::of(people)
    })
}

/// The first page, or the one that a token stands for: `[page_number, page_size]`.
fn pagination(query: &SearchQuery, settings: &Settings) -> Result<Pagination, Failure> {
    let (page_number, page_size) = match &query.page {
        None => (1, query.page_size.clamp(1, settings.max_page_size.max(1))),
        Some(token) => token.unpack(PAGE_TOKEN)?,
    };
    if page_number == 0 || page_size == 0 || page_size > settings.max_page_size {
        return Err(Failure::rejected("state.unreadable").field("page"));
    }
    Ok(Pagination {
        page_size,
        page_number,
    })
}

/// The token of the next page: by the total where the registry tells it, else as long as pages are
/// full.
fn next(page: Pagination, records: usize, total: Option<u64>) -> Result<Option<Opaque>, Failure> {
    let seen = u64::from(page.page_number) * u64::from(page.page_size);
    let full = u64::try_from(records).is_ok_and(|records| records >= u64::from(page.page_size));
    let more = match total {
        Some(total) => records > 0 && seen < total,
        None => full,
    };
    let following = page.page_number.checked_add(1).filter(|_| more);
    following
        .map(|number| Opaque::pack(PAGE_TOKEN, &(number, page.page_size)))
        .transpose()
}
