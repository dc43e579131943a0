use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::TraceContext;

/// Who asks and why, as the caller states it.
#[derive(Clone, Default)]
pub struct Asker {
    /// `Registry-User`: the caller's user, an opaque name.
    pub user: Option<String>,
    /// `Registry-Entity`: the organisation for which the user acts.
    pub entity: Option<String>,
    /// `Registry-Purpose`.
    pub purpose: Option<String>,
    /// `Registry-Legal-Basis`.
    pub legal_basis: Option<String>,
}

/// What an adapter may know of the call it serves. Has no `Debug`: a proof is a secret.
#[derive(Clone, Default)]
pub struct Call {
    /// The gateway's number of the request.
    pub request_id: String,
    /// The registry's name in the configuration.
    pub registry: String,
    /// Who asks and why.
    pub asker: Asker,
    /// The person's agreement.
    pub consent: Option<Consent>,
    /// What the person handed over.
    pub proof: Option<Proof>,
    /// Top-level fields of the model that the caller wants; empty: all that it may see.
    pub wanted_fields: Vec<String>,
    /// BCP 47, best first.
    pub languages: Vec<String>,
    /// The same for every attempt at one write. None in reads.
    pub operation_key: Option<String>,
    /// 1 for the first.
    pub attempt: u32,
    /// The parent of what is done for it. Not lent: no adapter sees it.
    pub trace: Option<TraceContext>,
}

/// The person's agreement, where the registry asks for it (SPDCI `consent`).
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Consent {
    /// The consent's number or reference.
    pub reference: String,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_at: Option<String>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// What the person hands over to show that they are there. A secret: it has no `Debug`.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proof {
    /// What `value` is.
    pub kind: ProofKind,
    /// The code, password or token.
    pub value: String,
    /// What belongs to it: `redirect-uri`, `code-verifier`, `transaction-id`.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

/// The kinds of proof that the contract names.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProofKind {
    /// OpenID Connect authorization code.
    AuthorizationCode,
    /// A password that is valid once.
    OneTimePassword,
    /// A signed statement by the person or their wallet.
    Token,
    /// Any other.
    #[serde(untagged)]
    Other(String),
}

impl utoipa::PartialSchema for ProofKind {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let words = [Self::AuthorizationCode, Self::OneTimePassword, Self::Token];
        super::codes::open_list(words.map(|word| serde_json::json!(word)))
    }
}

impl ToSchema for ProofKind {}
