//! Spans and JSON logs of the real program: what is in them, and what never is.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

mod real;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gateway_tests::ask::identifiers;
use gateway_tests::leaks::Words;
use gateway_tests::stand_in::{Fault, Population};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use real::Place;
use real::collector::Collector;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const SECRET: &str = "Otlptoken-55129034";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A span's fields as text.
fn fields(span: &Span) -> BTreeMap<String, String> {
    let fields = span.attributes.iter().map(|field| {
        let value = field.value.clone().unwrap().value.unwrap();
        let text = match value {
            Any::StringValue(text) => text,
            Any::IntValue(number) => number.to_string(),
            other => panic!("{}: {other:?}", field.key),
        };
        (field.key.clone(), text)
    });
    fields.collect()
}

fn one<'a>(spans: &'a [Span], name: &str, request: &str) -> &'a Span {
    let mut found = spans.iter().filter(|span| {
        let fields = fields(span);
        span.name == name
            && fields
                .get("registry_gateway.request_id")
                .is_some_and(|id| id == request)
    });
    let span = found
        .next()
        .unwrap_or_else(|| panic!("no {name} of {request}: {spans:#?}"));
    assert!(found.next().is_none(), "two of {name}");
    span
}

fn telemetry(base: &str) -> String {
    format!(
        "[telemetry]\notlp_endpoint = '{base}'\nservice_name = 'gateway-of-the-suite'\n\
         headers = {{ 'x-otlp-key' = 'env:REGISTRY_SECRET_OTLP' }}"
    )
}

