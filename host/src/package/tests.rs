use secrecy::ExposeSecret;
use serde_json::json;

use super::*;

/// The smallest component.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

fn manifest() -> Manifest {
    let text =
        json!({ "name": "a", "version": "1.0.0", "summary": "Asks.", "abilities": ["find"] });
    serde_json::from_value(text).unwrap()
}

fn recording() -> Recording {
    let text = json!({ "name": "one", "ability": "find", "question": { "identifiers": [] },
        "failure": { "kind": "not-found" } });
    serde_json::from_value(text).unwrap()
}

fn signer(password: Option<&str>) -> (Signer, TrustedKey) {
    let password = password.map(Into::into);
    let (secret, public) = keygen(password.as_ref()).unwrap();
    let signer = Signer::open(secret.expose_secret(), password.as_ref()).unwrap();
    let trusted = TrustedKey::parse(&public).unwrap();
    assert_eq!(signer.number(), trusted.number());
    (signer, trusted)
}

#[test]
fn what_is_packed_is_read_and_packed_again() {
    let package = pack(EMPTY, &manifest(), &[recording()]).unwrap();
    let read = Package::read(&package).unwrap();
    assert_eq!(read.manifest, Some(manifest()));
    assert_eq!(read.recordings, [recording()]);
    assert!(!read.signed);
    let (signer, _) = signer(None);
    let signed = sign(&package, &signer).unwrap();
    assert!(Package::read(&signed).unwrap().signed);
    // In place of what was there: the same bytes again.
    assert_eq!(pack(&signed, &manifest(), &[recording()]).unwrap(), package);
    let bare = Package::read(EMPTY).unwrap();
    assert!(bare.manifest.is_none() && bare.recordings.is_empty());
}

#[test]
fn a_signature_is_of_one_file_and_one_key() {
    let package = pack(EMPTY, &manifest(), &[]).unwrap();
    let ((ours, our_key), (theirs, their_key)) = (signer(None), signer(Some("correct horse")));
    let keys = [our_key];
    assert_eq!(verify(&package, &keys), Err(Unverified::NotSigned));
    let signed = sign(&package, &ours).unwrap();
    assert_eq!(verify(&signed, &keys), Ok(ours.number()));
    let again = sign(&signed, &ours).unwrap();
    assert!(verify(&again, &keys).is_ok());

    let foreign = sign(&package, &theirs).unwrap();
    let unknown = Unverified::UnknownKey(theirs.number().into());
    assert_eq!(verify(&foreign, &keys), Err(unknown));
    assert_eq!(verify(&foreign, &[their_key]), Ok(theirs.number()));
    assert_eq!(
        verify(&signed, &[]),
        Err(Unverified::UnknownKey(ours.number().into()))
    );

    // Any byte before the signature, and anything behind it.
    let length = package.len();
    for at in [8, 9, length / 2, length - 1] {
        let mut changed = signed.clone();
        changed[at] ^= 1;
        assert!(verify(&changed, &keys).is_err(), "{at}");
    }
    let mut changed = signed.clone();
    changed[length - 1] ^= 1;
    let number = ours.number().to_owned();
    assert_eq!(verify(&changed, &keys), Err(Unverified::Changed(number)));
    let mut longer = signed.clone();
    section::append(&mut longer, "more", b"");
    assert_eq!(verify(&longer, &keys), Err(Unverified::NotSigned));
    let wrong = Package::read(&longer).unwrap_err();
    assert_eq!(wrong[0].place, "signature");
    for garbage in [
        &b""[..],
        b"\n\n\n\n",
        b"untrusted comment: x\nRUQ=\ntrusted comment: \n=",
    ] {
        let mut file = package.clone();
        section::append(&mut file, SIGNATURE, garbage);
        assert_eq!(verify(&file, &keys), Err(Unverified::Unreadable));
    }
}

#[test]
fn a_key_has_its_own_password() {
    let password = "correct horse".into();
    let (secret, public) = keygen(Some(&password)).unwrap();
    for wrong in [None, Some("battery staple".into())] {
        assert!(Signer::open(secret.expose_secret(), wrong.as_ref()).is_err());
    }
    assert!(Signer::open("nothing", None).is_err());
    assert_eq!(TrustedKey::parse(&public[1..]).err(), Some(KeyError));
    assert!(!format!("{:?}", TrustedKey::parse(&public)).contains(&public));
}

#[test]
fn every_section_is_read_and_each_mistake_named() {
    let mut file = EMPTY.to_vec();
    section::append(&mut file, MANIFEST, b"{\"name\": 7}");
    section::append(
        &mut file,
        RECORDINGS,
        br#"{"format": 1, "recordings": [{"ability": "fly", "question": {}}]}"#,
    );
    let wrong = Package::read(&file).unwrap_err();
    let places: Vec<&str> = wrong.iter().map(|it| &*it.place).collect();
    assert_eq!(places.len(), 2, "{places:?}");
    assert!(places[0].starts_with("manifest.name"), "{places:?}");
    assert!(
        places[1].starts_with("recordings.recordings.0"),
        "{places:?}"
    );

    let mut later = EMPTY.to_vec();
    let mut of_two = manifest();
    of_two.format = 2;
    section::append(&mut later, MANIFEST, &manifest::write(&of_two).unwrap());
    section::append(
        &mut later,
        RECORDINGS,
        b"{\"format\": 2, \"recordings\": []}",
    );
    let wrong = Package::read(&later).unwrap_err();
    let places: Vec<&str> = wrong.iter().map(|it| &*it.place).collect();
    assert_eq!(places, ["manifest.format", "recordings.format"]);

    let mut twice = pack(EMPTY, &manifest(), &[]).unwrap();
    section::append(&mut twice, MANIFEST, b"{}");
    assert!(
        Package::read(&twice).unwrap_err()[0]
            .problem
            .contains("twice")
    );
    assert!(Package::read(b"text").is_err());
}

#[test]
fn what_is_too_large_is_not_parsed() {
    // No JSON: it would be said, were it parsed.
    for (name, place, most) in [
        (MANIFEST, "manifest", MAX_MANIFEST),
        (RECORDINGS, "recordings", MAX_RECORDINGS),
    ] {
        let mut file = EMPTY.to_vec();
        section::append(&mut file, name, &vec![b'['; most + 1]);
        let wrong = Package::read(&file).unwrap_err();
        assert_eq!((wrong.len(), &*wrong[0].place), (1, place));
        assert!(wrong[0].problem.contains("more than"), "{wrong:?}");
    }
    let exchange = json!({ "endpoint": "main", "request": { "method": "GET", "path": "" },
        "answer": { "status": 200 } });
    for (count, fits) in [(64, true), (65, false)] {
        let mut long = recording();
        let exchange = serde_json::from_value(exchange.clone()).unwrap();
        long.exchanges = vec![exchange; count];
        let packed = pack(EMPTY, &manifest(), &[long]).unwrap();
        let read = Package::read(&packed);
        assert_eq!(read.is_ok(), fits);
        let place = read.err().map(|wrong| wrong[0].place.clone());
        assert!(fits || place.unwrap() == "recordings.0.exchanges");
    }
}
