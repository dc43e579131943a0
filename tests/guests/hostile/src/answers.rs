//! Answers what the contract does not allow, or far too much of it.

use adapter_sdk::model::{
    Candidate, Extra, Household, HumanName, Identifier, Page, PartialDate, Person, Photo,
    PhotoContent, Refusal, Relation, RelationRole,
};
use adapter_sdk::{Answer, Failure, Opaque, Pending, PendingAnswer};

use crate::Found;

/// A photo of 100 MB.
pub fn return_100_mb(_: &[Identifier]) -> Found {
    Ok(Person {
        photo: Some(Photo::Content(PhotoContent {
            media_type: "image/jpeg".into(),
            data: vec![7; 100_000_000],
        })),
        ..Default::default()
    }
    .into())
}

/// A thousand names, all the same mebibyte of memory: a gigabyte for whoever copies them.
#[allow(
    unsafe_code,
    reason = "safe Rust cannot make two strings of one buffer, a hostile guest can"
)]
pub fn return_aliased(_: &[Identifier]) -> Found {
    const SIZE: usize = 1 << 20;
    let text = "a".repeat(SIZE).leak();
    let start = text.as_mut_ptr();
    let given = (0..1_000)
        // SAFETY: the buffer is leaked and filled with text. The strings alias, and none is
        // dropped: the host ends the call while it copies them, and the instance goes as a whole.
        .map(|_| unsafe { String::from_raw_parts(start, SIZE, SIZE) })
        .collect();
    Ok(Person {
        names: vec![HumanName {
            given,
            ..Default::default()
        }],
        ..Default::default()
    }
    .into())
}

/// The 31st of February.
pub fn bad_date(_: &[Identifier]) -> Found {
    Ok(Person {
        birth_date: Some(PartialDate {
            year: 2020,
            month: Some(2),
            day: Some(31),
            ..Default::default()
        }),
        ..Default::default()
    }
    .into())
}

/// An extra value that is no JSON.
pub fn bad_json(_: &[Identifier]) -> Found {
    let good = Extra {
        key: "x-good".into(),
        value: "1".into(),
    };
    let bad = Extra {
        key: "x-bad".into(),
        value: "{".into(),
    };
    Ok(Person {
        extra: vec![good, bad],
        ..Default::default()
    }
    .into())
}

/// A name that is no UTF-8.
#[allow(
    unsafe_code,
    reason = "safe Rust cannot make such a string, other languages can"
)]
pub fn bad_text(_: &[Identifier]) -> Found {
    // SAFETY: deliberately not text. Nothing here reads it: it is handed over as bytes.
    let text = unsafe { String::from_utf8_unchecked(vec![b'a', 0xff, 0xfe]) };
    Ok(Person {
        version: Some(text),
        ..Default::default()
    }
    .into())
}

/// A refusal with a person in the code and in the field. Built by hand: the SDK cleans codes.
pub fn sentence_as_code(_: &[Identifier]) -> Found {
    Err(Failure::Rejected(Refusal {
        code: Some("no Sita Sharma here".into()),
        field: Some("of Sita".into()),
        message: Some("Sita Sharma is not here".into()),
        extra: Vec::new(),
    }))
}

/// Not now: not ever.
pub fn pend_forever(_: &[Identifier]) -> Found {
    resume(
        Opaque {
            schema: 1,
            data: vec![1],
        },
        None,
    )
}

/// Later, with a state of 100 MB to keep until then.
pub fn huge_state(_: &[Identifier]) -> Found {
    resume(
        Opaque {
            schema: 1,
            data: vec![0; 100_000_000],
        },
        None,
    )
}

/// Goes on after `pend_forever`: pending again. Says what it was told, names included.
pub fn resume(state: Opaque, answer: Option<PendingAnswer>) -> Found {
    if let Some(answer) = answer {
        let told = String::from_utf8_lossy(&answer.data).into_owned();
        adapter_sdk::log::info!("resumed with: {told}");
    }
    Ok(Answer::Pending(Pending {
        reference: None,
        state,
        retry_after_ms: Some(1),
    }))
}

/// One person, and the named place holds an index beyond.
pub fn household(place: &str) -> Result<Answer<Household>, Failure> {
    let mut household = Household {
        people: vec![Person::default()],
        members: vec![0],
        ..Default::default()
    };
    match place {
        "members" => household.members.push(1),
        "twice" => household.members.push(0),
        "head" => household.head = Some(u32::MAX),
        _ => household.relations.push(Relation {
            subject: 0,
            object: 1,
            role: RelationRole::Mother,
        }),
    }
    Ok(household.into())
}

/// One candidate with this score.
pub fn search(score: f64) -> Result<Answer<Page>, Failure> {
    Ok(Page {
        candidates: vec![Candidate {
            person: Person::default(),
            score: Some(score),
            grade: None,
        }],
        total: None,
        next: None,
        extra: Vec::new(),
        unmapped: Vec::new(),
    }
    .into())
}
