//! Time stands still but for what waits for it: all figures are exact, to tokio's millisecond.

use std::sync::Arc;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn ms(instant: Instant, since: Instant) -> u128 {
    (instant - since).as_millis()
}

/// When each of so many that come at once has its turn, or what it is told, and when.
async fn all_at_once(
    rate: &Arc<Rate>,
    requests: u32,
    max_wait: Duration,
) -> Vec<Result<u128, (Duration, u128)>> {
    let began = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..requests {
        let rate = rate.clone();
        tasks.push(tokio::spawn(async move {
            let turn = rate.turn(began + max_wait).await;
            let at = ms(Instant::now(), began);
            turn.map(|()| at).map_err(|wait| (wait, at))
        }));
        // In the order of the requests.
        tokio::task::yield_now().await;
    }
    let mut turns = Vec::new();
    for task in tasks {
        turns.push(task.await.expect("ends"));
    }
    turns
}

#[tokio::test(start_paused = true)]
async fn requests_are_evenly_spaced_in_the_order_that_they_come() {
    let rate = Arc::new(Rate::new(10.0, 1, Arc::default()));
    let turns = all_at_once(&rate, 5, SECOND).await;
    let turns: Vec<u128> = turns
        .into_iter()
        .map(|turn| turn.expect("in time"))
        .collect();
    for (turn, earliest) in turns.iter().zip([0, 100, 200, 300, 400]) {
        assert!((earliest..earliest + 10).contains(turn), "{turns:?}");
    }
    assert_eq!(rate.waiting.load(Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_burst_goes_at_once_and_comes_again_after_a_pause() {
    let rate = Arc::new(Rate::new(10.0, 4, Arc::default()));
    for _ in 0..2 {
        let turns = all_at_once(&rate, 5, SECOND).await;
        let turns: Vec<u128> = turns
            .into_iter()
            .map(|turn| turn.expect("in time"))
            .collect();
        assert_eq!(turns[..4], [0, 0, 0, 0]);
        assert!((100..110).contains(&turns[4]), "{turns:?}");
        sleep(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn in_no_second_are_there_more_than_the_rate_and_its_burst() {
    let rate = Arc::new(Rate::new(20.0, 5, Arc::default()));
    let turns = all_at_once(&rate, 100, 10 * SECOND).await;
    let turns: Vec<u128> = turns
        .into_iter()
        .map(|turn| turn.expect("in time"))
        .collect();
    for from in &turns {
        let within = turns
            .iter()
            .filter(|at| (*from..from + 1_000).contains(at))
            .count();
        assert!(within <= 25, "{within} from {from}");
    }
    let last = *turns.last().expect("a turn");
    assert!(
        (4_700..4_900).contains(&last),
        "not slower than agreed either: {last}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_too_long_is_told_at_once_for_how_long() {
    let rate = Arc::new(Rate::new(10.0, 1, Arc::default()));
    let turns = all_at_once(&rate, 30, 250 * SECOND / 1_000).await;
    let (in_time, refused): (Vec<_>, Vec<_>) = turns.into_iter().partition(Result::is_ok);
    assert_eq!(in_time.len(), 3);
    let told: Vec<(Duration, u128)> = refused.into_iter().filter_map(Result::err).collect();
    assert_eq!(told.len(), 27);
    // The first of them might have been lucky; the others know by the length of the line.
    for (wait, at) in &told[1..] {
        assert!(*at == 0 && *wait > SECOND / 4, "{wait:?} at {at}");
    }
    assert!(told[0].1 <= 260, "{told:?}");

    // Told, not waited for.
    let slow = Rate::new(1.0 / 60.0, 1, Arc::default());
    let began = Instant::now();
    slow.turn(began).await.expect("the first");
    let wait = slow.turn(began + SECOND).await.expect_err("a minute");
    assert!(wait > 59 * SECOND, "{wait:?}");
    assert_eq!(Instant::now(), began);
}

#[tokio::test(start_paused = true)]
async fn who_comes_later_does_not_go_first() {
    let rate = Arc::new(Rate::new(3.0, 1, Arc::default()));
    let by = Instant::now() + SECOND;
    rate.turn(by).await.expect("the first");
    let waiting = rate.clone();
    let second = tokio::spawn(async move { waiting.turn(by).await });
    tokio::task::yield_now().await;
    // There is a turn after 333.3 ms, and the one who waits for it wakes at 334.
    tokio::time::advance(Duration::from_micros(333_500)).await;
    rate.turn(Instant::now() + SECOND / 10)
        .await
        .expect_err("the second one's");
    second.await.expect("ends").expect("its turn");
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_takes_nobodys_turn() {
    let rate = Arc::new(Rate::new(1.0, 1, Arc::default()));
    let began = Instant::now();
    let by = began + 10 * SECOND;
    rate.turn(by).await.expect("the first");
    let waiting = rate.clone();
    let gives_up = tokio::spawn(async move { waiting.turn(by).await });
    sleep(SECOND / 2).await;
    gives_up.abort();
    let _ = gives_up.await;
    assert_eq!(rate.waiting.load(Relaxed), 0);
    rate.turn(by).await.expect("the next");
    assert!((1_000..1_010).contains(&ms(Instant::now(), began)));
}

#[tokio::test(start_paused = true)]
async fn the_rates_that_a_configuration_may_have_can_be_kept() {
    for (per_second, wait) in [
        (1.0 / 86_400.0, 86_400.0),
        (0.5, 2.0),
        (1_000_000.0, 0.000_001),
    ] {
        let rate = Rate::new(per_second, 1, Arc::default());
        let every = rate.shared().expect("a share").every;
        let off = (every.as_secs_f64() - wait).abs();
        assert!(off <= wait / 1_000.0, "{per_second}: {every:?}");
    }
}

/// Three gateways that share a rate have it together, and whoever is alone has all of it.
#[tokio::test(start_paused = true)]
async fn gateways_share_a_rate() {
    let until = Instant::now() + 600 * SECOND;
    let shares: Vec<Arc<Share>> = (0..3).map(|_| Arc::default()).collect();
    let rates: Vec<Rate> = shares
        .iter()
        .map(|share| Rate::new(30.0, 3, Arc::clone(share)))
        .collect();
    shares.iter().for_each(|share| share.set(WHOLE / 3, until));
    let count = async |rates: &[Rate], seconds: u32| {
        let by = Instant::now() + seconds * SECOND;
        let all = rates.iter().map(async |rate| {
            let mut through = 0;
            while rate.turn(by).await.is_ok() {
                through += 1;
            }
            through
        });
        let through: u32 = futures_util::future::join_all(all).await.into_iter().sum();
        tokio::time::sleep_until(by).await;
        through
    };
    let through = count(&rates, 4).await;
    assert!((117..=123).contains(&through), "{through}");
    // One is gone. Its part is the others', once they have it, without a burst.
    shares[0].set(0, until);
    shares[1..]
        .iter()
        .for_each(|share| share.set(WHOLE / 2, until));
    let through = count(&rates[1..], 4).await;
    assert!((115..=120).contains(&through), "{through}");
    assert_eq!(count(&rates[..1], 1).await, 0);
}

/// Whoever the others do not see any more stops by itself.
#[tokio::test(start_paused = true)]
async fn a_share_ends_by_itself_and_who_waits_for_one_has_it_at_once() {
    let share: Arc<Share> = Arc::default();
    let rate = Rate::new(10.0, 1, Arc::clone(&share));
    share.set(WHOLE, Instant::now() + SECOND);
    rate.turn(Instant::now()).await.expect("its share");
    tokio::time::sleep(SECOND).await;
    let wait = rate.turn(Instant::now() + SECOND).await.expect_err("none");
    assert_eq!(wait, NO_SHARE_AGAIN);
    let soon = async {
        tokio::time::sleep(SECOND).await;
        share.set(WHOLE / 2, Instant::now() + 600 * SECOND);
    };
    let began = Instant::now();
    let (turn, ()) = tokio::join!(rate.turn(began + 5 * SECOND), soon);
    turn.expect("a share came");
    // A changed share begins without a burst: half of ten a second.
    assert!((1_200..1_300).contains(&ms(Instant::now(), began)));
}
