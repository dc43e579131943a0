use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
pub(super) struct Calls {
    calls: Vec<Call>,
    next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Acts {
    acts: Vec<Act>,
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Found {
    calls: Vec<FoundCall>,
    pub(super) next: Option<String>,
    unreadable_rows: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundCall {
    call: Call,
    was_asked: bool,
    was_disclosed: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Call {
    began_at: String,
    caller: String,
    user: Option<String>,
    purpose: Option<String>,
    legal_basis: Option<String>,
    registry: String,
    ability: String,
    module: String,
    outcome: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Act {
    began_at: String,
    caller: String,
    act: String,
    registry: Option<String>,
    subject: Option<String>,
    outcome: Option<String>,
}

impl Calls {
    pub(super) fn text(self) -> String {
        let lines: String = self.calls.iter().map(|call| call.line() + "\n").collect();
        lines + &more(self.next)
    }
}

impl Acts {
    pub(super) fn text(self) -> String {
        let lines: String = self.acts.iter().map(Act::line).collect();
        lines + &more(self.next)
    }
}

impl Found {
    pub(super) fn text(self) -> String {
        let mut text: String = self.calls.iter().map(FoundCall::line).collect();
        if self.unreadable_rows > 0 {
            let rows = self.unreadable_rows;
            text.push_str(&format!("{rows} rows cannot be read: see `audit verify`\n"));
        }
        text
    }
}

impl FoundCall {
    fn line(&self) -> String {
        let how = match (self.was_asked, self.was_disclosed) {
            (true, true) => "asked, told",
            (true, false) => "asked",
            (false, _) => "told",
        };
        format!("{}  {how}\n", self.call.line())
    }
}

impl Call {
    fn line(&self) -> String {
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        format!(
            "{}  {}  {}  {}  {}  {}/{}  {}  {}",
            self.began_at,
            self.caller,
            or(&self.user),
            or(&self.purpose),
            or(&self.legal_basis),
            self.registry,
            self.ability,
            self.module.get(..19).unwrap_or(&self.module),
            self.outcome.as_deref().unwrap_or("no end"),
        )
    }
}

impl Act {
    fn line(&self) -> String {
        let about = [&self.registry, &self.subject];
        let about: Vec<&str> = about.into_iter().filter_map(|it| it.as_deref()).collect();
        format!(
            "{}  {}  {}  {}  {}\n",
            self.began_at,
            self.caller,
            self.act,
            about.join(" "),
            self.outcome.as_deref().unwrap_or("no end"),
        )
    }
}

/// All pages as one answer of the same form.
pub(super) fn whole(pages: Vec<Map<String, Value>>) -> Value {
    let mut pages = pages.into_iter();
    let mut whole = pages.next().unwrap_or_default();
    for page in pages {
        for (field, value) in page {
            match (whole.get_mut(&field), value) {
                (Some(Value::Array(all)), Value::Array(mut more)) => all.append(&mut more),
                (Some(Value::Number(sum)), Value::Number(more)) => {
                    let both = sum.as_u64().unwrap_or(0) + more.as_u64().unwrap_or(0);
                    *sum = both.into();
                }
                // `next`: that of the last page is none.
                (_, value) => drop(whole.insert(field, value)),
            }
        }
    }
    Value::Object(whole)
}

fn more(next: Option<String>) -> String {
    next.map(|next| format!("more: --before {next}\n"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_are_one_document() {
        let page = |calls: &[u32], next: Option<&str>| {
            let page =
                json!({ "calls": calls, "next": next, "scannedRows": 2, "unreadableRows": 1 });
            page.as_object().unwrap().clone()
        };
        let one = page(&[1], None);
        assert_eq!(whole(vec![one.clone()]), Value::Object(one));
        let pages = vec![
            page(&[1, 2], Some("a")),
            page(&[3], Some("b")),
            page(&[], None),
        ];
        let expected = json!({
            "calls": [1, 2, 3], "next": null, "scannedRows": 6, "unreadableRows": 3,
        });
        assert_eq!(whole(pages), expected);
    }
}
