//! A base URL or a grant that says another thing than it seems to.

use registry_gateway::config::endpoint::EndpointConfig;

use super::arena::Arena;
use super::{End, Shown, Try, nets};

pub(super) fn tries(arena: &Arena) -> Vec<Try> {
    let outside = format!("127.0.0.1:{}", arena.outside);
    let urls = [
        format!("http://registry.example@{outside}/"),
        format!("http://registry.example:80@{outside}/"),
        format!("http://registry.example%40@{outside}"),
        format!("http://{outside}#@registry.example/"),
        format!("http://{outside}#/base/path"),
        format!("http://{outside}?@registry.example/"),
        format!("http://{outside}\\@registry.example/"),
        format!("http:{outside}/"),
        format!("http:/{outside}/"),
        format!("http:///{outside}/"),
        format!("http:\\\\{outside}/"),
        format!(" http://{outside}/"),
        format!("ht\ntp://{outside}/"),
        format!("http://127.\t0.0.1:{}/", arena.outside),
        format!("HTTP://{outside}/"),
        format!("http://{outside}/base/../../path"),
        format!("http://{outside}/%2e%2e/path"),
        format!("http://{outside}/..;/path"),
        format!("//{outside}/"),
        format!("ftp://{outside}/"),
        format!("ws://{outside}/"),
        format!("gopher://{outside}/"),
        "file:///etc/passwd".to_owned(),
        "http+unix://%2Frun%2Fpostgresql".to_owned(),
        "unix:/run/postgresql".to_owned(),
        "data:,x".to_owned(),
        format!("http://[fe80::1%25lo]:{}/", arena.outside),
        format!("http://[::1%25lo]:{}/", arena.outside),
        format!("http://[::1%lo]:{}/", arena.outside),
        format!("http://[127.0.0.1]:{}/", arena.outside),
        format!("http://127.0.0.1.0:{}/", arena.outside),
        format!("http://0x7f.0.0.0.1:{}/", arena.outside),
        format!("http://127.0.0.256:{}/", arena.outside),
        format!("http://127.0.0.08:{}/", arena.outside),
        format!("http://${{secret:host}}:{}/", arena.outside),
    ];
    let mut all: Vec<Try> = urls
        .into_iter()
        .map(|url| Try {
            end: End::Configuration("base_url"),
            ..Try::new(
                format!("base_url {url:?}").replace(&arena.outside.to_string(), "PORT"),
                EndpointConfig {
                    allow_plain_http: true,
                    ..EndpointConfig::new(url)
                },
            )
        })
        .collect();
    // Networks that open more than somebody meant who wrote them.
    for network in [
        "127.0.0.1/8",
        "10.1.2.3/8",
        "fd00::1/8",
        "::ffff:127.0.0.0/104",
        "::ffff:0:0/96",
    ] {
        all.push(Try {
            end: End::Configuration("allow_networks"),
            ..Try::new(
                format!("allow_networks {network}"),
                EndpointConfig {
                    allow_networks: nets(&[network]),
                    ..EndpointConfig::new(format!("http://{outside}"))
                },
            )
        });
    }
    all.push(Try {
        end: End::Configuration("base_url"),
        shown: Shown::Granted,
        ..Try::new(
            "plain http without a network",
            EndpointConfig::new(format!("http://{outside}")),
        )
    });
    all
}
