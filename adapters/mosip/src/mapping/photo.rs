//! The claim `picture`: a data URL (RFC 2397), as MOSIP's ID system writes it, or an address.

use adapter_sdk::model::{Photo, PhotoContent, Unmapped};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

const IMAGES: &[&str] = &["image/jpeg", "image/png", "image/webp", "image/jp2"];

/// A photo of at most so many bytes. What is too large or no image in Base64 is reported by what stands
/// before its data.
pub(super) fn photo(text: &str, limit: u64, unmapped: &mut Vec<Unmapped>) -> Option<Photo> {
    let Some(rest) = text.strip_prefix("data:") else {
        return address(text, unmapped);
    };
    let (before, data) = rest.split_once(',').unwrap_or((rest, ""));
    let content = content(before, data, limit);
    if content.is_none() {
        let shown: String = before.chars().take(64).collect();
        unmapped.push(Unmapped::new("photo", format!("data:{shown}")));
    }
    content
}

fn content(before: &str, data: &str, limit: u64) -> Option<Photo> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let media_type = before.strip_suffix(";base64")?;
    let known = IMAGES
        .iter()
        .find(|known| known.eq_ignore_ascii_case(media_type))?;
    // Four letters for three bytes: the size is known before anything is decoded.
    if data.len() / 4 > limit.div_ceil(3) {
        return None;
    }
    // RFC 2397 has the first; MOSIP writes the second in other places.
    let url_safe = || URL_SAFE_NO_PAD.decode(data.trim_end_matches('='));
    let data = STANDARD.decode(data).or_else(|_| url_safe()).ok()?;
    let fits = !data.is_empty() && data.len() <= limit;
    fits.then(|| {
        Photo::Content(PhotoContent {
            media_type: (*known).to_owned(),
            data,
        })
    })
}

/// An address is told and never fetched.
fn address(text: &str, unmapped: &mut Vec<Unmapped>) -> Option<Photo> {
    if text.starts_with("https://") {
        return Some(Photo::Reference(text.to_owned()));
    }
    let shown: String = text.chars().take(64).collect();
    unmapped.push(Unmapped::new("photo", shown));
    None
}
