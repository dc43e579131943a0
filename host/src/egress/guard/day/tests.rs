//! A day's requests, on a count that the test holds. Time stands still but for what waits for it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::time::{advance, sleep};

use super::*;
use crate::egress::cluster::Granted;

const LIMIT: u64 = 10;
const LONG: Duration = Duration::from_secs(5);

/// Hands out `batch` at a time.
struct Book {
    batch: u64,
    /// The day, from its number, and when it ends.
    today: Mutex<(i16, Instant)>,
    taken: Mutex<BTreeMap<Date, u64>>,
    asked: Mutex<u32>,
    silent: Mutex<bool>,
}

impl Book {
    fn new(batch: u64) -> Arc<Self> {
        Arc::new(Self {
            batch,
            today: Mutex::new((1, Instant::now() + Duration::from_secs(3_600))),
            taken: Mutex::default(),
            asked: Mutex::default(),
            silent: Mutex::new(false),
        })
    }

    fn taken(&self, day: i8) -> u64 {
        let day = Date::new(2026, 1, day).unwrap();
        *self.taken.lock().unwrap().get(&day).unwrap_or(&0)
    }
}

#[async_trait]
impl Ledger for Book {
    async fn take(&self, name: &str, _: &TimeZone, limit: u64) -> Option<Granted> {
        assert_eq!(name, "endpoint crvs/search");
        *self.asked.lock().unwrap() += 1;
        sleep(Duration::from_millis(1)).await;
        if *self.silent.lock().unwrap() {
            return None;
        }
        let (number, ends) = *self.today.lock().unwrap();
        let day = Date::new(2026, 1, i8::try_from(number).unwrap()).unwrap();
        let mut taken = self.taken.lock().unwrap();
        let taken = taken.entry(day).or_default();
        let count = self.batch.min(limit.saturating_sub(*taken));
        *taken += count;
        Some(Granted {
            count,
            day,
            for_: ends - Instant::now(),
        })
    }

    async fn give_back(&self, _: &str, day: Date, count: u64) {
        *self.taken.lock().unwrap().get_mut(&day).unwrap() -= count;
    }
}

fn day(book: &Arc<Book>) -> Arc<Day> {
    let zone = TimeZone::get("Asia/Kathmandu").unwrap();
    let ledger: Arc<dyn Ledger> = book.clone();
    Day::new("endpoint crvs/search".into(), LIMIT, zone, Some(ledger))
}

async fn take(day: &Arc<Day>) -> Result<Counted, NoneLeft> {
    day.take(Instant::now() + LONG).await
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_day_has_however_many_ask() {
    let book = Book::new(3);
    let (one, other) = (day(&book), day(&book));
    let all = (0..40).map(|at| take(if at % 2 == 0 { &one } else { &other }));
    let mut through = 0;
    for result in join_all(all).await {
        match result {
            Ok(counted) => {
                counted.used();
                through += 1;
            }
            Err(NoneLeft::Today(wait)) => assert!(wait.as_secs() >= 3_599, "{wait:?}"),
            Err(unknown) => panic!("{unknown:?}"),
        }
    }
    assert_eq!((through, book.taken(1)), (LIMIT, LIMIT));
    // Who is refused does not ask the count each time.
    let asked = *book.asked.lock().unwrap();
    for _ in 0..10 {
        assert!(take(&one).await.is_err());
    }
    assert_eq!(*book.asked.lock().unwrap(), asked);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_used_comes_back() {
    let book = Book::new(5);
    let (one, other) = (day(&book), day(&book));
    // Dropped before it began: the next has it.
    drop(take(&one).await.unwrap());
    for _ in 0..2 {
        take(&one).await.unwrap().used();
    }
    assert_eq!(book.taken(1), 5);
    one.give_back(Duration::from_secs(1)).await;
    assert_eq!(book.taken(1), 5, "it was used just now");
    advance(Duration::from_secs(2)).await;
    one.give_back(Duration::from_secs(1)).await;
    assert_eq!(book.taken(1), 2);
    for _ in 0..8 {
        take(&other).await.unwrap().used();
    }
    assert!(matches!(take(&other).await, Err(NoneLeft::Today(_))));
    assert_eq!(book.taken(1), LIMIT);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_gone_gives_back_what_it_held() {
    let book = Book::new(5);
    let one = day(&book);
    take(&one).await.unwrap().used();
    drop(one);
    sleep(Duration::from_millis(5)).await;
    assert_eq!(book.taken(1), 1);
}

#[tokio::test(start_paused = true)]
async fn what_another_gave_back_is_found_soon() {
    let book = Book::new(LIMIT);
    let (one, other) = (day(&book), day(&book));
    take(&one).await.unwrap().used();
    assert!(matches!(take(&other).await, Err(NoneLeft::Today(_))));
    one.give_back(Duration::ZERO).await;
    assert!(
        take(&other).await.is_err(),
        "it was just told that there are none"
    );
    advance(ASK_AGAIN).await;
    take(&other).await.unwrap().used();
}

#[tokio::test(start_paused = true)]
async fn a_new_day_begins_anew_and_yesterday_s_are_not_used() {
    let book = Book::new(5);
    let one = day(&book);
    let yesterday = take(&one).await.unwrap();
    advance(Duration::from_secs(3_600)).await;
    *book.today.lock().unwrap() = (2, Instant::now() + Duration::from_secs(86_400));
    take(&one).await.unwrap().used();
    assert_eq!((book.taken(1), book.taken(2)), (5, 5));
    // Of yesterday: it is none of today's.
    drop(yesterday);
    for _ in 0..9 {
        take(&one).await.unwrap().used();
    }
    assert!(take(&one).await.is_err());
    assert_eq!(book.taken(2), LIMIT);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_counted_is_not_sent() {
    let book = Book::new(5);
    *book.silent.lock().unwrap() = true;
    let one = day(&book);
    let unknown = NoneLeft::Unknown(UNKNOWN_AGAIN);
    assert_eq!(take(&one).await.err(), Some(unknown));
    *book.silent.lock().unwrap() = false;
    take(&one).await.unwrap().used();
    let alone = Day::new("endpoint crvs/search".into(), LIMIT, one.zone.clone(), None);
    assert!(matches!(take(&alone).await, Err(NoneLeft::Unknown(_))));
}

/// Who does not wait for the count's answer loses nothing of it.
#[tokio::test(start_paused = true)]
async fn whoever_hangs_up_loses_nothing() {
    let book = Book::new(5);
    let one = day(&book);
    assert!(one.take(Instant::now()).await.is_err());
    sleep(Duration::from_millis(5)).await;
    assert_eq!(book.taken(1), 5);
    for _ in 0..5 {
        take(&one).await.unwrap().used();
    }
    assert_eq!(*book.asked.lock().unwrap(), 1);
}
