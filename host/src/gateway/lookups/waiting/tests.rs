use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;
use crate::config::retry::RetryWhen;
use crate::egress::{Egress, Endpoints};
use crate::model::{Opaque, Unavailability};
use crate::sandbox::Ran;

fn budget(cpu_ms: u64) -> Budget<'static> {
    budget_with(cpu_ms, &RetryConfig::default())
}

fn budget_with(cpu_ms: u64, retry: &RetryConfig) -> Budget<'static> {
    let endpoints = Endpoints::build(
        &Egress::new(),
        "social",
        &BTreeMap::new(),
        &BTreeMap::new(),
        &BTreeMap::new(),
    );
    let lent = Lent::new(
        Arc::default(),
        Arc::default(),
        Arc::new(endpoints.expect("no endpoints")),
    );
    let limits = CallLimits {
        cpu_ms,
        ..CallLimits::default()
    };
    Budget::new(lent, Arc::new(limits), retry)
}

/// A step that used so much, and has no answer.
fn pending(cpu_ms: u64, http_calls: u32) -> Running<()> {
    Box::pin(async move {
        Ran {
            result: Ok(Ok(Answer::Pending(Pending {
                reference: None,
                state: Opaque {
                    schema: 1,
                    data: Vec::new(),
                },
                retry_after_ms: Some(0),
            }))),
            usage: Usage {
                cpu: Duration::from_millis(cpu_ms),
                http_calls,
                ..Usage::default()
            },
        }
    })
}

#[tokio::test]
async fn processor_time_is_one_budget_for_all_steps() {
    let given = Mutex::new(Vec::new());
    let outcome = go_on(
        budget(100),
        |work| {
            given.lock().unwrap().push(work.limits.cpu_ms);
            pending(40, 2)
        },
        |work, _, _| {
            let mut given = given.lock().unwrap();
            given.push(work.limits.cpu_ms);
            let so_far = u32::try_from(given.len()).unwrap() * 2;
            pending(40, so_far)
        },
    )
    .await;
    assert!(matches!(
        outcome.result,
        Err(GatewayError::Fault(Fault::OutOfCpu))
    ));
    assert_eq!(*given.lock().unwrap(), [100, 60, 20]);
    assert_eq!(outcome.spent.usage.cpu, Duration::from_millis(120));
    assert_eq!(
        outcome.spent.usage.http_calls, 6,
        "the last step's, not their sum"
    );
}

#[tokio::test]
async fn a_call_has_only_so_many_steps() {
    let steps = Mutex::new(0);
    let count = || {
        *steps.lock().unwrap() += 1;
        pending(0, 0)
    };
    let outcome = go_on(budget(100), |_| count(), |_, _, _| count()).await;
    assert!(matches!(
        outcome.result,
        Err(GatewayError::StillPending { .. })
    ));
    assert_eq!(*steps.lock().unwrap(), MAX_STEPS);
}

/// Three attempts after whatever was unavailable.
fn stubborn() -> RetryConfig {
    RetryConfig {
        when: RetryWhen::Unavailable,
        max_attempts: 3,
        ..RetryConfig::default()
    }
}

fn ends(result: Result<Result<Answer<u32>, Failure>, Fault>, cpu_ms: u64) -> Running<u32> {
    Box::pin(async move {
        Ran {
            result,
            usage: Usage {
                cpu: Duration::from_millis(cpu_ms),
                ..Usage::default()
            },
        }
    })
}

fn unavailable() -> Result<Result<Answer<u32>, Failure>, Fault> {
    Ok(Err(Failure::Unavailable(Unavailability::default())))
}

fn later(state: u8) -> Result<Result<Answer<u32>, Failure>, Fault> {
    Ok(Ok(Answer::Pending(Pending {
        reference: None,
        state: Opaque {
            schema: 1,
            data: vec![state],
        },
        retry_after_ms: Some(0),
    })))
}

