//! What was sent to callers, by the name of its subscription.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::put;

/// The figures of webhooks.
#[derive(Clone)]
pub(in crate::gateway) struct Webhooks {
    messages: Family<OutcomeLabels, Counter>,
    lag: Family<NameLabels, Gauge>,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OutcomeLabels {
    webhook: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct NameLabels {
    webhook: String,
}

impl Webhooks {
    pub(super) fn new(ours: &mut Registry) -> Self {
        Self {
            messages: put(
                ours,
                "webhook_messages",
                "Messages to callers by how they ended",
                None,
                Family::default(),
            ),
            lag: put(
                ours,
                "webhook_lag",
                "Positions of the feed behind what is over for a webhook",
                None,
                Family::default(),
            ),
        }
    }

    pub(in crate::gateway) fn sent(&self, webhook: &str, outcome: &'static str) {
        let webhook = webhook.to_owned();
        let labels = OutcomeLabels { webhook, outcome };
        self.messages.get_or_create(&labels).inc();
    }

    /// Of all that there are.
    pub(in crate::gateway) fn lag(&self, lags: Vec<(String, i64)>) {
        self.lag.clear();
        for (webhook, lag) in lags {
            self.lag.get_or_create(&NameLabels { webhook }).set(lag);
        }
    }
}
