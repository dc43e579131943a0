//! The messages beside a search: SPDCI v1.0.0, `TxnStatusRequest`, `SubscribeRequest`,
//! `UnSubscribeRequest`, `EnrollmentUpdatesRequest` and `EnrolledRequest`.

use serde::Serialize;
use serde_json::Value;

/// What became of a transaction.
#[derive(Clone, Debug, Serialize)]
pub struct TxnStatus {
    /// Of the question itself.
    pub transaction_id: String,
    /// About which.
    pub txnstatus_request: TxnStatusRequest,
}

/// `TxnStatusRequest.txnstatus_request`.
#[derive(Clone, Debug, Serialize)]
pub struct TxnStatusRequest {
    /// A UUID.
    pub reference_id: String,
    /// `search` or `subscribe`
    pub txn_type: &'static str,
    /// `transaction_id`
    pub attribute_type: &'static str,
    /// Its number.
    pub attribute_value: String,
}

/// Life events are wanted.
#[derive(Clone, Debug, Serialize)]
pub struct Subscribe {
    /// A UUID.
    pub transaction_id: String,
    /// One kind of event.
    pub subscribe_request: [SubscribeRequest; 1],
}

/// `SubscribeRequest.subscribe_request[]`.
#[derive(Clone, Debug, Serialize)]
pub struct SubscribeRequest {
    /// The transaction's own number.
    pub reference_id: String,
    /// RFC 3339 with zone.
    pub timestamp: String,
    /// Of what.
    pub subscribe_criteria: SubscribeCriteria,
    /// `^[a-z]{3}$`
    pub locale: String,
}

/// `subscribe_criteria`.
#[derive(Clone, Debug, Serialize)]
pub struct SubscribeCriteria {
    /// `1.0.0`
    pub version: String,
    /// `ns:org:RegistryType:Civil`
    pub reg_type: String,
    /// `spdci-common:RegistryEventType:LiveBirth`
    pub reg_event_type: String,
    /// `predicate`
    pub filter_type: &'static str,
    /// Required, and without a condition: all of them are wanted.
    pub filter: [Value; 0],
    /// What kind of records we want.
    pub notify_record_type: String,
}

/// Life events are not wanted any more.
#[derive(Clone, Debug, Serialize)]
pub struct Unsubscribe {
    /// A UUID.
    pub transaction_id: String,
    /// RFC 3339 with zone.
    pub timestamp: String,
    /// As the registry gave them.
    pub subscription_codes: Vec<String>,
}

/// A beneficiary registry is told.
#[derive(Clone, Debug, Serialize)]
pub struct EnrolmentUpdates {
    /// The operation's key: the same for every attempt.
    pub transaction_id: String,
    /// Of one.
    pub enrolled_updates: EnrolledUpdates,
}

/// `EnrollmentUpdatesRequest.enrolled_updates`.
#[derive(Clone, Debug, Serialize)]
pub struct EnrolledUpdates {
    /// The gateway's queue is the batch.
    pub beneficiaries: [Value; 1],
}

/// Whether somebody is in a programme.
#[derive(Clone, Debug, Serialize)]
pub struct Enrolled {
    /// A UUID.
    pub transaction_id: String,
    /// Who, in which.
    pub enrolled_criteria: EnrolledCriteria,
}

/// `EnrolledRequest.enrolled_criteria`.
#[derive(Clone, Debug, Serialize)]
pub struct EnrolledCriteria {
    /// `expression`
    pub query_type: &'static str,
    /// `Member`
    pub response_entity: &'static str,
    /// As the specification's example writes it.
    pub query: Value,
}
