//! The verbs, without HTTP, SQL or WebAssembly. One lookup is a straight line: who asks, which
//! registry, may they, a durable audit row, a turn, the module, another durable audit row, and
//! what the caller may see of the answer.

mod acting;
mod admission;
mod alone;
mod audit;
mod bodies;
mod callers;
mod check;
mod error;
mod events;
mod links;
mod lookups;
mod metrics;
mod nodes;
mod operations;
mod phase;
mod registries;
mod roster;
mod shadow;
mod swap;
mod webhooks;

use std::path::Path;
use std::sync::Arc;

pub use acting::{Act, Acting, AdminError, Finding};
pub use admission::{CheckedModule, ModuleView, Place as AdmissionPlace};
pub use alone::{Alone, Called, Field, LiveQuestion, LoadedAlone, NotLookedAt, Outcome, Unused};
pub use audit::{
    Bad, BadPublicKey, ExportError, FindPage, Found, FoundCall, Kept, PublicKey, SealError,
    SignedCheckpoint, Verdict, verify_export,
};
pub use callers::acts::KeyWish;
pub use callers::session::{Held, Opened, SessionLimits};
pub use callers::{AddedKey, Caller, CallerError, CallerView, KnownCaller, NewCaller};
pub use check::check;
pub use error::GatewayError;
pub use events::{
    Admitted, CallbackView, EventView, FeedEvent, FeedPage, FeedQuery, HookError, MAX_FEED_LIMIT,
    MAX_FEED_WAIT, Proof,
};
pub use links::{LinkEnd, LinkQuery, LinkRefused, LinkView, LinkedPeople, NewLink};
pub use lookups::audited::{Answered, Asking};
pub use lookups::later::{KeptLookup, LookedUp, Way};
pub use lookups::{MAX_PAGE_SIZE, PageAnswer};
pub use metrics::Metrics;
pub use metrics::health::{Hour, Minute, Went};
pub use nodes::{NodeView, NodesView};
pub use operations::{Accepted, NewWrite, OperationView, Resolution};
pub use phase::NotReady;
pub use registries::settings::check_settings;
pub use registries::test::{End, RegistryTest, Step};
pub use registries::{
    AppliedRegistries, Exported, FieldDifference, RegistriesToApply, RegistryDifference, What,
};
#[doc(hidden)]
pub use registries::{ApplyError, Change, apply_file};
pub use roster::{AdministeredRegistry, Drain, Readiness, RegistryState, RegistryView, chain};
pub use shadow::{Difference, FieldReport, Seen, ShadowReport};
pub use swap::{Back, CandidateView, LoadedModule, SwapView, Swapped, ToActivate};
pub use webhooks::{AddedWebhook, NewWebhook, Pinged, Rotated, WebhookView};

// They stand in `GatewayError`: who renders one should not have to know whose they are.
pub use crate::config::registry::Requirement;
pub(crate) use crate::sandbox::digest_of as module_digest;
pub use crate::sandbox::{Description, Fault, Following, Said, TooSlow};
pub use crate::store::LinkFilter;
pub use crate::store::{ActEntry, AuditEntry, AuditFilter, AuditPage};
pub use crate::store::{Activation, Behind, CallerKey, CallerSettings, OpenState};
pub use crate::store::{
    IDEMPOTENCY_KEY_MAX_BYTES, Operation, OperationFilter, OperationState, OperationStep,
};

use tokio_util::task::TaskTracker;

use admission::Admission;
use audit::Audit;
use audit::fingerprint::Fingerprint;
use bodies::Bodies;
use callers::allowance::Allowance;
use callers::keys::Keys;
use callers::session::Sessions;
use callers::tokens::Tokens;
use events::Events;
use lookups::page_token::PageTokens;
use nodes::{Membership, StoreLedger};
use operations::Delivery;
use phase::Phase;
use roster::Roster;
use swap::OpenPages;
use webhooks::Sending;

