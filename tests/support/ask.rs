//! A request to the gateway and its answer.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

/// A request in the making.
#[derive(Clone)]
pub struct Ask {
    client: reqwest::Client,
    method: reqwest::Method,
    url: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body as JSON; null where it is none.
    pub json: Value,
}

/// `identifiers` of a body, for one UIN.
pub fn identifiers(uin: &str) -> Value {
    json!([{ "scheme": "national-id", "value": uin }])
}

impl Ask {
    pub(crate) fn new(client: reqwest::Client, method: reqwest::Method, url: String) -> Self {
        Self {
            client,
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
        }
    }

    /// To a gateway that runs by itself.
    pub fn post(url: String) -> Self {
        Self::new(crate::gateway::client(), reqwest::Method::POST, url)
    }

    /// The same with `GET`.
    pub fn get(url: String) -> Self {
        Self::new(crate::gateway::client(), reqwest::Method::GET, url)
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    /// With these bytes for a body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// With this caller's key.
    pub fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// With a header, in place of one of that name.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.raw_header(name, value.as_bytes())
    }

    /// The same with any bytes that HTTP lets through.
    ///
    /// # Panics
    /// If it does not.
    pub fn raw_header(mut self, name: &str, value: &[u8]) -> Self {
        let name: HeaderName = name.parse().expect("a header's name");
        let value = HeaderValue::from_bytes(value).expect("a header's value");
        self.headers.insert(name, value);
        self
    }

    /// Without a header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Sends it.
    ///
    /// # Panics
    /// If no answer comes.
    pub async fn send(self) -> Answer {
        self.try_send().await.expect("the gateway answers")
    }

    /// Sends it. None where no answer comes, or no whole one: the gateway may be gone.
    pub async fn try_send(self) -> Option<Answer> {
        let Self {
            client,
            method,
            url,
            headers,
            body,
        } = self;
        let mut request = client.request(method, url).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.ok()?;
        Some(Answer {
            status,
            headers,
            json: serde_json::from_str(&text).unwrap_or_default(),
            text,
        })
    }
}

impl Answer {
    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The problem's code; empty where it is none.
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// Status and body, for a snapshot: the module's digest changes with each compiler.
    ///
    /// # Panics
    /// If the answer has a module that is no digest, or is a problem without its request's number.
    pub fn shown(mut self) -> Value {
        if let Some(module) = self.json.pointer_mut("/source/module") {
            let digest = module
                .as_str()
                .and_then(|text| text.strip_prefix("sha256:"));
            assert_eq!(digest.map(str::len), Some(64), "{module}");
            *module = json!("[digest]");
        }
        if let Some(problem) = self
            .json
            .as_object_mut()
            .filter(|it| it.contains_key("code"))
        {
            let number = problem.remove("instance").unwrap_or_default();
            let header = format!(
                "urn:uuid:{}",
                self.headers["x-request-id"].to_str().unwrap()
            );
            assert_eq!(
                number,
                header.as_str(),
                "a problem has its request's number"
            );
        }
        json!({ "status": self.status, "body": self.json })
    }

    /// The answer, if its status is 200.
    ///
    /// # Panics
    /// If not.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.text);
        self
    }
}
