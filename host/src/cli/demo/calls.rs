//! The four calls, over HTTP as openIMIS makes them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::super::{Failure, print};
use crate::config::endpoint::{Credential, EndpointConfig};
use crate::egress::{Bounds, Egress, Endpoints, Request};

const PURPOSE: &str = "enrolment";
/// Answers longer than this are cut on the screen.
const SHOWN_LINES: usize = 40;
const PATIENCE: Duration = Duration::from_secs(30);

/// One call to be made, and shown.
pub(super) struct Call<'a> {
    /// What for.
    pub(super) title: &'a str,
    pub(super) method: http::Method,
    /// With its query.
    pub(super) path: &'a str,
    /// Null: none.
    pub(super) body: Value,
    /// Beside those that every call has.
    pub(super) headers: &'a [(&'a str, &'a str)],
}

/// Makes and prints them.
pub(super) async fn make(base: &str, key: &str, uin: &str) -> Result<(), Failure> {
    let gateway = client(base, key)?;
    let identifiers = json!([{ "scheme": "national-id", "value": uin }]);

    let question = json!({ "identifiers": identifiers });
    let found = call(&gateway, "1. Who is it?", "civil/find", &question).await?;
    let name = found
        .pointer("/person/names/0")
        .cloned()
        .unwrap_or_default();

    call(
        &gateway,
        "2. Who belongs to the household?",
        "social/household",
        &question,
    )
    .await?;

    let family = name.get("family").or(name.get("text")).cloned();
    let question = json!({
        "criteria": [{ "field": "name.family", "equals": family }],
        "pageSize": 2,
        "fields": ["identifiers", "names", "birthDate"],
    });
    call(
        &gateway,
        "3. Who has that family name?",
        "social/search",
        &question,
    )
    .await?;

    let question = json!({
        "identifiers": identifiers,
        "claimed": { "names": [name], "birthDate": "1900-01-01" },
    });
    call(
        &gateway,
        "4. Is what they say true?",
        "civil/verify",
        &question,
    )
    .await?;
    Ok(())
}

/// The same as curl lines.
pub(super) fn lines_to_paste(base: &str, key: &str, uin: &str) {
    print("\nTry it yourself:\n");
    for (path, body) in [
        (
            "civil/find",
            json!({ "identifiers": [{ "scheme": "national-id", "value": uin }] }),
        ),
        (
            "social/household",
            json!({ "identifiers": [{ "scheme": "national-id", "value": uin }] }),
        ),
        (
            "civil/find",
            json!({ "identifiers": [{ "scheme": "national-id", "value": "9900000001" }] }),
        ),
    ] {
        print(&format!(
            "\ncurl -s {base}/v1/registries/{path} \\\n  \
             -H 'Authorization: Bearer {key}' -H 'Registry-Purpose: {PURPOSE}' \\\n  \
             -H 'Content-Type: application/json' \\\n  -d '{body}'\n"
        ));
    }
    print("\n(9900000001 makes the stand-in slow; its documentation lists more such numbers.)\n");
    print(&format!(
        "\ncurl -s {base}/openapi.json\ncurl -s {base}/metrics\n"
    ));
}

pub(super) fn client(base: &str, key: &str) -> Result<Endpoints, Failure> {
    let mut config = EndpointConfig::new(base);
    config.allow_networks = vec!["127.0.0.0/8".parse()?];
    let credential = Credential::Bearer {
        token: SecretString::from(key),
    };
    Ok(Endpoints::build(
        &Egress::new(),
        "demo",
        &BTreeMap::from([("gateway".to_owned(), config)]),
        &BTreeMap::new(),
        &BTreeMap::from([("gateway".to_owned(), credential.into())]),
    )?)
}

async fn call(
    gateway: &Endpoints,
    title: &str,
    path: &str,
    question: &Value,
) -> Result<Value, Failure> {
    let call = Call {
        title,
        method: http::Method::POST,
        path: &format!("/v1/registries/{path}"),
        body: question.clone(),
        headers: &[],
    };
    call.made(gateway).await
}

impl Call<'_> {
    /// Makes it, and shows what was asked and answered.
    pub(super) async fn made(self, gateway: &Endpoints) -> Result<Value, Failure> {
        let (path, query) = self.path.split_once('?').unwrap_or((self.path, ""));
        print(&format!(
            "\n{}\n{} {}\n",
            self.title, self.method, self.path
        ));
        let mut request = Request::new(self.method, path.to_owned());
        request.query = pairs(query);
        request.headers = vec![("registry-purpose".into(), PURPOSE.into())];
        let own = self.headers.iter();
        request
            .headers
            .extend(own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        if !self.body.is_null() {
            print(&format!("{}\n", self.body));
            let json = ("content-type".into(), "application/json".into());
            request.headers.push(json);
            request.body = Some(Bytes::from(self.body.to_string()));
        }
        let began = Instant::now();
        let bounds = Bounds {
            max_response_bytes: 4 << 20,
            max_further_requests: 0,
            deadline: began + PATIENCE,
        };
        let response = gateway.send("gateway", request, bounds).await?;
        let took = began.elapsed().as_secs_f64() * 1e3;
        print(&format!("{} in {took:.1} ms\n", response.status));
        let answer: Value = match response.body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&response.body)?,
        };
        if !answer.is_null() {
            let text = serde_json::to_string_pretty(&answer)?;
            for line in text.lines().take(SHOWN_LINES) {
                print(&format!("{line}\n"));
            }
            if text.lines().count() > SHOWN_LINES {
                print("…\n");
            }
        }
        match response.status {
            200..300 => Ok(answer),
            status => Err(format!("the call was answered {status}").into()),
        }
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