use crate::config::admission::AdmissionConfig;
use crate::config::audit::AuditConfig;
use crate::config::bodies::BodiesConfig;
use crate::config::callers::CallersConfig;
use crate::config::events::EventsConfig;
use crate::config::lookups::LookupsConfig;
use crate::config::operations::OperationsConfig;
use crate::config::secret::Secrets;
use crate::config::webhooks::WebhooksConfig;
use crate::egress::Egress;
use crate::sandbox::Sandbox;
use crate::store::Store;

/// Everything behind the API. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    roster: Roster,
    keys: Keys,
    tokens: Tokens,
    allowance: Allowance,
    fingerprint: Fingerprint,
    page_tokens: PageTokens,
    sessions: Sessions,
    audit: Audit,
    bodies: Bodies,
    events: Events,
    open_pages: OpenPages,
    metrics: Metrics,
    /// The calls under way: each goes on when its caller has hung up.
    tasks: TaskTracker,
    phase: Phase,
    nodes: Membership,
    admission: Admission,
    lookups: LookupsConfig,
    delivery: Delivery,
    sending: Sending,
}

/// What of the configuration a gateway is made with.
pub struct Sections<'a> {
    /// Where its keys are.
    pub data_dir: &'a Path,
    /// How modules are taken in.
    pub admission: &'a AdmissionConfig,
    /// How the audit is signed and kept.
    pub audit: &'a AuditConfig,
    /// What callers may do in general.
    pub callers: &'a CallersConfig,
    /// How much of what registries tell is taken.
    pub events: &'a EventsConfig,
    /// By which key what is kept of people is sealed.
    pub bodies: &'a BodiesConfig,
    /// How lookups are kept whose registry answers later.
    pub lookups: &'a LookupsConfig,
    /// How writes are delivered.
    pub operations: &'a OperationsConfig,
    /// How callers are told of events.
    pub webhooks: &'a WebhooksConfig,
}

