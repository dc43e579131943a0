//! Spans for OpenTelemetry: what took how long, across processes.
//!
//! The threat: a span leaves the machine, for a collector that many can read. So a span has no
//! field but those of `Field`, whose values are names of the configuration, words of this program
//! and numbers. They are made by hand, not by a layer over `tracing`, which would take over
//! whatever any library says.
//!
//! Without a collector nothing is made here: a `Span` is then only the context that came in.

use std::borrow::Cow;
use std::sync::OnceLock;

use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::model::TraceContext;

static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// From now on spans are made, for the process. The first provider stays.
pub fn install(provider: &SdkTracerProvider) {
    let _ = TRACER.set(provider.tracer("registry-gateway"));
}

/// Everything that a span may say.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field {
    /// The method, of those that HTTP knows.
    Method,
    /// The route's pattern.
    Route,
    /// The status of an answer.
    Status,
    /// The gateway's number of the request.
    RequestId,
    /// The registry's name in the configuration.
    Registry,
    /// The module's digest.
    Module,
    /// What is asked.
    Ability,
    /// How it ended, by the words of audit and metrics.
    Outcome,
    /// The endpoint's name in the configuration.
    Endpoint,
}

impl Field {
    /// OpenTelemetry's own name where it has one.
    fn name(self) -> &'static str {
        match self {
            Self::Method => "http.request.method",
            Self::Route => "http.route",
            Self::Status => "http.response.status_code",
            Self::RequestId => "registry_gateway.request_id",
            Self::Registry => "registry_gateway.registry",
            Self::Module => "registry_gateway.module",
            Self::Ability => "registry_gateway.ability",
            Self::Outcome => "registry_gateway.outcome",
            Self::Endpoint => "registry_gateway.endpoint",
        }
    }
}

/// On whose behalf a span's time is spent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    /// Somebody asked us.
    Server,
    /// We ask somebody.
    Client,
    /// Neither.
    Own,
}

/// Something that takes time. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Span {
    span: Option<opentelemetry_sdk::trace::Span>,
    parent: Option<TraceContext>,
}

impl Span {
    /// Begins. The name holds no value: as little may be in it as in the fields.
    pub(crate) fn begin(
        side: Side,
        name: impl Into<Cow<'static, str>>,
        parent: Option<TraceContext>,
    ) -> Self {
        let span = TRACER.get().map(|tracer| {
            let kind = match side {
                Side::Server => SpanKind::Server,
                Side::Client => SpanKind::Client,
                Side::Own => SpanKind::Internal,
            };
            let builder = tracer.span_builder(name).with_kind(kind);
            tracer.build_with_context(builder, &under(parent))
        });
        Self { span, parent }
    }

    /// None is made for this: only what came in is passed on.
    pub(crate) fn none(parent: Option<TraceContext>) -> Self {
        Self { span: None, parent }
    }

    /// The parent of what is done within it.
    pub(crate) fn context(&self) -> Option<TraceContext> {
        match &self.span {
            Some(span) => {
                let context = span.span_context();
                Some(TraceContext {
                    trace: u128::from_be_bytes(context.trace_id().to_bytes()),
                    span: u64::from_be_bytes(context.span_id().to_bytes()),
                    sampled: context.is_sampled(),
                })
            }
            None => self.parent,
        }
    }

    pub(crate) fn set(&mut self, field: Field, value: &str) {
        self.attribute(field, || Value::from(value.to_owned()));
    }

    pub(crate) fn set_status(&mut self, status: u16) {
        self.attribute(Field::Status, || Value::from(i64::from(status)));
    }

    fn attribute(&mut self, field: Field, value: impl FnOnce() -> Value) {
        if let Some(span) = &mut self.span
            && span.is_recording()
        {
            span.set_attribute(KeyValue::new(field.name(), value()));
        }
    }

    /// It did not go well, and the gateway or who is behind it is to blame. How is in the fields.
    pub(crate) fn failed(&mut self) {
        if let Some(span) = &mut self.span {
            span.set_status(Status::error(""));
        }
    }
}

fn under(parent: Option<TraceContext>) -> Context {
    let Some(parent) = parent else {
        return Context::new();
    };
    let flags = match parent.sampled {
        true => TraceFlags::SAMPLED,
        false => TraceFlags::default(),
    };
    Context::new().with_remote_span_context(SpanContext::new(
        TraceId::from_bytes(parent.trace.to_be_bytes()),
        SpanId::from_bytes(parent.span.to_be_bytes()),
        flags,
        true,
        TraceState::NONE,
    ))
}
