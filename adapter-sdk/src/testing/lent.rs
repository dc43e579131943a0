//! The lent interfaces with the signatures of the generated ones, answered from the stage.

pub(crate) mod http {
    use crate::http::{Error, ProblemKind, Request, Response};
    use crate::testing::state::with;
    use crate::testing::{not_sent, status};

    pub(crate) fn send(request: &Request) -> Result<Response, Error> {
        let (granted, answer) = with(|state| {
            state.requests.push(request.clone());
            let fits = |route: &&crate::testing::state::Route| {
                route.endpoint == request.endpoint
                    && route.method == request.method
                    && route.path == request.path
            };
            let answer = state
                .routes
                .iter()
                .rfind(fits)
                .map(|route| route.answer.clone());
            (state.endpoints.contains(&request.endpoint), answer)
        });
        match answer {
            Some(answer) => answer(request),
            None if granted => Ok(status(404, &[])),
            None => Err(not_sent(ProblemKind::EndpointNotGranted)),
        }
    }

    pub(crate) fn send_all(requests: &[Request]) -> Vec<Result<Response, Error>> {
        requests.iter().map(send).collect()
    }
}

pub(crate) mod settings {
    use crate::testing::state::with;

    pub(crate) fn get(key: &str) -> Option<String> {
        with(|state| state.settings.get(key).map(ToString::to_string))
    }

    pub(crate) fn all() -> String {
        with(|state| state.settings.to_string())
    }
}

pub(crate) mod call {
    use crate::call::{ConsentStatement, PresentedProof};
    use crate::testing::state::with;

    macro_rules! from_the_stage {
        ($($name:ident -> $result:ty;)*) => {$(
            pub(crate) fn $name() -> $result {
                with(|state| state.call.$name.clone())
            }
        )*};
    }

    from_the_stage! {
        request_id -> String;
        registry -> String;
        purpose -> Option<String>;
        legal_basis -> Option<String>;
        user -> Option<String>;
        entity -> Option<String>;
        consent -> Option<ConsentStatement>;
        proof -> Option<PresentedProof>;
        wanted_fields -> Vec<String>;
        languages -> Vec<String>;
        operation_key -> Option<String>;
        attempt -> u32;
        remaining_ms -> u32;
    }

    pub(crate) fn get(key: &str) -> Option<String> {
        with(|state| state.call.more.get(key).map(ToString::to_string))
    }
}

pub(crate) mod log {
    use crate::log::Level;
    use crate::testing::state::with;

    pub(crate) fn write(level: Level, message: &str) {
        with(|state| state.logs.push((level, message.to_owned())));
    }
}

pub(crate) mod signing {
    use crate::signing::Error;
    use crate::testing::state::with;

    pub(crate) fn sign(key: &str, _algorithm: &str, data: &[u8]) -> Result<Vec<u8>, Error> {
        let found = with(|state| state.keys.iter().rfind(|known| known.name == key).cloned());
        found
            .map(|key| (key.make)(data))
            .ok_or(Error::KeyNotGranted)
    }

    pub(crate) fn verify(
        key: &str,
        _key_id: Option<&str>,
        algorithm: &str,
        data: &[u8],
        signature: &[u8],
    ) -> Result<bool, Error> {
        Ok(sign(key, algorithm, data)? == signature)
    }

    pub(crate) fn mac(key: &str, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, Error> {
        sign(key, algorithm, data)
    }

    pub(crate) fn verify_mac(
        key: &str,
        algorithm: &str,
        data: &[u8],
        mac: &[u8],
    ) -> Result<bool, Error> {
        Ok(sign(key, algorithm, data)? == mac)
    }
}
