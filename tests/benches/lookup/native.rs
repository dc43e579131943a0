//! What people write without a gateway: one service that asks one registry. It checks the key and
//! keeps a durable audit as the gateway does, or does neither; it has no sandbox, no grants, no
//! limits, no policy, no metrics.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use registry_gateway::config::store::StoreConfig;
use registry_gateway::store::{AuditBegin, AuditEnd, Store};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::gateway::QUICK;

/// The one key that the audited service takes.
pub(crate) const KEY: &str = "rgw_a-key-of-the-native-service-of-this-benchmark";

struct Service {
    client: reqwest::Client,
    url: String,
    audit: Option<Audited>,
}

/// What stands around a lookup.
struct Audited {
    callers: HashMap<[u8; 32], &'static str>,
    key: [u8; 32],
    store: Store,
}

/// Serves lookups in the registry at `url`.
pub(crate) async fn serve(url: &str, audited: bool) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let audit = if audited {
        let mut config = StoreConfig::default();
        config.based_in(folder.path(), folder.path());
        Some(Audited {
            callers: HashMap::from([(Sha256::digest(KEY).into(), "bench")]),
            key: [7; 32],
            store: Store::open(&config, None).await.expect("a database"),
        })
    } else {
        None
    };
    let service = Arc::new(Service {
        client: reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client"),
        url: format!("{url}/registry/sync/search"),
        audit,
    });
    let router = Router::new()
        .route(&format!("/v1/registries/{QUICK}/find"), post(find))
        .with_state(service);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("listens");
    println!(
        "listening on {}",
        listener.local_addr().expect("an address")
    );
    axum::serve(listener, router).await.expect("serves");
}

