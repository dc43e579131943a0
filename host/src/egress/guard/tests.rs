//! The guard as a whole. Time stands still but for what waits for it.

use std::time::SystemTime;

use super::*;
use crate::config::traffic::BreakerConfig;
use crate::egress::exchange::Sent;

const SECOND: Duration = Duration::from_secs(1);

fn guard(change: impl FnOnce(&mut TrafficConfig)) -> Arc<Guard> {
    let mut config = TrafficConfig::default();
    change(&mut config);
    assert_eq!(config.check(), Ok(()));
    Arc::new(Guard::new(
        "crvs/search".into(),
        &config,
        None,
        &Arc::default(),
    ))
}

/// A breaker that the first failure turns.
fn touchy(config: &mut TrafficConfig) {
    config.breaker = BreakerConfig {
        consecutive_failures: 1,
        rest_ms: 1_000,
        ..BreakerConfig::default()
    };
}

async fn enter(guard: &Arc<Guard>) -> Result<Pass, SendError> {
    guard.enter(Instant::now() + 20 * SECOND).await
}

fn answer(status: u16, headers: &[(&str, &str)]) -> Result<Response, SendError> {
    let headers = headers.iter();
    Ok(Response {
        status,
        headers: headers
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect(),
        body: Default::default(),
        spent: Default::default(),
    })
}

/// What was refused, and for how long.
fn refusal(result: Result<Pass, SendError>) -> (String, u32) {
    let error = result.err().expect("a refusal");
    assert_eq!(
        (error.sent, error.kind),
        (Sent::NotSent, ProblemKind::Resting)
    );
    (
        error.message,
        error.retry_after_ms.expect("when to come again"),
    )
}

fn refused(guard: &Guard, why: Refusal) -> u64 {
    let found = guard.refusals().find(|(one, _)| *one == why);
    found.expect("all are counted").1
}

#[tokio::test(start_paused = true)]
async fn without_a_configuration_everything_passes() {
    let guard = guard(|_| {});
    let passes: Vec<_> = futures_util::future::join_all((0..1_000).map(|_| enter(&guard))).await;
    assert!(passes.iter().all(Result::is_ok));
    assert!(!guard.resting());
}

#[tokio::test(start_paused = true)]
async fn one_too_many_at_the_same_time_waits_a_bounded_time() {
    let guard = guard(|config| {
        config.max_in_flight = Some(2);
        config.max_wait_ms = 500;
    });
    let began = Instant::now();
    let first = enter(&guard).await.expect("the first");
    let _second = enter(&guard).await.expect("the second");
    let (message, again) = refusal(enter(&guard).await);
    assert_eq!(message, "the endpoint has as many requests as it takes");
    assert_eq!(
        (again, (Instant::now() - began).as_millis() / 10),
        (1_000, 50)
    );
    // Nor longer than half of the time that the request has: the rest is for the answer.
    let soon = Instant::now() + SECOND / 5;
    refusal(guard.enter(soon).await);
    assert!(Instant::now() < soon - SECOND / 5 + SECOND / 8);
    assert_eq!(refused(&guard, Refusal::InFlight), 2);

    let waiting = tokio::spawn({
        let guard = guard.clone();
        async move { enter(&guard).await.is_ok() }
    });
    tokio::time::sleep(SECOND / 5).await;
    first.settle(&answer(200, &[]));
    assert!(waiting.await.expect("ends"));
}

#[tokio::test(start_paused = true)]
async fn one_too_many_per_second_waits_a_bounded_time() {
    let guard = guard(|config| {
        config.requests_per_second = Some(2.0);
        config.max_wait_ms = 600;
    });
    let began = Instant::now();
    let passes = futures_util::future::join_all((0..4).map(|_| enter(&guard))).await;
    let (passed, others): (Vec<_>, Vec<_>) = passes.into_iter().partition(Result::is_ok);
    assert_eq!((passed.len(), others.len()), (2, 2));
    for other in others {
        let (message, again) = refusal(other);
        assert!(message.contains("per second"), "{message}");
        assert!((1..=1_000).contains(&again), "{again}");
    }
    assert!((500..510).contains(&(Instant::now() - began).as_millis()));
    assert_eq!(refused(&guard, Refusal::Rate), 2);
}

#[tokio::test]
async fn closed_comes_before_everything() {
    // A day that is neither yesterday, today nor tomorrow, anywhere.
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).weekday();
    let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let at = (usize::try_from(today.to_monday_zero_offset()).expect("a day") + 3) % 7;
    let hours = format!(
        "zone = 'Asia/Kathmandu'\nwindows = ['{} 09:00-17:00']",
        day[at]
    );
    let guard = guard(|config| {
        config.opening_hours = Some(toml::from_str(&hours).expect("hours"));
        config.max_in_flight = Some(1);
        touchy(config);
    });
    guard.breaker.rest(SECOND, Instant::now());
    let (message, again) = refusal(enter(&guard).await);
    assert_eq!(message, "the endpoint is outside its opening hours");
    let days = f64::from(again) / 86_400_000.0;
    assert!((1.0..4.5).contains(&days), "{days}");
    assert_eq!(refused(&guard, Refusal::Closed), 1);
    assert_eq!(refused(&guard, Refusal::Asked), 0);
}

