//! What a call came to, for a terminal and for a program.

use std::time::Duration;

use indicatif::DecimalBytes;
use serde_json::{Map, Value, json};

use super::line;
use crate::egress::{Exchanged, Request, Response, SendError, Sent};
use crate::gateway::{Called, LoadedAlone, Outcome, Unused};
use crate::model::{Ability, Failure};

/// For people.
pub(super) fn text(loaded: &LoadedAlone, ability: Ability, called: &Called) -> String {
    let about = loaded.description();
    let mut text = format!(
        "{} {}, {ability} ({})\n\n",
        about.name,
        about.version,
        loaded.digest()
    );
    for (at, exchanged) in called.exchanges.iter().enumerate() {
        text.push_str(&exchange_text(at, exchanged));
    }
    for (level, said) in &called.logged {
        text.push_str(&format!("logged {level}: {said}\n"));
    }
    text.push_str(&outcome_text(&called.outcome));
    text.push_str(&used_text(called));
    if !called.otherwise.is_empty() {
        text.push_str("otherwise than recorded:\n");
        for finding in &called.otherwise {
            text.push_str(&format!("  {}\n", line(finding)));
        }
        text.push('\n');
    }
    if let Some(unused) = &called.unused {
        text.push_str(&unused_text(unused));
    }
    text
}