/// Everything that may be asked about somebody, and what goes wrong.
async fn ask_all(place: &Place, running: &real::Running) -> Words {
    let mut uins = Vec::new();
    for index in (0..60).step_by(9) {
        let person = place.stand_in.population().person(index);
        let one = json!({ "identifiers": identifiers(&person.uin) });
        let claim = json!({
            "identifiers": identifiers(&person.uin),
            "claimed": { "names": [{ "family": person.name.surname }] },
        });
        let named = json!({ "field": "name.family", "equals": person.name.surname });
        let named = json!({ "criteria": [named], "pageSize": 5 });
        for (ability, body) in [
            ("find", &one),
            ("household", &one),
            ("search", &named),
            ("verify", &claim),
        ] {
            let baggage = format!("patient={}", person.uin);
            let ask = running.post(ability, body).header("baggage", &baggage);
            let ask = ask.header("tracestate", "vendor=Zwtracestate");
            let ask = ask.header("registry-user", &person.uin);
            assert_eq!(ask.send().await.status, 200, "{ability}");
        }
        let path = format!("/v1/{}/{}", person.name.surname, person.uin);
        assert_eq!(running.get(&path).send().await.status, 404);
        let other = format!("{}/v1/registries/{}/find", running.base, person.uin);
        let other = gateway_tests::ask::Ask::post(other)
            .json(&one)
            .key(&running.key);
        assert_eq!(other.send().await.status, 404);
        uins.push(person.uin);
    }
    for fault in [
        "refuse:no-record-for-somebody",
        "html",
        "hang-up",
        "other-person",
        "unavailable",
    ] {
        place.stand_in.set_fault(fault.parse().unwrap());
        assert_ne!(running.find(&uins[0]).send().await.status, 200, "{fault}");
    }
    place.stand_in.set_fault(Fault::None);
    let planted = Population::planted_words().into_iter().map(str::to_owned);
    let more = ["Zwtracestate".to_owned(), SECRET.to_owned()];
    Words::new(uins.into_iter().chain(planted).chain(more))
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_tell_of_requests_and_of_nobody() {
    let (collector, base) = Collector::start().await;
    // What the registry's faults ask for would keep the questions after them from it.
    let endpoint = "trace_context = true\ntraffic = { max_retry_after_ms = 0 }";
    let place = Place::new("", &telemetry(&base), endpoint).await;
    let running = place.start(|command| {
        command.env("REGISTRY_SECRET_OTLP", SECRET);
        // The library would read these; the configuration alone decides.
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
        command.env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1");
        command.env("OTEL_RESOURCE_ATTRIBUTES", "who=Zwtracestate");
        command.env("OTEL_TRACES_SAMPLER", "always_off");
    });
    let words = ask_all(&place, &running).await;

    let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let uin = place.stand_in.population().person(3).uin;
    let ask = running.find(&uin).header("x-request-id", id);
    let ask = ask.header("traceparent", &format!("00-{TRACE}-{PARENT}-01"));
    let ask = ask
        .header("baggage", "patient=1")
        .header("tracestate", "a=b");
    let answer = ask.send().await.ok();
    assert_eq!(answer.header("x-request-id"), id);
    let received = place.stand_in.last_request().unwrap().headers;
    // The caller does not keep this trace.
    let unkept = "67e55044-10b1-426f-9247-bb680e5fe0c9";
    let ask = running.find(&uin).header("x-request-id", unkept);
    let ask = ask.header("traceparent", &format!("00-{TRACE}-{PARENT}-00"));
    ask.send().await.ok();
    let unkept_received = place.stand_in.last_request().unwrap().headers;
    running.get("/healthz").send().await;
    running.tell();
    let (status, log, _) = running.ended();
    assert!(status.success(), "{log}");

    // What ended before the end of the program was exported before it.
    let spans = collector.spans();
    let request = one(&spans, "POST /v1/registries/{registry}/find", id);
    let call = one(&spans, "call", id);
    let egress = one(&spans, "egress", id);
    let begin = one(&spans, "audit begin", id);
    let end = one(&spans, "audit end", id);
    for span in [request, call, egress, begin, end] {
        assert_eq!(hex(&span.trace_id), TRACE, "{}", span.name);
    }
    assert_eq!(hex(&request.parent_span_id), PARENT);
    assert_eq!(call.parent_span_id, request.span_id);
    for inner in [egress, begin, end] {
        assert_eq!(inner.parent_span_id, call.span_id, "{}", inner.name);
    }
    // The registry is told of the request to it, and of nothing that came with the trace.
    let told = received.get("traceparent").unwrap().to_str().unwrap();
    assert_eq!(told, format!("00-{TRACE}-{}-01", hex(&egress.span_id)));
    let told = unkept_received
        .get("traceparent")
        .unwrap()
        .to_str()
        .unwrap();
    assert!(
        told.starts_with(&format!("00-{TRACE}-")) && told.ends_with("-00"),
        "{told}"
    );
    for never in ["baggage", "tracestate", "x-request-id"] {
        assert!(!received.contains_key(never), "{never}");
    }
    assert!(
        !spans
            .iter()
            .any(|span| fields(span).values().any(|it| it == unkept))
    );

    let of = fields(request);
    assert_eq!(of["http.route"], "/v1/registries/{registry}/find");
    assert_eq!(of["http.request.method"], "POST");
    assert_eq!(of["http.response.status_code"], "200");
    let of = fields(call);
    assert_eq!(of["registry_gateway.registry"], "civil");
    assert_eq!(of["registry_gateway.ability"], "find");
    assert_eq!(of["registry_gateway.outcome"], "done");
    assert!(of["registry_gateway.module"].starts_with("sha256:"));
    let of = fields(egress);
    assert_eq!(of["registry_gateway.endpoint"], "registry");
    assert_eq!(of["http.response.status_code"], "200");

    nothing_else(&collector, &spans, &words);
    json_lines(&log, id, &words);
}

/// No field but the known ones, no event, no link, no word of a person.
fn nothing_else(collector: &Collector, spans: &[Span], words: &Words) {
    let mut keys = BTreeSet::new();
    let mut names = BTreeSet::new();
    for span in spans {
        keys.extend(fields(span).into_keys());
        names.insert(span.name.clone());
        assert!(span.events.is_empty() && span.links.is_empty() && span.trace_state.is_empty());
        assert_eq!(
            span.status.as_ref().map_or("", |status| &status.message),
            ""
        );
    }
    let known = [
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "registry_gateway.ability",
        "registry_gateway.endpoint",
        "registry_gateway.module",
        "registry_gateway.outcome",
        "registry_gateway.registry",
        "registry_gateway.request_id",
    ];
    assert_eq!(
        keys.iter().collect::<Vec<_>>(),
        known.iter().collect::<Vec<_>>()
    );
    assert!(
        names.len() == 8,
        "four routes, call, egress, two of the audit: {names:?}"
    );
    let failed = spans
        .iter()
        .filter(|span| span.status.as_ref().is_some_and(|it| it.code == 2));
    assert!(
        failed.count() >= 3,
        "a hang-up is the request's, the call's and the egress's failure"
    );

    for body in collector.bodies.lock().unwrap().iter() {
        let found = words.found_in(body);
        assert!(found.is_empty(), "{found:?}");
    }
    let heads = collector.heads.lock().unwrap().clone();
    assert!(!heads.is_empty());
    for head in heads {
        let head = head.to_lowercase();
        assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
        assert!(head.contains(&format!("x-otlp-key: {}", SECRET.to_lowercase())));
        assert!(head.contains("content-type: application/x-protobuf"));
    }
    let bodies = collector.bodies.lock().unwrap();
    let first = ExportTraceServiceRequest::decode(&*bodies[0]).unwrap();
    let resource = first.resource_spans[0].resource.clone().unwrap();
    let keys: Vec<_> = resource.attributes.iter().map(|it| &*it.key).collect();
    assert!(keys.contains(&"service.name") && keys.contains(&"service.version"));
    assert_eq!(
        keys.len(),
        2,
        "nothing of the machine or its environment: {keys:?}"
    );
}

/// Every line is an object; those of a request have its number.
fn json_lines(log: &str, id: &str, words: &Words) {
    let mut of_requests = 0;
    let mut of_this = BTreeSet::new();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        for key in ["timestamp", "level", "target", "message"] {
            assert!(line[key].is_string(), "{key} in {line}");
        }
        for key in line.as_object().unwrap().keys() {
            let plain = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
            assert!(key.chars().all(plain), "{key} in {line}");
            // A time or a size says its unit.
            let bare = ["elapsed", "took", "duration", "time", "size", "timeout"];
            assert!(!bare.contains(&&**key), "{key} in {line}");
        }
        let number = &line["span"]["request_id"];
        if line["message"] == "request" {
            of_requests += 1;
            assert!(
                line["elapsed_ms"].is_u64() && line["http.status"].is_u64(),
                "{line}"
            );
            assert!(line["http.route"].is_string(), "{line}");
            assert!(number.is_string(), "{line}");
        }
        if number == id {
            of_this.insert(line["message"].as_str().unwrap().to_owned());
        }
        if line["message"] == "sent" {
            assert!(number.is_string(), "{line}");
        }
    }
    assert!(of_requests > 40, "{of_requests}");
    assert_eq!(of_this, ["request", "sent"].map(str::to_owned).into());
    let found = words.found_in(log.as_bytes());
    assert!(found.is_empty(), "{found:?}");
}

