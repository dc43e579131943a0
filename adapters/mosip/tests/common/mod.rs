//! What the gateway does with its keys, done here by crates of others, and a MOSIP of few words.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod esignet;
pub(crate) mod ida;
pub(crate) mod mutate;

use std::cell::RefCell;
use std::rc::Rc;

use adapter_mosip::keys::{Error, Keys, Sealed, Session};
use adapter_mosip::settings::Settings;
use adapter_sdk::Failure;
use adapter_sdk::call::{ConsentStatement, PresentedProof, ProofKind};
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{AesGcm, aes::Aes256};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use getrandom::SysRng;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::DecodePrivateKey;
use rsa::rand_core::UnwrapErr;
use rsa::signature::{SignatureEncoding, Signer, Verifier};
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use serde_json::Value;
use sha2::Sha256;

pub(crate) const IDA_CERTIFICATE: &str = include_str!("../keys/ida.crt");
const PARTNER_CERTIFICATE: &str = include_str!("../keys/partner.crt");

pub(crate) fn private(name: &str) -> RsaPrivateKey {
    let pem = match name {
        "ida" => include_str!("../keys/ida.pem"),
        "partner" => include_str!("../keys/partner.pem"),
        "client" => include_str!("../keys/client.pem"),
        "esignet" => include_str!("../keys/esignet.pem"),
        other => panic!("no key {other}"),
    };
    RsaPrivateKey::from_pkcs8_pem(pem).unwrap()
}

pub(crate) fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

pub(crate) fn url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn unurl(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

pub(crate) fn rs256(key: &str, data: &[u8]) -> Vec<u8> {
    SigningKey::<Sha256>::new(private(key)).sign(data).to_vec()
}

pub(crate) fn rs256_holds(key: &str, data: &[u8], signature: &[u8]) -> bool {
    let key = VerifyingKey::<Sha256>::new(private(key).to_public_key());
    Signature::try_from(signature).is_ok_and(|signature| key.verify(data, &signature).is_ok())
}

/// The gateway's keys: `ida` is a certificate only, `esignet` a set with the key `es-1`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gateway;

impl Keys for Gateway {
    type Session = SessionKey;

    fn sign(&self, key: &str, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, Error> {
        match (key, algorithm) {
            ("partner" | "client", "RS256") => Ok(rs256(key, data)),
            ("partner" | "client", _) => Err(Error::AlgorithmNotSupported),
            _ => Err(Error::KeyNotGranted),
        }
    }

    fn verify(
        &self,
        key: &str,
        key_id: Option<&str>,
        algorithm: &str,
        data: &[u8],
        signature: &[u8],
    ) -> Result<bool, Error> {
        match (key, key_id, algorithm) {
            ("esignet", None | Some("es-1"), "RS256") => Ok(rs256_holds(key, data, signature)),
            ("esignet", None | Some("es-1"), _) => Err(Error::AlgorithmNotSupported),
            ("esignet", Some(_), _) => Err(Error::KeyNotFound),
            _ => Err(Error::KeyNotGranted),
        }
    }

    fn certificate_chain(&self, key: &str) -> Result<Vec<Vec<u8>>, Error> {
        match key {
            "ida" => Ok(vec![der(IDA_CERTIFICATE)]),
            // Longer than its leaf, as chains are.
            "partner" => Ok(vec![der(PARTNER_CERTIFICATE), der(IDA_CERTIFICATE)]),
            "client" => Ok(Vec::new()),
            _ => Err(Error::KeyNotGranted),
        }
    }

    fn generate(&self, algorithm: &str) -> Result<SessionKey, Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).unwrap();
        match algorithm {
            "A256GCM" => Ok(SessionKey::new(key.to_vec())),
            _ => Err(Error::AlgorithmNotSupported),
        }
    }

    fn unwrap(
        &self,
        key: &str,
        algorithm: &str,
        encrypted_key: &[u8],
        content_algorithm: &str,
    ) -> Result<SessionKey, Error> {
        if (algorithm, content_algorithm) != ("RSA-OAEP-256", "A256GCM") {
            return Err(Error::AlgorithmNotSupported);
        }
        match key {
            "client" => {
                let opened = private(key).decrypt(Oaep::<Sha256>::new(), encrypted_key);
                let opened = opened.map_err(|_| Error::Invalid)?;
                Ok(SessionKey::new(opened))
            }
            _ => Err(Error::KeyNotGranted),
        }
    }
}

