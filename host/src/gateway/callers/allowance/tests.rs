//! On a count that the test holds. Time stands still but for what waits for it.

use async_trait::async_trait;
use jiff::civil::Date;
use tokio::time::advance;

use super::*;
use crate::egress::DayGrant;
use crate::gateway::NewCaller;

/// Hands out two at a time.
struct Book {
    today: Mutex<(i8, Instant)>,
    taken: Mutex<HashMap<(String, Date), u64>>,
    asked: Mutex<u32>,
    silent: Mutex<bool>,
}

const HOUR: Duration = Duration::from_secs(3_600);

impl Book {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            today: Mutex::new((1, Instant::now() + HOUR)),
            taken: Mutex::default(),
            asked: Mutex::default(),
            silent: Mutex::default(),
        })
    }

    fn tomorrow(&self) {
        let mut today = self.today.lock().unwrap();
        *today = (today.0 + 1, Instant::now() + HOUR);
    }

    fn taken(&self, name: &str) -> u64 {
        let day = Date::new(2026, 1, self.today.lock().unwrap().0).unwrap();
        let taken = self.taken.lock().unwrap();
        taken.get(&(name.to_owned(), day)).copied().unwrap_or(0)
    }
}

#[async_trait]
impl Ledger for Book {
    async fn take(&self, name: &str, zone: &TimeZone, limit: u64) -> Option<DayGrant> {
        assert_eq!(*zone, TimeZone::UTC);
        *self.asked.lock().unwrap() += 1;
        tokio::task::yield_now().await;
        if *self.silent.lock().unwrap() {
            return None;
        }
        let (number, ends) = *self.today.lock().unwrap();
        let day = Date::new(2026, 1, number).unwrap();
        let mut taken = self.taken.lock().unwrap();
        let taken = taken.entry((name.to_owned(), day)).or_default();
        let count = limit.saturating_sub(*taken).min(2);
        *taken += count;
        Some(DayGrant {
            count,
            day,
            for_: ends - Instant::now(),
        })
    }

    async fn give_back(&self, name: &str, day: Date, count: u64) {
        let mut taken = self.taken.lock().unwrap();
        *taken.get_mut(&(name.to_owned(), day)).unwrap() -= count;
    }
}

fn caller(name: &str, limits: Option<CallerLimits>) -> Caller {
    let mut settings = NewCaller::client(name, Vec::new()).settings;
    settings.limits = limits;
    Caller::of(name.to_owned(), settings)
}

fn allowance(config: &CallersConfig, book: &Arc<Book>) -> Allowance {
    Allowance::new(config, book.clone(), Arc::default())
}

fn daily(requests: u32) -> Option<CallerLimits> {
    Some(CallerLimits {
        requests_per_day: Some(requests),
        ..CallerLimits::default()
    })
}

