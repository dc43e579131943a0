//! The text forms of signatures and encryption: JWS (RFC 7515) and JWE (RFC 7516), compact. What is
//! done with keys is done by [`Keys`].

use adapter_sdk::Failure;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::keys::{Error, Keys, Sealed, Session};
use crate::settings::Algorithm;
use crate::wire;

/// The only key encryption of eSignet and IDA.
pub const RSA_OAEP_256: &str = "RSA-OAEP-256";
/// The only content encryption of eSignet and IDA.
pub const A256GCM: &str = "A256GCM";
/// What we sign with: the token endpoint and IDA take no other.
pub const RS256: &str = "RS256";

/// A JOSE header, as far as it matters here. Where the sender says that its keys are (`jwk`, `jku`,
/// `x5c`) is not read: it would prove nothing.
struct Header {
    alg: String,
    kid: Option<String>,
    enc: Option<String>,
    compressed: bool,
}

/// Base64url without padding, as all of JOSE.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of base64url without padding.
///
/// # Errors
/// `unreadable` with the code that is given.
pub fn decode(text: &str, code: &str) -> Result<Vec<u8>, Failure> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| Failure::unreadable(code))
}

/// A JWT signed with a key of ours, which `setting` names.
///
/// # Errors
/// `misconfigured`: the key is not there or does not fit.
pub fn token(
    keys: &impl Keys,
    key: &str,
    claims: &Value,
    setting: &'static str,
) -> Result<String, Failure> {
    let header = json!({ "alg": RS256, "typ": "JWT" });
    let signed = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims.to_string().as_bytes())
    );
    let signature = keys.sign(key, RS256, signed.as_bytes());
    let signature = signature.map_err(|error| ours(error, setting))?;
    Ok(format!("{signed}.{}", encode(&signature)))
}

/// A detached JWS over a body (RFC 7515, appendix F) with the certificate in its header (`x5c`, section
/// 4.1.6). The certificate alone and not its chain: IDA reads the first, knows the authorities, and a
/// chain would fill a server's room for headers.
///
/// # Errors
/// `misconfigured`: the key or its certificate is not there or does not fit.
pub fn detached(
    keys: &impl Keys,
    key: &str,
    body: &[u8],
    setting: &'static str,
) -> Result<String, Failure> {
    let leaf = leaf(keys, key, setting)?;
    let header = json!({ "alg": RS256, "x5c": [STANDARD.encode(leaf)] });
    let header = encode(header.to_string().as_bytes());
    let signed = format!("{header}.{}", encode(body));
    let signature = keys.sign(key, RS256, signed.as_bytes());
    let signature = signature.map_err(|error| ours(error, setting))?;
    Ok(format!("{header}..{}", encode(&signature)))
}

/// The certificate of a key.
///
/// # Errors
/// `misconfigured`: it is not there.
pub fn leaf(keys: &impl Keys, key: &str, setting: &'static str) -> Result<Vec<u8>, Failure> {
    let chain = keys.certificate_chain(key);
    let chain = chain.map_err(|error| ours(error, setting))?;
    let leaf = chain.into_iter().next();
    leaf.ok_or_else(|| Failure::misconfigured("signing.no-certificate").field(setting))
}

/// The payload of a compact JWS whose signature holds.
///
/// # Errors
/// `unreadable` with code `jws.<what>`: it is none, has another algorithm, or does not hold.
/// `unavailable`: the key set has no such key yet, or cannot be fetched. `misconfigured`: it is not
/// granted.
pub fn verified(
    keys: &impl Keys,
    key_set: &str,
    algorithms: &[Algorithm],
    text: &str,
) -> Result<Vec<u8>, Failure> {
    let parts: Vec<&str> = text.split('.').collect();
    let [protected, payload, signature] = parts.as_slice() else {
        return Err(Failure::unreadable("jws.form"));
    };
    let header = header(protected, "jws.header")?;
    let algorithm = algorithms
        .iter()
        .find(|algorithm| algorithm.name() == header.alg)
        .ok_or_else(|| Failure::unreadable("jws.algorithm"))?;
    let signature = decode(signature, "jws.signature")?;
    let signed = format!("{protected}.{payload}");
    let holds = keys.verify(
        key_set,
        header.kid.as_deref(),
        algorithm.name(),
        signed.as_bytes(),
        &signature,
    );
    match holds {
        Ok(true) => decode(payload, "jws.payload"),
        Ok(false) | Err(Error::Invalid) => Err(Failure::unreadable("jws.signature")),
        Err(Error::KeyNotFound) => Err(Failure::unavailable("signing.key-not-found")),
        Err(error) => Err(ours(error, "settings.esignet.jwks")),
    }
}

/// What a compact JWE holds, which is encrypted for the key of this name.
///
/// # Errors
/// `unreadable` with code `jwe.<what>`: it is none, has other algorithms, or does not authenticate.
/// `misconfigured`: the key is not there or does not fit.
pub fn opened(keys: &impl Keys, key: &str, text: &str) -> Result<Vec<u8>, Failure> {
    const SETTING: &str = "settings.esignet.encryption_key";
    let parts: Vec<&str> = text.split('.').collect();
    let [protected, encrypted_key, iv, ciphertext, tag] = parts.as_slice() else {
        return Err(Failure::unreadable("jwe.form"));
    };
    let header = header(protected, "jwe.header")?;
    let fits = header.alg == RSA_OAEP_256 && header.enc.as_deref() == Some(A256GCM);
    if !fits || header.compressed {
        return Err(Failure::unreadable("jwe.algorithm"));
    }
    let encrypted_key = decode(encrypted_key, "jwe.key")?;
    let sealed = Sealed {
        iv: decode(iv, "jwe.iv")?,
        ciphertext: decode(ciphertext, "jwe.content")?,
        tag: decode(tag, "jwe.tag")?,
    };
    let session = keys.unwrap(key, RSA_OAEP_256, &encrypted_key, A256GCM);
    let session = session.map_err(|error| theirs(error, "jwe.key", SETTING))?;
    session
        .open(&sealed, protected.as_bytes())
        .map_err(|error| theirs(error, "jwe.content", SETTING))
}

fn header(protected: &str, code: &str) -> Result<Header, Failure> {
    let wrong = |_| Failure::unreadable(code);
    let bytes = decode(protected, code)?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| Failure::unreadable(code))?;
    let record = wire::object(&value).map_err(wrong)?;
    let one = |name: &str| wire::text(record, name).map_err(wrong);
    // Extensions that must be understood (RFC 7515, section 4.1.11): there are none that we do.
    if record.contains_key("crit") {
        return Err(Failure::unreadable(code));
    }
    Ok(Header {
        alg: one("alg")?.ok_or_else(|| Failure::unreadable(code))?,
        kid: one("kid")?,
        enc: one("enc")?,
        compressed: record.contains_key("zip"),
    })
}

/// What the registry sent does not fit the key, or the key is not as configured.
fn theirs(error: Error, code: &str, setting: &'static str) -> Failure {
    match error {
        Error::Invalid => Failure::unreadable(code),
        error => ours(error, setting),
    }
}

/// What goes wrong with a key of ours is for an administrator to mend.
pub fn ours(error: Error, setting: &'static str) -> Failure {
    let code = match error {
        Error::KeyNotGranted => "signing.key-not-granted",
        Error::AlgorithmNotSupported => "signing.algorithm-not-supported",
        Error::KeyNotFound => "signing.key-not-found",
        Error::Invalid => "signing.invalid",
        Error::Other(_) => "signing.other",
    };
    Failure::misconfigured(code).field(setting)
}