#[tokio::test(start_paused = true)]
async fn a_lookup_is_made_again_and_says_so_to_the_adapter() {
    let attempts = Mutex::new(Vec::new());
    let outcome = go_on(
        budget_with(100, &stubborn()),
        |work| {
            let mut attempts = attempts.lock().unwrap();
            attempts.push(work.lent.call.attempt);
            match attempts.len() {
                3 => ends(Ok(Ok(Answer::Done(7))), 1),
                _ => ends(unavailable(), 1),
            }
        },
        |_, _, _| unreachable!(),
    )
    .await;
    assert_eq!(outcome.result.unwrap(), 7);
    assert_eq!(outcome.spent.retries, 2);
    assert_eq!(*attempts.lock().unwrap(), [0, 1, 2], "one more each time");
    assert_eq!(outcome.spent.usage.cpu, Duration::from_millis(3));
}

#[tokio::test(start_paused = true)]
async fn attempts_end_and_the_last_failure_is_the_answer() {
    let outcome = go_on(
        budget_with(100, &stubborn()),
        |_| ends(unavailable(), 1),
        |_, _, _| unreachable!(),
    )
    .await;
    assert!(matches!(outcome.result, Err(GatewayError::Failure(_))));
    assert_eq!(outcome.spent.retries, 2);
}

#[tokio::test(start_paused = true)]
async fn a_step_is_made_again_from_where_it_began() {
    let resumed = Mutex::new(Vec::new());
    let outcome = go_on(
        budget_with(100, &stubborn()),
        |_| ends(later(1), 1),
        |_, pending, _| {
            let mut resumed = resumed.lock().unwrap();
            resumed.push(pending.state.data[0]);
            match resumed.len() {
                1 => ends(unavailable(), 1),
                2 => ends(later(2), 1),
                3 => ends(unavailable(), 1),
                _ => ends(Ok(Ok(Answer::Done(7))), 1),
            }
        },
    )
    .await;
    assert_eq!(outcome.result.unwrap(), 7);
    assert_eq!(*resumed.lock().unwrap(), [1, 1, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_never_made_again() {
    for fault in [Fault::OutOfTime, Fault::OutOfCpu, Fault::NoInstance] {
        let ran = Mutex::new(0);
        let outcome = go_on(
            budget_with(100, &stubborn()),
            |_| {
                *ran.lock().unwrap() += 1;
                ends(Err(fault.clone()), 1)
            },
            |_, _, _| unreachable!(),
        )
        .await;
        assert!(matches!(outcome.result, Err(GatewayError::Fault(_))));
        assert_eq!((*ran.lock().unwrap(), outcome.spent.retries), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn all_attempts_have_the_limits_of_one_call() {
    // Processor time: the second attempt takes what is left, and there is no third.
    let spent = go_on(
        budget_with(100, &stubborn()),
        |_| ends(unavailable(), 50),
        |_, _, _| unreachable!(),
    )
    .await;
    assert!(matches!(spent.result, Err(GatewayError::Failure(_))));
    assert_eq!(spent.spent.retries, 1);
    // Time: what could not end is not begun.
    let slow = RetryConfig {
        max_attempts: 10,
        first_wait_ms: 20_000,
        max_wait_ms: 20_000,
        ..stubborn()
    };
    let began = Instant::now();
    let late = go_on(
        budget_with(100, &slow),
        |_| ends(unavailable(), 1),
        |_, _, _| unreachable!(),
    )
    .await;
    assert!(matches!(late.result, Err(GatewayError::Failure(_))));
    assert_eq!(late.spent.retries, 1);
    assert!(began.elapsed() < Duration::from_millis(CallLimits::WALL_MS));
}

/// What had no room any more does not take the place of why it was made.
#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_cut_off_tells_why_the_one_before_failed() {
    for cut in [Fault::OutOfTime, Fault::OutOfCpu] {
        let attempts = Mutex::new(0);
        let outcome = go_on(
            budget_with(100, &stubborn()),
            |_| {
                let mut attempts = attempts.lock().unwrap();
                *attempts += 1;
                if *attempts == 1 {
                    ends(unavailable(), 1)
                } else {
                    ends(Err(cut.clone()), 1)
                }
            },
            |_, _, _| unreachable!(),
        )
        .await;
        assert!(matches!(
            outcome.result,
            Err(GatewayError::Failure(Failure::Unavailable(_)))
        ));
        assert!(outcome.spent.cut);
        assert_eq!(outcome.spent.retries, 1);
    }
}