/// AES-256-GCM with IVs of 12 and 16 bytes. A second use of an IV is `invalid`, as in the gateway.
#[derive(Clone, Debug)]
pub(crate) struct SessionKey {
    key: Vec<u8>,
    used: Rc<RefCell<Vec<Vec<u8>>>>,
}

impl SessionKey {
    pub(crate) fn new(key: Vec<u8>) -> Self {
        Self {
            key,
            used: Rc::default(),
        }
    }
}

impl Session for SessionKey {
    fn wrap(&self, key: &str, algorithm: &str) -> Result<Vec<u8>, Error> {
        match (key, algorithm) {
            ("ida", "RSA-OAEP-256") => Ok(oaep(&private("ida").to_public_key(), &self.key)),
            _ => Err(Error::KeyNotGranted),
        }
    }

    fn seal(&self, iv: &[u8], additional: &[u8], plain: &[u8]) -> Result<Sealed, Error> {
        if self.used.borrow().iter().any(|used| used == iv) {
            return Err(Error::Invalid);
        }
        self.used.borrow_mut().push(iv.to_vec());
        let mut ciphertext = gcm(&self.key, iv, |cipher| cipher.seal(iv, additional, plain))?;
        let tag = ciphertext.split_off(ciphertext.len() - 16);
        Ok(Sealed {
            ciphertext,
            tag,
            iv: iv.to_vec(),
        })
    }

    fn open(&self, sealed: &Sealed, additional: &[u8]) -> Result<Vec<u8>, Error> {
        let bytes = [sealed.ciphertext.as_slice(), &sealed.tag].concat();
        gcm(&self.key, &sealed.iv, |cipher| {
            cipher.open(&sealed.iv, additional, &bytes)
        })
    }
}

pub(crate) fn oaep(key: &RsaPublicKey, plain: &[u8]) -> Vec<u8> {
    key.encrypt(&mut UnwrapErr(SysRng), Oaep::<Sha256>::new(), plain)
        .unwrap()
}

trait Cipher {
    fn seal(&self, iv: &[u8], additional: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error>;
    fn open(&self, iv: &[u8], additional: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Error>;
}

macro_rules! cipher {
    ($($size:ty)*) => {$(
        impl Cipher for AesGcm<Aes256, $size> {
            fn seal(&self, iv: &[u8], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Error> {
                let iv = iv.try_into().map_err(|_| Error::Invalid)?;
                self.encrypt(iv, Payload { msg, aad }).map_err(|_| Error::Invalid)
            }

            fn open(&self, iv: &[u8], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Error> {
                let iv = iv.try_into().map_err(|_| Error::Invalid)?;
                self.decrypt(iv, Payload { msg, aad }).map_err(|_| Error::Invalid)
            }
        }
    )*};
}
cipher! { U12 U16 }

fn gcm<T>(
    key: &[u8],
    iv: &[u8],
    use_it: impl FnOnce(&dyn Cipher) -> Result<T, Error>,
) -> Result<T, Error> {
    match iv.len() {
        12 => use_it(&AesGcm::<Aes256, U12>::new_from_slice(key).map_err(|_| Error::Invalid)?),
        16 => use_it(&AesGcm::<Aes256, U16>::new_from_slice(key).map_err(|_| Error::Invalid)?),
        _ => Err(Error::Invalid),
    }
}

pub(crate) fn settings(json: &Value) -> Result<Settings, Failure> {
    Settings::read(&|key| json.get(key).map(ToString::to_string))
}

pub(crate) fn consent() -> ConsentStatement {
    ConsentStatement {
        reference: "consent-1".to_owned(),
        given_at: None,
        expires_at: None,
    }
}

pub(crate) fn proof(kind: ProofKind, value: &str, parameters: &[(&str, &str)]) -> PresentedProof {
    PresentedProof {
        kind,
        value: value.to_owned(),
        parameters: parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}