/// For programs: one object.
pub(super) fn json(loaded: &LoadedAlone, ability: Ability, called: &Called) -> String {
    let about = loaded.description();
    let mut shown = json!({
        "adapter": about.name,
        "version": about.version,
        "module": loaded.digest(),
        "ability": ability,
        "exchanges": called.exchanges.iter().map(exchange_json).collect::<Vec<_>>(),
        "used": {
            "steps": called.steps,
            "tookMs": milliseconds(called.took),
            "cpuMs": milliseconds(called.usage.cpu),
            "memoryBytes": called.usage.memory,
            "requests": called.usage.http_calls,
            "requestsMs": milliseconds(called.usage.http_wait),
        },
        "logged": called.logged.iter().map(|(level, text)| json!({ "level": level, "text": text }))
            .collect::<Vec<_>>(),
        "works": called.works(),
    });
    let mut put = |key: &str, value: Value| {
        if let Some(shown) = shown.as_object_mut() {
            shown.insert(key.to_owned(), value);
        }
    };
    match &called.outcome {
        Outcome::Answer(answer) => put("answer", answer.clone()),
        Outcome::Failure(failure) => put("failure", failure_json(failure)),
        Outcome::Fault(fault) => put(
            "fault",
            json!({ "kind": fault.word(), "problem": fault.to_string() }),
        ),
        Outcome::Pending => put("pending", json!({ "byCallback": false })),
        Outcome::ByCallback => put("pending", json!({ "byCallback": true })),
    }
    if called.compared {
        let otherwise = called.otherwise.iter();
        let otherwise =
            otherwise.map(|it| json!({ "place": it.place, "problem": it.problem.as_deref() }));
        put("otherwise", otherwise.collect());
    }
    if let Some(unused) = &called.unused {
        put("unused", unused_json(unused));
    }
    // JSON escapes what is below a space; of the rest a terminal obeys some, too.
    let escaped = |c: char| match c {
        '\u{7f}'..='\u{9f}' => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    format!("{shown:#}\n").chars().map(escaped).collect()
}

/// A text in which nothing is left that a terminal obeys: a module, a registry and a recording of
/// others wrote parts of it.
pub(super) fn plain(text: &str) -> String {
    let turns = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let escaped = |c: char| match c {
        '\n' => c.to_string(),
        c if c.is_control() || turns(c) => c.escape_unicode().to_string(),
        c => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

fn exchange_text(at: usize, exchanged: &Exchanged) -> String {
    let Request {
        method,
        path,
        query,
        body,
        ..
    } = &exchanged.request;
    let mut text = format!("exchange {at}: {method} {} {path}", exchanged.endpoint);
    text.push_str(match &exchanged.answer {
        None => " → none, the call ended before",
        Some(Err(_)) => " → none",
        Some(Ok(_)) => " → ",
    });
    match &exchanged.answer {
        None => {}
        Some(Ok(Response { status, body, .. })) => {
            let bytes = DecimalBytes(u64::try_from(body.len()).unwrap_or(u64::MAX));
            text.push_str(&format!("{status}, {bytes}"));
        }
        Some(Err(error)) => {
            let reached = match error.sent {
                Sent::NotSent => "not sent",
                Sent::SentNoAnswer => "perhaps sent",
            };
            let (kind, message) = (error.kind.word(), &error.message);
            text.push_str(&format!(", {reached}: {kind}, {message}"));
        }
    }
    if let Some(took) = exchanged.took {
        text.push_str(&format!(", {} ms", milliseconds(took)));
    }
    text.push('\n');
    for (name, value) in query {
        text.push_str(&format!("  query {name}={value}\n"));
    }
    if let Some(body) = body {
        text.push_str(&body_text("asked", body));
    }
    if let Some(Ok(response)) = &exchanged.answer {
        text.push_str(&body_text("answered", &response.body));
    }
    text.push('\n');
    text
}

fn body_text(what: &str, body: &[u8]) -> String {
    let shown = match (
        serde_json::from_slice::<Value>(body),
        std::str::from_utf8(body),
    ) {
        _ if body.is_empty() => return format!("  {what}: nothing\n"),
        (Ok(json), _) => format!("{json:#}"),
        (Err(_), Ok(text)) => text.to_owned(),
        (Err(_), Err(_)) => return format!("  {what}: {} bytes, no text\n", body.len()),
    };
    format!("  {what}:\n{}", indented(&shown))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

fn outcome_text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answer(answer) => format!("answer:\n{}\n", indented(&format!("{answer:#}"))),
        Outcome::Failure(failure) => {
            let mut text = format!("failure: {}", failure.word());
            if let Value::Object(fields) = failure_json(failure) {
                let more = fields.iter().filter(|(key, _)| *key != "kind");
                more.for_each(|(key, value)| text.push_str(&format!(", {key} {value}")));
            }
            text + "\n\n"
        }
        Outcome::Fault(fault) => format!("no answer: {fault} ({})\n\n", fault.word()),
        Outcome::Pending => {
            "no answer: the registry answers later than limits.wall_ms allows\n\n".to_owned()
        }
        Outcome::ByCallback => {
            "no answer: the registry calls back with it, and only a gateway that \
                                serves receives that\n\n"
                .to_owned()
        }
    }
}

fn used_text(called: &Called) -> String {
    let usage = &called.usage;
    let memory = DecimalBytes(u64::try_from(usage.memory).unwrap_or(u64::MAX));
    let (steps, requests) = (called.steps, usage.http_calls);
    format!(
        "took {} ms in {steps} {}: {} ms of processor time, {memory} of memory, {requests} {} of {} ms\n\n",
        milliseconds(called.took),
        plural(steps, "step"),
        milliseconds(usage.cpu),
        plural(requests, "request"),
        milliseconds(usage.http_wait),
    )
}

fn plural(count: u32, word: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{word}{end}")
}

fn unused_text(unused: &Unused) -> String {
    let mut text = String::new();
    let all = unused.fields.len() + unused.used + unused.not_tried;
    if all > 0 {
        let none = unused.fields.len();
        let runs = unused.runs;
        text.push_str(&format!(
            "makes no difference to this, changed or left out: {none} of the registry's {all} fields \
             (tried in {runs} calls)\n"
        ));
    }
    for field in &unused.fields {
        text.push_str(&format!("  exchange {}: {}\n", field.exchange, field.field));
    }
    if unused.not_tried > 0 {
        let left = unused.not_tried;
        text.push_str(&format!(
            "  {left} more were not all tried: there are too many\n"
        ));
    }
    for left in &unused.not_looked_at {
        match left.exchange {
            Some(at) => text.push_str(&format!(
                "  exchange {at} was not looked into: {}\n",
                left.why
            )),
            None => text.push_str(&format!("fields were not looked at: {}\n", left.why)),
        }
    }
    text
}

fn exchange_json(exchanged: &Exchanged) -> Value {
    let request = &exchanged.request;
    let mut shown = json!({
        "endpoint": exchanged.endpoint,
        "request": {
            "method": request.method.as_str(),
            "path": request.path,
            "query": request.query,
            "body": request.body.as_deref().map(body_json),
        },
        "tookMs": exchanged.took.map(milliseconds),
    });
    let (key, value) = match &exchanged.answer {
        None => return shown,
        Some(Ok(Response { status, body, .. })) => (
            "answer",
            json!({ "status": status, "bytes": body.len(), "body": body_json(body) }),
        ),
        Some(Err(SendError {
            sent,
            kind,
            message,
            ..
        })) => (
            "problem",
            json!({
                "sent": *sent == Sent::SentNoAnswer,
                "kind": kind.word(),
                "message": message,
            }),
        ),
    };
    if let Some(shown) = shown.as_object_mut() {
        shown.insert(key.to_owned(), value);
    }
    shown
}

/// As a recording has it: JSON, or text.
fn body_json(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(body)
        .unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned().into())
}

fn failure_json(failure: &Failure) -> Value {
    let mut shown = Map::from_iter([("kind".to_owned(), failure.word().into())]);
    let (code, field, retry_after_ms) = match failure {
        Failure::NotFound => (&None, &None, None),
        Failure::Unavailable(why) => (&why.code, &None, why.retry_after_ms),
        Failure::Ambiguous(why)
        | Failure::Rejected(why)
        | Failure::Denied(why)
        | Failure::Conflict(why)
        | Failure::Unsupported(why)
        | Failure::Unreadable(why)
        | Failure::Misconfigured(why)
        | Failure::Other(why) => (&why.code, &why.field, None),
    };
    let words = [("code", code), ("field", field)];
    for (key, word) in words {
        if let Some(word) = word {
            shown.insert(key.to_owned(), word.as_str().into());
        }
    }
    if let Some(wait) = retry_after_ms {
        shown.insert("retryAfterMs".to_owned(), wait.into());
    }
    shown.into()
}

fn unused_json(unused: &Unused) -> Value {
    let fields = unused.fields.iter();
    let left = unused.not_looked_at.iter();
    json!({
        "fields": fields.map(|it| json!({ "exchange": it.exchange, "field": it.field }))
            .collect::<Vec<_>>(),
        "used": unused.used,
        "notTried": unused.not_tried,
        "notLookedAt": left.map(|it| json!({ "exchange": it.exchange, "why": it.why }))
            .collect::<Vec<_>>(),
        "runs": unused.runs,
    })
}

/// To the microsecond.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_a_terminal_obeys() {
        let said = "a\u{1b}]52;c;x\u{7}\r\u{9b}2J\u{202e}\nआशा";
        assert_eq!(
            plain(said),
            "a\\u{1b}]52;c;x\\u{7}\\u{d}\\u{9b}2J\\u{202e}\nआशा"
        );
    }
}