async fn find(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Answer>, StatusCode> {
    let asked: Asked = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let one = asked.identifiers.first().ok_or(StatusCode::BAD_REQUEST)?;
    let Some(audit) = &service.audit else {
        return Ok(Json(service.look_up(&one.value).await?));
    };
    let began = Instant::now();
    let key = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .ok_or(StatusCode::UNAUTHORIZED)?;
    let hash: [u8; 32] = Sha256::digest(key).into();
    let caller = audit.callers.get(&hash).ok_or(StatusCode::UNAUTHORIZED)?;
    let purpose = headers.get("registry-purpose");
    let begin = audit.begin(caller, purpose.and_then(|value| value.to_str().ok()), one);
    let id = begin.id;
    let refused = |_| StatusCode::SERVICE_UNAVAILABLE;
    audit.store.audit().begin(begin).await.map_err(refused)?;
    let found = service.look_up(&one.value).await;
    let end = audit.end(id, &found, began);
    audit.store.audit().end(end).await.map_err(refused)?;
    Ok(Json(found?))
}

impl Audited {
    fn begin(&self, caller: &str, purpose: Option<&str>, one: &Identifier) -> AuditBegin {
        AuditBegin {
            id: Uuid::now_v7(),
            at: Timestamp::now(),
            request_id: Uuid::new_v4().to_string(),
            caller: caller.to_owned(),
            user: None,
            entity: None,
            purpose: purpose.map(str::to_owned),
            legal_basis: None,
            registry: QUICK.to_owned(),
            ability: "find".to_owned(),
            module_digest: "native".to_owned(),
            asked: vec![self.hash(one)],
        }
    }

    fn end(&self, id: Uuid, found: &Result<Answer, StatusCode>, began: Instant) -> AuditEnd {
        let people = found.iter().flat_map(|answer| &answer.person.identifiers);
        AuditEnd {
            id,
            at: Timestamp::now(),
            outcome: if found.is_ok() { "done" } else { "failed" }.to_owned(),
            code: None,
            disclosed: people.map(|identifier| self.hash(identifier)).collect(),
            registry_calls: 1,
            duration_us: began.elapsed().as_micros() as u64,
        }
    }

    fn hash(&self, identifier: &Identifier) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any key is one");
        mac.update(identifier.scheme.as_bytes());
        mac.update(&[0]);
        mac.update(identifier.value.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl Service {
    async fn look_up(&self, uin: &str) -> Result<Answer, StatusCode> {
        let (transaction, reference) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
        let now = Timestamp::now().to_string();
        let question = serde_json::json!({
            "header": { "version": "1.0.0", "message_id": Uuid::new_v4().to_string(), "message_ts": now,
                "action": "search", "sender_id": "bench", "total_count": 1,
                "is_msg_encrypted": false },
            "message": { "transaction_id": transaction, "search_request": [{
                "reference_id": reference, "timestamp": now, "locale": "eng",
                "search_criteria": { "version": "1.0.0",
                    "reg_type": "ns:org:RegistryType:Social", "reg_record_type": "Member",
                    "query_type": "idtype-value", "query": { "type": "UIN", "value": uin },
                    "pagination": { "page_size": 2, "page_number": 1 } } }] } });
        let sent = self.client.post(&self.url).json(&question).send().await;
        let answer = sent.map_err(|_| StatusCode::BAD_GATEWAY)?;
        let body = answer.bytes().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
        let envelope: Envelope =
            serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_GATEWAY)?;
        let mut found = envelope.message.search_response;
        let one = found.pop().ok_or(StatusCode::BAD_GATEWAY)?;
        if envelope.message.transaction_id != transaction || one.reference_id != reference {
            return Err(StatusCode::BAD_GATEWAY);
        }
        let member = one.data.reg_records.into_iter().next();
        let member = member.ok_or(StatusCode::NOT_FOUND)?;
        Ok(Answer {
            person: Person::of(member),
        })
    }
}

#[derive(Deserialize)]
struct Asked {
    identifiers: Vec<Identifier>,
}

#[derive(Serialize)]
struct Answer {
    person: Person,
}

#[derive(Serialize, Deserialize)]
struct Identifier {
    scheme: String,
    value: String,
}

/// As the gateway answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    identifiers: Vec<Identifier>,
    family: String,
    given: String,
    sex: String,
    birth_date: String,
    marital_status: String,
    addresses: Vec<Address>,
    phones: Vec<String>,
    related: Vec<Related>,
}

#[derive(Serialize)]
struct Related {
    role: String,
    identifiers: Vec<Identifier>,
}

#[derive(Serialize, Deserialize)]
struct Address {
    address_line1: Option<String>,
    locality: Option<String>,
    region_code: Option<String>,
    country_code: Option<String>,
}

#[derive(Deserialize)]
struct Envelope {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    transaction_id: String,
    search_response: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    reference_id: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    reg_records: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
    demographic_info: Demographic,
    #[serde(default)]
    related_person: Vec<RelatedPerson>,
}

#[derive(Deserialize)]
struct Demographic {
    identifier: Vec<WireIdentifier>,
    name: Name,
    sex: String,
    birth_date: String,
    marital_status: String,
    address: Vec<Address>,
    #[serde(default)]
    phone_number: Vec<String>,
}

#[derive(Deserialize)]
struct Name {
    given_name: String,
    surname: String,
}

#[derive(Deserialize)]
struct RelatedPerson {
    relationship_type: String,
    related_member: RelatedMember,
}

#[derive(Deserialize)]
struct RelatedMember {
    member_identifier: Vec<WireIdentifier>,
}

#[derive(Deserialize)]
struct WireIdentifier {
    identifier_type: String,
    identifier_value: String,
}

impl Person {
    fn of(member: Member) -> Self {
        let who = member.demographic_info;
        let related = member.related_person.into_iter().map(|other| Related {
            role: other.relationship_type,
            identifiers: identifiers(other.related_member.member_identifier),
        });
        Self {
            identifiers: identifiers(who.identifier),
            family: who.name.surname,
            given: who.name.given_name,
            sex: who.sex,
            birth_date: who.birth_date.chars().take(10).collect(),
            marital_status: who.marital_status,
            addresses: who.address,
            phones: who.phone_number,
            related: related.collect(),
        }
    }
}

fn identifiers(wire: Vec<WireIdentifier>) -> Vec<Identifier> {
    let each = wire.into_iter().map(|one| Identifier {
        scheme: match one.identifier_type.as_str() {
            "UIN" => "national-id".to_owned(),
            "BRN" => "birth-registration-number".to_owned(),
            _ => one.identifier_type,
        },
        value: one.identifier_value,
    });
    each.collect()
}
