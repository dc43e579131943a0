//! What is sent: SPDCI v1.0.0, `MsgHeader_V1.0.0` and the messages. The same structures in the
//! social, the CRVS and the IBR specification, where the official samples do not hold to them: no field is
//! an empty string, `total_count` is a number, times have a zone.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The body of a request. Without `signature`, which is optional.
#[derive(Clone, Debug, Serialize)]
pub struct Envelope<M = Message> {
    /// Who sends, and what.
    pub header: Header,
    /// A search, or another message.
    pub message: M,
}

/// `MsgHeader_V1.0.0`.
#[derive(Clone, Debug, Serialize)]
pub struct Header {
    /// `1.0.0`
    pub version: String,
    /// A UUID.
    pub message_id: String,
    /// RFC 3339 with zone.
    pub message_ts: String,
    /// `search`
    pub action: &'static str,
    /// `MsgCallbackHeader_V1.0.0` only, which the specification has for what is told and not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// As registered with the registry.
    pub sender_id: String,
    /// Where we could be called back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_uri: Option<String>,
    /// As the registry calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiver_id: Option<String>,
    /// How many requests are in the message.
    pub total_count: u32,
    /// Always false.
    pub is_msg_encrypted: bool,
}

/// `SearchRequest`.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// A UUID (at most 99 characters).
    pub transaction_id: String,
    /// One request: batches are sent as several messages.
    pub search_request: [SearchRequest; 1],
}

/// `SearchRequest.search_request[]`.
#[derive(Clone, Debug, Serialize)]
pub struct SearchRequest {
    /// A UUID.
    pub reference_id: String,
    /// RFC 3339 with zone.
    pub timestamp: String,
    /// What is asked.
    pub search_criteria: Criteria,
    /// `^[a-z]{3}$`
    pub locale: String,
}

/// `search_criteria`.
#[derive(Clone, Debug, Serialize)]
pub struct Criteria {
    /// `1.0.0`
    pub version: String,
    /// `ns:org:RegistryType:Social`
    pub reg_type: String,
    /// Where the registry wants one; not in the specification's request schema, which does not
    /// forbid it either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reg_event_type: Option<String>,
    /// What kind of records we want.
    pub reg_record_type: String,
    /// `Group` or `Member`; social registry only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_entity: Option<&'static str>,
    /// With `query_type`.
    #[serde(flatten)]
    pub query: Query,
    /// Order, if any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<Sort>,
    /// Which part of the answer.
    pub pagination: Pagination,
    /// The person's agreement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<Agreement>,
    /// Why we may ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorize: Option<Agreement>,
}

/// `query_type` and `query`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "query_type", content = "query", rename_all = "kebab-case")]
pub enum Query {
    /// One identifier.
    IdtypeValue {
        /// `UIN`
        #[serde(rename = "type")]
        identifier_type: String,
        /// Its value.
        value: String,
    },
    /// `ExpressionWithConditionList`: all entries hold.
    Predicate(Vec<Predicate>),
    /// A query in the registry's own language.
    Expression {
        /// `ns:org:QueryType:NoSql`
        #[serde(rename = "type")]
        expression_type: String,
        /// `{"expression": …}`
        value: Value,
    },
}

/// One or two expressions and how they are joined.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Predicate {
    /// From 1.
    pub seq_num: u32,
    /// The first.
    pub expression1: Expression,
    /// `and` or `or`, where there is a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<&'static str>,
    /// The second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression2: Option<Expression>,
}

/// One attribute, one operator, one value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expression {
    /// As the registry calls it.
    pub attribute_name: String,
    /// `gt lt eq ge le in`
    pub operator: &'static str,
    /// Always text: a whole number is both `integer` and `number` to the schema's `oneOf`, and so
    /// neither.
    pub attribute_value: String,
}

/// `sort[]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sort {
    /// As the registry calls it.
    pub attribute_name: String,
    /// `asc` or `desc`
    pub sort_order: &'static str,
}

/// `pagination`, counted from 1.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Pagination {
    /// Records of one page.
    pub page_size: u32,
    /// The page.
    pub page_number: u32,
}

/// `consent` and `authorize`: `Consent.jsonld`, `Authorize.jsonld`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// `Consent` or `Authorize`
    #[serde(rename = "@type")]
    pub kind: &'static str,
    /// RFC 3339: when it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ts: Option<String>,
    /// What for.
    pub purpose: Purpose,
}

/// `purpose` of an agreement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Purpose {
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The consent's reference, or the legal basis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}