/// The gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The key of the audit's hashes cannot be read or made.
    #[error("the key file in the data directory cannot be used")]
    Key(#[source] std::io::Error),
    /// There is an audit and no key to it.
    #[error(
        "the key of the audit is gone from the data directory, and nobody could be found in the \
         audit again: restore audit.key from backup, or copy it from another gateway of this \
         database"
    )]
    KeyLost,
    /// An issuer of tokens is not configured as it should be.
    #[error("callers.issuers.{name}: {problem}")]
    Issuer {
        /// Its name here.
        name: String,
        /// What is wrong, with the remedy.
        problem: String,
    },
    /// The key of the audit's checkpoints cannot be read or made.
    #[error("the key that signs the audit cannot be used")]
    SigningKey(#[source] std::io::Error),
    /// The same, where it is a secret.
    #[error("the key that signs the audit cannot be read")]
    SigningKeySecret(#[source] crate::config::secret::SecretError),
    /// The audit is signed, and the key is gone.
    #[error(
        "the key that signs the audit is not the one that signed it: restore audit-signing.key from \
         backup, or copy it from the other gateway, or put its public key, which is in every \
         exported checkpoint, into [audit] trusted_keys"
    )]
    SigningKeyLost,
    /// A key that is to be believed is none.
    #[error("audit.trusted_keys.{0}")]
    AuditTrustedKey(usize, #[source] BadPublicKey),
    /// A key whose signatures should be trusted is none.
    #[error("admission.trusted_keys: {0}")]
    TrustedKey(crate::package::KeyError),
    /// The key is another one than that of the database's audit.
    #[error(
        "the audit of this database is written with another key than the data directory's \
         audit.key, and nobody could be found in the rows of both: copy audit.key from a gateway \
         that serves with this database"
    )]
    OtherKey,
    /// The key of bodies cannot be read or made.
    #[error("the key of sealed bodies cannot be used")]
    BodiesKey(#[source] std::io::Error),
    /// The same, where it is a secret.
    #[error("the key of sealed bodies cannot be read")]
    BodiesKeySecret(#[source] crate::config::secret::SecretError),
    /// There are sealed bodies, and none of the keys opens them.
    #[error(
        "the key that sealed what is in the database is not here: restore bodies.key from backup, or \
         copy it from another gateway of this database, or put it into [bodies] previous_keys"
    )]
    BodiesKeyLost,
    /// The key is another one than that of the other gateways.
    #[error(
        "this database was sealed with another key than this gateway's bodies.key or [bodies] key: put \
         the key of before into [bodies] previous_keys, or copy bodies.key from another gateway of it"
    )]
    BodiesOtherKey,
    /// The authorities of webhooks' receivers cannot be used.
    #[error("{0}")]
    WebhookAuthorities(String),
    /// The node's id cannot be read or made.
    #[error("the node's id in the data directory cannot be used")]
    NodeId(#[source] std::io::Error),
    /// The database does not answer.
    #[error("the configuration cannot be read from the database")]
    Store(#[from] crate::store::StoreError),
}

impl Gateway {
    /// One that answers every call with "starting" until [`load`](Self::load) is done.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn new(
        store: Store,
        sandbox: Sandbox,
        egress: Egress,
        secrets: Secrets,
        sections: Sections<'_>,
    ) -> Result<Self, StartError> {
        let Sections {
            data_dir,
            admission,
            audit,
            callers,
            events,
            bodies,
            lookups,
            operations,
            webhooks,
        } = sections;
        let bodies = Bodies::open(bodies, &store, &secrets, data_dir).await?;
        let audit = Audit::open(audit, &store, &secrets, data_dir).await?;
        let fingerprint = fingerprint(&store, &data_dir.join("audit.key")).await?;
        let admission = Admission::new(admission)?;
        let nodes = Membership::default();
        let quotas = Arc::new(StoreLedger::new(store.clone(), Arc::clone(&nodes.live)));
        let egress = egress.in_cluster(quotas.clone(), Arc::clone(&nodes.share));
        let page_tokens = PageTokens::new(fingerprint.derive(b"page tokens"));
        let name_key = fingerprint.derive(b"names of callers");
        let tokens = Tokens::new(callers, &egress, &secrets, name_key)?;
        let sessions = Sessions::new(fingerprint.derive(b"sessions"));
        let sending = Sending::new(webhooks, &egress, &secrets)?;
        Ok(Self {
            inner: Arc::new(Inner {
                tokens,
                roster: Roster::new(sandbox, egress, secrets),
                keys: Keys::new(callers.failed_keys_per_minute.get()),
                allowance: Allowance::new(callers, quotas, Arc::clone(&nodes.share)),
                fingerprint,
                page_tokens,
                sessions,
                audit,
                bodies,
                events: Events::new(events),
                open_pages: OpenPages::default(),
                metrics: Metrics::new(),
                tasks: TaskTracker::new(),
                phase: Phase::default(),
                admission,
                lookups: lookups.clone(),
                delivery: Delivery::new(operations),
                sending,
                nodes,
                store,
            }),
        })
    }

    /// Loads registries and callers, and keeps them as the store has them from then on.
    ///
    /// # Errors
    /// [`StartError`]. A registry that does not load is no error: it is shown with its reason.
    pub async fn load(&self) -> Result<(), StartError> {
        self.take_over().await?;
        self.watch();
        self.keep_audit().await;
        self.inner.phase.loaded();
        Ok(())
    }

    /// The process's figures.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }
}

/// The key of the audit. One is made before the first row only: under another key nobody would be
/// found in the rows that are there, and nothing would tell. For the same reason all gateways of a
/// database must have the same.
async fn fingerprint(store: &Store, path: &Path) -> Result<Fingerprint, StartError> {
    let there = store.key_check().await?;
    let (mine, made) = match Fingerprint::open(path).map_err(StartError::Key)? {
        Some(known) => (known, false),
        None if there.is_some() => return Err(StartError::KeyLost),
        None if !store.audit().recent(1).await?.is_empty() => return Err(StartError::KeyLost),
        None => (Fingerprint::make(path).map_err(StartError::Key)?, true),
    };
    let there = match there {
        Some(there) => there,
        None => store.keep_key_check(mine.check()).await?,
    };
    if there == mine.check() {
        return Ok(mine);
    }
    if made {
        // Another gateway made its own at the same moment. Nothing was written under this one.
        std::fs::remove_file(path).map_err(StartError::Key)?;
    }
    Err(StartError::OtherKey)
}

#[cfg(test)]
mod tests;