#[tokio::test(start_paused = true)]
async fn a_day_is_counted_by_caller_and_registry_until_it_ends() {
    let book = Book::new();
    let config = CallersConfig {
        requests_per_day: NonZeroU32::new(3),
        ..CallersConfig::default()
    };
    let (here, there) = (allowance(&config, &book), allowance(&config, &book));
    let (one, other) = (caller("one", None), caller("other", None));
    let mut through = 0;
    for at in 0..20 {
        let at = [&here, &there][at % 2];
        match at.take(&one, "civil").await {
            Ok(()) => through += 1,
            Err(GatewayError::QuotaSpent { retry_after_ms }) => {
                assert_eq!(retry_after_ms, 3_600_000);
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((through, book.taken("caller one/civil")), (3, 3));
    here.take(&one, "social").await.unwrap();
    here.take(&other, "civil").await.unwrap();
    // Begun anew: the count is not.
    let again = allowance(&config, &book);
    assert!(again.take(&one, "civil").await.is_err());
    advance(HOUR).await;
    book.tomorrow();
    for allowance in [&here, &again] {
        allowance.take(&one, "civil").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_count_is_asked_for_several_calls_at_once_and_refuses_while_it_is_silent() {
    let book = Book::new();
    let allowance = allowance(&CallersConfig::default(), &book);
    let clinic = caller("clinic", daily(100));
    for _ in 0..10 {
        allowance.take(&clinic, "civil").await.unwrap();
    }
    assert_eq!(*book.asked.lock().unwrap(), 5);
    *book.silent.lock().unwrap() = true;
    let refused = allowance.take(&clinic, "civil").await;
    assert!(
        matches!(
            refused,
            Err(GatewayError::QuotaUnknown {
                retry_after_ms: 1_000
            })
        ),
        "{refused:?}"
    );
    *book.silent.lock().unwrap() = false;
    allowance.take(&clinic, "civil").await.unwrap();
    assert_eq!(book.taken("caller clinic/civil"), 12);
    allowance.give_back(Duration::ZERO).await;
    assert_eq!(book.taken("caller clinic/civil"), 11);
}

#[tokio::test(start_paused = true)]
async fn a_rate_refuses_what_is_too_quick_and_counts_it_for_no_day() {
    let book = Book::new();
    let allowance = allowance(&CallersConfig::default(), &book);
    let limits = CallerLimits {
        requests_per_second: Some(1),
        burst: Some(3),
        requests_per_day: Some(4),
    };
    let quick = caller("quick", Some(limits));
    for _ in 0..3 {
        allowance.take(&quick, "civil").await.unwrap();
    }
    for _ in 0..10 {
        let refused = allowance.take(&quick, "civil").await;
        let Err(GatewayError::RateLimited { retry_after_ms }) = refused else {
            panic!("{refused:?}");
        };
        assert!(retry_after_ms <= 1_000, "{retry_after_ms}");
    }
    // With other limits one call of the day is left.
    let more = CallerLimits {
        requests_per_second: None,
        ..limits
    };
    let quick = caller("quick", Some(more));
    allowance.take(&quick, "civil").await.unwrap();
    assert!(allowance.take(&quick, "civil").await.is_err());
    // And another limit of the day is no second quota.
    let quick = caller("quick", daily(5));
    allowance.take(&quick, "civil").await.unwrap();
    assert!(allowance.take(&quick, "civil").await.is_err());
    assert_eq!(book.taken("caller quick/civil"), 5);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_has_its_share_of_a_rate() {
    let share = Arc::new(Share::whole());
    let config = CallersConfig {
        requests_per_second: NonZeroU32::new(10),
        burst: NonZeroU32::MIN,
        ..CallersConfig::default()
    };
    let allowance = Allowance::new(&config, Book::new(), Arc::clone(&share));
    let clinic = caller("clinic", None);
    let in_ten_seconds = async || {
        let mut through = 0;
        for _ in 0..200 {
            advance(Duration::from_millis(50)).await;
            through += u32::from(allowance.take(&clinic, "civil").await.is_ok());
        }
        through
    };
    assert_eq!(in_ten_seconds().await, 100);
    let later = Instant::now() + HOUR;
    share.set(250_000, later);
    let through = in_ten_seconds().await;
    assert!((24..=26).contains(&through), "{through}");
    share.set(0, later);
    assert_eq!(in_ten_seconds().await, 0);
}

#[tokio::test(start_paused = true)]
async fn who_has_no_limit_is_not_counted_and_the_memory_is_bounded() {
    let book = Book::new();
    let allowance = allowance(&CallersConfig::default(), &book);
    let count = || allowance.pairs.lock().unwrap().count;
    allowance
        .take(&caller("free", None), "civil")
        .await
        .unwrap();
    assert_eq!((count(), *book.asked.lock().unwrap()), (0, 0));
    let limits = CallerLimits {
        requests_per_second: Some(1),
        burst: Some(60),
        ..CallerLimits::default()
    };
    let limited = caller("limited", Some(limits));
    for registry in 0..MOST {
        let name = registry.to_string();
        allowance.take(&limited, &name).await.unwrap();
    }
    let refused = allowance.take(&limited, "one-more").await;
    assert!(matches!(refused, Err(GatewayError::RateLimited { .. })));
    // Nobody's burst is whole sooner because it was forgotten.
    advance(Duration::from_secs(59)).await;
    allowance.give_back(Duration::ZERO).await;
    assert_eq!(count(), MOST);
    advance(Duration::from_secs(62)).await;
    allowance.give_back(Duration::ZERO).await;
    assert_eq!(count(), 0);
    allowance.take(&limited, "one-more").await.unwrap();
}
