use super::Verdict::{Answered, Failed, Unknown};
use super::*;

const REST: Duration = Duration::from_millis(1_000);

fn breaker(consecutive_failures: u32, failure_percent: u32, window_requests: u32) -> Breaker {
    Breaker::new(BreakerConfig {
        consecutive_failures,
        failure_percent,
        window_requests,
        rest_ms: 1_000,
    })
}

/// One request from begin to end.
fn one(breaker: &Breaker, verdict: Verdict, now: Instant) -> bool {
    let ticket = breaker.enter(now).expect("open");
    breaker.learn(&ticket, verdict, now)
}

fn left(result: Result<Ticket, Rest>) -> Option<(Duration, bool)> {
    result.err().map(|rest| (rest.left, rest.asked))
}

#[test]
fn failures_in_a_row_let_it_rest() {
    let now = Instant::now();
    let breaker = breaker(3, 0, 1);
    // An answer in between begins the row anew; what never went out does not.
    for verdict in [Failed, Failed, Answered, Failed, Unknown, Failed] {
        assert!(!one(&breaker, verdict, now));
    }
    assert!(!breaker.resting(now));
    assert!(one(&breaker, Failed, now));
    assert_eq!(left(breaker.enter(now)), Some((REST, false)));
    let later = now + REST / 4;
    assert_eq!(left(breaker.enter(later)), Some((REST * 3 / 4, false)));
    assert!(breaker.resting(later));
}

#[test]
fn a_share_of_failures_lets_it_rest() {
    let now = Instant::now();
    let breaker = breaker(0, 50, 4);
    // Not before there are as many as the share is of, and not by an answer.
    for verdict in [Failed, Failed, Failed, Answered] {
        assert!(!one(&breaker, verdict, now));
    }
    assert!(
        !one(&breaker, Answered, now),
        "three of five, two of the last four"
    );
    assert!(!one(&breaker, Answered, now));
    assert!(!one(&breaker, Failed, now), "one of the last four");
    assert!(one(&breaker, Failed, now), "two of the last four");
    assert!(breaker.resting(now));
}

#[test]
fn switched_off_it_never_rests() {
    let now = Instant::now();
    let breaker = breaker(0, 0, 1);
    for _ in 0..1_000 {
        assert!(!one(&breaker, Failed, now));
    }
    // Not even by the one that tries it after a rest that the registry asked for.
    breaker.rest(REST, now);
    let now = now + REST;
    one(&breaker, Failed, now);
    assert!(!breaker.resting(now));
}

#[test]
fn after_a_rest_one_request_tries_it_alone() {
    let now = Instant::now();
    let breaker = breaker(1, 0, 1);
    one(&breaker, Failed, now);
    let now = now + REST;
    assert!(!breaker.resting(now));
    let trial = breaker.enter(now).expect("the trial");
    assert!(breaker.resting(now));
    for _ in 0..3 {
        assert_eq!(left(breaker.enter(now)), Some((TRIAL_AGAIN, false)));
    }
    assert!(breaker.learn(&trial, Answered, now));
    let several: Vec<_> = (0..3).map(|_| breaker.enter(now).expect("open")).collect();
    assert_eq!(several.len(), 3);
}

#[test]
fn a_trial_that_fails_begins_the_rest_anew() {
    let now = Instant::now();
    let breaker = breaker(5, 0, 1);
    for _ in 0..5 {
        one(&breaker, Failed, now);
    }
    for round in 1..=3 {
        let now = now + REST * round;
        assert!(one(&breaker, Failed, now), "one failure is enough here");
        assert_eq!(left(breaker.enter(now)), Some((REST, false)));
    }
    let now = now + REST * 4;
    one(&breaker, Answered, now);
    for _ in 0..4 {
        assert!(!one(&breaker, Failed, now), "the row begins anew too");
    }
}

#[test]
fn a_trial_without_an_end_leaves_the_next_one_to_try() {
    let now = Instant::now();
    let breaker = breaker(1, 0, 1);
    one(&breaker, Failed, now);
    let now = now + REST;
    one(&breaker, Unknown, now);
    let trial = breaker.enter(now).expect("the next trial");
    assert_eq!(left(breaker.enter(now)), Some((TRIAL_AGAIN, false)));
    breaker.learn(&trial, Answered, now);
    assert!(!breaker.resting(now));
}