/// Without a grant a registry is told nothing, and without a collector what came in goes on as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_passed_on_where_it_is_granted() {
    let header = format!("00-{TRACE}-{PARENT}-01");
    for (endpoint, given, passed) in [
        ("trace_context = true", Some(&*header), Some(&*header)),
        ("trace_context = true", Some("00-nonsense"), None),
        ("trace_context = true", None, None),
        ("", Some(&*header), None),
    ] {
        let place = Place::new("", "", endpoint).await;
        let running = place.start(|_| {});
        let uin = place.stand_in.population().person(3).uin;
        let mut ask = running.find(&uin);
        if let Some(given) = given {
            ask = ask.header("traceparent", given);
        }
        ask.header("baggage", "a=b").send().await.ok();
        let headers = place.stand_in.last_request().unwrap().headers;
        let told = headers.get("traceparent").map(|it| it.to_str().unwrap());
        assert_eq!(told, passed, "{endpoint} {given:?}");
        assert!(!headers.contains_key("baggage"));
    }
}

/// A collector that is not there, or says nothing, costs spans, not answers, and is said once.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_collector_the_gateway_answers() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let [silent_at, closed_at] =
        [&silent, &closed].map(|it| format!("http://{}", it.local_addr().unwrap()));
    drop(closed);
    for (base, why) in [
        (silent_at, "no answer in time"),
        (closed_at, "no connection"),
    ] {
        let more = telemetry(&base) + "\ntimeout_ms = 300";
        let place = Place::new("", &more, "").await;
        let mut running = place.start(|command| {
            command.env("REGISTRY_SECRET_OTLP", SECRET);
        });
        let uin = place.stand_in.population().person(3).uin;
        for _ in 0..3 {
            running.find(&uin).send().await.ok();
            tokio::time::sleep(Duration::from_millis(1_100)).await;
        }
        let line = running.line("the collector takes no spans");
        assert!(line.contains(why), "{line}");
        running.tell();
        let (status, log, took) = running.ended();
        assert!(status.success(), "{log}");
        assert!(took < Duration::from_secs(20), "{took:?}");
        let told = log.matches("the collector takes no spans").count();
        assert_eq!(told, 1, "{log}");
        assert!(!log.contains(&base) && !log.contains(SECRET), "{log}");
    }
}

/// No trace that begins here is kept; one that a caller keeps is.
#[tokio::test(flavor = "multi_thread")]
async fn of_the_traces_that_begin_here_so_many_are_kept() {
    let (collector, base) = Collector::start().await;
    let more = telemetry(&base) + "\nsample_ratio = 0.0";
    let place = Place::new("", &more, "").await;
    let running = place.start(|command| {
        command.env("REGISTRY_SECRET_OTLP", SECRET);
    });
    let uin = place.stand_in.population().person(3).uin;
    running.find(&uin).send().await.ok();
    let ask = running.find(&uin);
    let ask = ask.header("traceparent", &format!("00-{TRACE}-{PARENT}-01"));
    ask.send().await.ok();
    running.tell();
    let (status, log, _) = running.ended();
    assert!(status.success(), "{log}");
    let spans = collector.spans();
    assert_eq!(spans.len(), 5, "request, call, egress and two of the audit");
    assert!(spans.iter().all(|span| hex(&span.trace_id) == TRACE));
}