#[tokio::test(start_paused = true)]
async fn what_counts_as_a_failure() {
    let sent = |kind| Err(SendError::sent(kind, ""));
    let not_sent = |kind| Err(SendError::not_sent(kind, ""));
    for (result, fails) in [
        (answer(200, &[]), false),
        (answer(404, &[]), false),
        (answer(429, &[]), false),
        (answer(500, &[]), false),
        (answer(501, &[]), false),
        (answer(502, &[]), true),
        (answer(503, &[]), true),
        (answer(504, &[]), true),
        (not_sent(ProblemKind::Dns), true),
        (not_sent(ProblemKind::Connect), true),
        (not_sent(ProblemKind::Tls), true),
        (not_sent(ProblemKind::TimedOut), true),
        (sent(ProblemKind::TimedOut), true),
        (sent(ProblemKind::Interrupted), true),
        (sent(ProblemKind::Tls), true),
        (sent(ProblemKind::Unreadable), false),
        (sent(ProblemKind::TooLarge), false),
        (sent(ProblemKind::RedirectRefused), false),
        (sent(ProblemKind::LimitReached), false),
        (not_sent(ProblemKind::LimitReached), false),
        (not_sent(ProblemKind::Credential), false),
        (not_sent(ProblemKind::AddressRefused), false),
        (not_sent(ProblemKind::RequestRefused), false),
    ] {
        let guard = guard(touchy);
        enter(&guard).await.expect("the first").settle(&result);
        assert_eq!(guard.resting(), fails, "{result:?}");
        let next = enter(&guard).await;
        if fails {
            let (message, again) = refusal(next);
            assert_eq!(
                (&*message, again),
                ("the endpoint rests after failures", 1_000)
            );
            assert_eq!(refused(&guard, Refusal::Failing), 1);
        } else {
            next.expect("open");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_never_went_out_is_no_trial_either() {
    let guard = guard(touchy);
    let dead = answer(503, &[]);
    enter(&guard).await.expect("open").settle(&dead);
    tokio::time::sleep(SECOND).await;
    let no_token = Err(SendError::not_sent(ProblemKind::Credential, ""));
    enter(&guard).await.expect("a trial").settle(&no_token);
    enter(&guard)
        .await
        .expect("another trial")
        .settle(&answer(200, &[]));
    assert!(!guard.resting());
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_asks_for_it_is_left_alone() {
    let in_five = httpdate::fmt_http_date(SystemTime::now() + 5 * SECOND);
    let past = httpdate::fmt_http_date(SystemTime::now() - 5 * SECOND);
    for (status, value, most, rests) in [
        (503, "7", 60_000, 7_000..=7_000),
        (429, " 7 ", 60_000, 7_000..=7_000),
        (503, &*in_five, 60_000, 3_000..=5_000),
        (503, &*past, 60_000, 0..=0),
        (503, "86400", 60_000, 60_000..=60_000),
        (503, "99999999999999999999999", 60_000, 0..=0),
        (503, "18446744073709551615", 60_000, 60_000..=60_000),
        (503, "soon", 60_000, 0..=0),
        (503, "-1", 60_000, 0..=0),
        (503, "7", 0, 0..=0),
        (200, "7", 60_000, 0..=0),
        (404, "7", 60_000, 0..=0),
    ] {
        let guard = guard(|config| {
            config.max_retry_after_ms = most;
            config.breaker.consecutive_failures = 0;
        });
        let asks = answer(status, &[("date", "7"), ("retry-after", value)]);
        enter(&guard).await.expect("open").settle(&asks);
        let rest = match enter(&guard).await {
            Ok(_) => 0,
            refused => {
                let (message, again) = refusal(refused);
                assert!(message.contains("Retry-After"), "{message}");
                again
            }
        };
        assert!(rests.contains(&rest), "{status} {value}: {rest}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waited_does_not_go_to_an_endpoint_that_rests_by_then() {
    let guard = guard(|config| {
        config.max_in_flight = Some(1);
        touchy(config);
    });
    let first = enter(&guard).await.expect("the first");
    let waiting: Vec<_> = (0..5)
        .map(|_| {
            let guard = guard.clone();
            tokio::spawn(async move { enter(&guard).await.map(drop) })
        })
        .collect();
    tokio::time::sleep(SECOND / 10).await;
    first.settle(&answer(503, &[]));
    for task in waiting {
        let error = task.await.expect("ends").expect_err("it rests");
        assert_eq!(error.kind, ProblemKind::Resting);
    }
    assert_eq!(refused(&guard, Refusal::Failing), 5);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_waits_for_any_more_tells_nothing_until_its_time_is_up() {
    for (waited, fails) in [(SECOND / 2, false), (SECOND, true), (2 * SECOND, true)] {
        let guard = guard(touchy);
        let pass = guard.enter(Instant::now() + SECOND).await.expect("open");
        tokio::time::sleep(waited).await;
        drop(pass);
        assert_eq!(guard.resting(), fails, "{waited:?}");
    }
    // One whose time is up while it waits for its turn says nothing of the registry.
    let guard = guard(|config| {
        config.max_in_flight = Some(1);
        touchy(config);
    });
    let _first = enter(&guard).await.expect("open");
    refusal(guard.enter(Instant::now() + SECOND).await);
    assert!(!guard.resting());
}

#[test]
fn each_refusal_has_a_word_of_its_own() {
    let mut words = Refusal::ALL.map(Refusal::word).to_vec();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Refusal::ALL.len());
}