#[test]
fn what_began_before_the_rest_says_nothing_of_the_time_after() {
    let now = Instant::now();
    let breaker = breaker(1, 0, 1);
    let early: Vec<_> = (0..4).map(|_| breaker.enter(now).expect("open")).collect();
    assert!(breaker.learn(&early[0], Failed, now));
    let half = now + REST / 2;
    assert!(!breaker.learn(&early[1], Failed, half));
    assert_eq!(
        left(breaker.enter(half)),
        Some((REST / 2, false)),
        "not longer"
    );
    assert!(!breaker.learn(&early[2], Answered, half));
    assert!(breaker.resting(half), "not shorter");
    let now = now + REST;
    let trial = breaker.enter(now).expect("the trial");
    assert!(!breaker.learn(&early[3], Answered, now));
    assert!(breaker.resting(now), "only the trial decides");
    breaker.learn(&trial, Answered, now);
    assert!(!breaker.resting(now));
}

#[test]
fn it_rests_as_long_as_the_registry_asks() {
    let now = Instant::now();
    let breaker = breaker(1, 0, 1);
    breaker.rest(REST * 3, now);
    assert_eq!(left(breaker.enter(now)), Some((REST * 3, true)));
    // A shorter wish, and a failure, do not shorten it.
    breaker.rest(REST, now);
    assert_eq!(left(breaker.enter(now)), Some((REST * 3, true)));
    breaker.rest(REST * 4, now);
    assert_eq!(left(breaker.enter(now)), Some((REST * 4, true)));
    let now = now + REST * 4;
    let trial = breaker.enter(now).expect("the trial");
    assert_eq!(left(breaker.enter(now)), Some((TRIAL_AGAIN, true)));
    // The trial's own answer asks again.
    breaker.rest(REST, now);
    assert!(!breaker.learn(&trial, Answered, now));
    assert_eq!(left(breaker.enter(now)), Some((REST, true)));
}

#[test]
fn one_that_waited_looks_again() {
    let now = Instant::now();
    let breaker = breaker(1, 0, 1);
    let mut waits = [breaker.enter(now), breaker.enter(now), breaker.enter(now)]
        .map(|ticket| ticket.expect("open"));
    assert_eq!(breaker.still(&mut waits[0], now), Ok(()));
    breaker.learn(&waits[1], Failed, now);
    let rest = breaker.still(&mut waits[0], now).expect_err("it rests");
    assert_eq!(rest.left, REST);
    let now = now + REST;
    assert!(
        breaker.still(&mut waits[0], now).is_err(),
        "its turn to try is not now"
    );
    let mut trial = breaker.enter(now).expect("the trial");
    assert!(breaker.still(&mut waits[0], now).is_err());
    assert_eq!(breaker.still(&mut trial, now), Ok(()));
    breaker.learn(&trial, Answered, now);
    assert_eq!(breaker.still(&mut waits[0], now), Ok(()));
    assert!(
        breaker.learn(&waits[0], Failed, now),
        "it counts for the time that it goes out in"
    );
}

/// All sequences of seven events, with what must hold in each.
#[test]
fn whatever_happens() {
    const EVENTS: usize = 6;
    const LENGTH: u32 = 7;
    for number in 0..EVENTS.pow(LENGTH) {
        let breaker = breaker(2, 0, 1);
        let mut now = Instant::now();
        let mut out: Vec<(Ticket, u32)> = Vec::new();
        let (mut quiet_until, mut spoiled, mut rests) = (now, false, 0_u32);
        // The rest after which the trial under way was admitted.
        let mut trial_of = None;
        let mut sequence = number;
        for _ in 0..LENGTH {
            let event = sequence % EVENTS;
            sequence /= EVENTS;
            match event {
                0 => match breaker.enter(now) {
                    Ok(ticket) => {
                        assert!(now >= quiet_until, "{number}: the registry's wish");
                        let trying = out.iter().any(|(_, of)| Some(*of) == trial_of);
                        assert!(!trying, "{number}: two at once after a rest");
                        if breaker.resting(now) {
                            trial_of = Some(rests);
                        }
                        out.push((ticket, rests));
                    }
                    Err(_) => assert!(spoiled, "{number}: refused without a reason"),
                },
                1..=3 if !out.is_empty() => {
                    let (ticket, of) = out.remove(0);
                    let verdict = [Answered, Failed, Unknown][event - 1];
                    spoiled |= verdict == Failed;
                    if breaker.learn(&ticket, verdict, now) {
                        rests += 1;
                    }
                    if Some(of) == trial_of {
                        trial_of = None;
                    }
                }
                4 => {
                    breaker.rest(REST / 2, now);
                    (spoiled, trial_of) = (true, None);
                    rests += 1;
                    quiet_until = quiet_until.max(now + REST / 2);
                }
                _ => now += REST / 4,
            }
        }
        // It never stays shut.
        for (ticket, _) in out {
            breaker.learn(&ticket, Unknown, now);
        }
        assert!(breaker.enter(now + REST).is_ok(), "{number}: shut for good");
    }
}
