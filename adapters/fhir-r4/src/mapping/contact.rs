//! `ContactPoint` (R4, section 2.24.0.17) and `Attachment` as a photo.

use adapter_sdk::model::{Contact, ContactSystem, Photo, PhotoContent};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::kept;
use crate::Rules;
use crate::json::{Notes, Object};

/// All phones, e-mail addresses and the like.
pub(super) fn contacts(holder: &Object<'_>, rules: &Rules, notes: &mut Notes) -> Vec<Contact> {
    let mut contacts = Vec::new();
    for object in notes.objects(holder, "telecom", "contacts") {
        let Some(value) = notes.text(&object, "value", "contacts.value") else {
            continue;
        };
        let system = match notes.text(&object, "system", "contacts.system").as_deref() {
            Some("phone") => ContactSystem::Phone,
            Some("email") => ContactSystem::Email,
            // Of FHIR, and without a case in the contract.
            Some(word @ ("fax" | "pager" | "url" | "sms" | "other")) => {
                ContactSystem::Other(word.to_owned())
            }
            // Whatever it is, it cannot be reached without knowing by what.
            Some(word) => {
                notes
                    .0
                    .push(adapter_sdk::model::Unmapped::new("contacts.system", word));
                continue;
            }
            None => {
                notes
                    .0
                    .push(adapter_sdk::model::Unmapped::new("contacts.system", value));
                continue;
            }
        };
        let extra = kept::fields(&object, &["id", "system", "value"], rules);
        contacts.push(Contact {
            system,
            value,
            extra,
        });
    }
    contacts
}

/// The photo, where there is one: bytes, or a name that is not fetched. More than one, and what is
/// neither, is noted.
pub(super) fn photo(patient: &Object<'_>, notes: &mut Notes) -> Option<Photo> {
    let mut photos = notes.objects(patient, "photo", "photo").into_iter();
    let first = photos.next()?;
    for another in photos {
        let said = another.text("title").or_else(|| another.text("url"));
        notes.add("photo", &serde_json::json!(said.unwrap_or("another")));
    }
    if let Some(data) = first.text("data") {
        let media_type = first.text("contentType");
        return match (STANDARD.decode(data), media_type) {
            (Ok(data), Some(media_type)) => Some(Photo::Content(PhotoContent {
                media_type: media_type.to_owned(),
                data,
            })),
            // The bytes themselves are no value to report.
            _ => {
                let said = media_type.unwrap_or("no contentType");
                notes.add("photo", &serde_json::json!(said));
                None
            }
        };
    }
    first
        .text("url")
        .map(|url| Photo::Reference(url.to_owned()))
}
