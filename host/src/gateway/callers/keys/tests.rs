use std::net::Ipv4Addr;

use super::*;
use crate::gateway::NewCaller;

const KEY: &str = "rgw_one";

fn keys(per_minute: u32, expires_at: Option<Timestamp>) -> Keys {
    let keys = Keys::new(per_minute);
    let settings = NewCaller::client("one", Vec::new()).settings;
    let known = Known {
        id: Uuid::now_v7(),
        caller: Arc::new(Caller::of("one".into(), settings)),
        expires_at,
        seen: Arc::default(),
    };
    keys.by_hash.store(Arc::new([(hash(KEY), known)].into()));
    keys
}

fn host(last: u8) -> Option<IpAddr> {
    Some(Ipv4Addr::new(192, 0, 2, last).into())
}

fn word(got: Result<Arc<Caller>, GatewayError>) -> &'static str {
    got.map_or_else(|error| error.word(), |_| "taken")
}

#[test]
fn a_key_is_random_and_known_by_how_it_begins() {
    let (one, other) = (MadeKey::new(None).unwrap(), MadeKey::new(None).unwrap());
    assert_ne!(one.key, other.key);
    assert!(one.key.starts_with(&one.stored.prefix) && one.key.starts_with(KEY_PREFIX));
    assert_eq!((one.key.len(), one.stored.prefix.len()), (4 + 43, 10));
    assert_eq!(one.stored.hash, hash(&one.key));
}

#[test]
fn an_expired_key_is_as_good_as_none() {
    let now = Timestamp::now();
    let hour = jiff::SignedDuration::from_hours(1);
    let over = keys(60, Some(now - hour));
    assert_eq!(word(over.get(KEY, host(1))), "unknown-caller");
    assert_eq!(word(over.get("rgw_none", host(1))), "unknown-caller");
    assert_eq!(word(keys(60, Some(now + hour)).get(KEY, host(1))), "taken");
}

/// What guesses learns nothing, whoever was known from its address goes on, and no other address is
/// concerned.
#[test]
fn guessing_harms_who_guesses() {
    let keys = keys(3, None);
    assert_eq!(word(keys.get(KEY, host(1))), "taken");
    for address in [host(1), host(2), None] {
        for _ in 0..3 {
            assert_eq!(word(keys.get("rgw_guess", address)), "unknown-caller");
        }
        assert_eq!(word(keys.get("rgw_guess", address)), "too-many-failed-keys");
    }
    assert_eq!(word(keys.get(KEY, host(1))), "taken");
    // A right one that was never good from there is refused as a wrong one is.
    assert_eq!(word(keys.get(KEY, host(2))), "too-many-failed-keys");
    assert_eq!(word(keys.get(KEY, None)), "too-many-failed-keys");
    assert_eq!(word(keys.get(KEY, host(3))), "taken");
}

#[test]
fn right_keys_of_many_addresses_count_as_no_guess() {
    let keys = keys(1, None);
    for last in 0..=255 {
        assert_eq!(word(keys.get(KEY, host(last))), "taken");
    }
}

#[test]
fn the_hour_of_use_is_told_once() {
    let keys = keys(1, None);
    let table = keys.by_hash.load();
    let known = table.values().next().unwrap();
    assert!(known.news().is_none());
    keys.get(KEY, host(1)).unwrap();
    let (_, hour) = known.news().unwrap();
    assert_eq!(hour % HOUR, 0);
    known.seen.stored.store(hour, Relaxed);
    keys.get(KEY, host(1)).unwrap();
    assert!(known.news().is_none());
}
