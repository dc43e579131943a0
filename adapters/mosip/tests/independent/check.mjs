// What the adapter sends, looked at by an implementation of others: the cryptography of Node. It knows
// nothing of the adapter's code, and reads MOSIP's rules for itself:
//   mosip/id-authentication, IdAuthFilter and KeyManager; RFC 7515 appendix F; RFC 7523.
// And what eSignet answers, made by it: an ID token, and userinfo as a JWS in a JWE (RFC 7516).
//
// node check.mjs KEYS < INPUT > OUTPUT: KEYS is the folder of the test keys; INPUT is JSON
//   { ida: { body, signature }, token: { body }, claims, idToken }; OUTPUT is JSON
//   { ida: { request, transactionID }, token: { form, claims }, idToken, userinfo }.
import {
    X509Certificate, constants, createDecipheriv, createCipheriv, createHash, createPrivateKey,
    createPublicKey, privateDecrypt, publicEncrypt, randomBytes, sign, verify,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const keys = process.argv[2];
const file = (name) => readFileSync(join(keys, name));
const input = JSON.parse(readFileSync(0, 'utf8'));
const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };

function insist(holds, what) {
    if (!holds) {
        console.error(`does not hold: ${what}`);
        process.exit(1);
    }
}

// --- a request to IDA ------------------------------------------------------------------------------

function ida({ body, signature }) {
    const [header, empty, signed] = signature.split('.');
    insist(empty === '', 'the signature is detached');
    const protectedHeader = JSON.parse(Buffer.from(header, 'base64url'));
    insist(protectedHeader.alg === 'RS256', 'alg');
    const certificate = new X509Certificate(Buffer.from(protectedHeader.x5c[0], 'base64'));
    insist(certificate.fingerprint256 === new X509Certificate(file('partner.crt')).fingerprint256, 'x5c');
    const over = Buffer.from(`${header}.${Buffer.from(body).toString('base64url')}`);
    insist(verify('sha256', over, certificate.publicKey, Buffer.from(signed, 'base64url')), 'signature');

    const request = JSON.parse(body);
    const leaf = new X509Certificate(file('ida.crt'));
    const thumbprint = createHash('sha256').update(leaf.raw).digest('hex');
    insist(request.thumbprint.toLowerCase() === thumbprint, 'thumbprint');
    const sealedKey = Buffer.from(request.requestSessionKey, 'base64url');
    const key = privateDecrypt({ key: createPrivateKey(file('ida.pem')), ...oaep }, sealedKey);
    insist(key.length === 32, 'the key has 256 bits');
    const open = (part) => {
        const bytes = Buffer.from(part, 'base64url');
        const cut = bytes.length - 32;
        const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(-16), { authTagLength: 16 });
        cipher.setAuthTag(bytes.subarray(cut, -16));
        return Buffer.concat([cipher.update(bytes.subarray(0, cut)), cipher.final()]);
    };
    const plain = open(request.request);
    const hash = createHash('sha256').update(plain).digest('hex').toUpperCase();
    insist(open(request.requestHMAC).toString('latin1') === hash, 'requestHMAC');
    insist(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(request.requestTime), 'requestTime');
    return { request: JSON.parse(plain), transactionID: request.transactionID };
}

// --- a request to the token endpoint ---------------------------------------------------------------

function assertion({ body }) {
    const form = new URLSearchParams(body);
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    insist(form.get('client_assertion_type') === type, 'client_assertion_type');
    const [header, payload, signed] = form.get('client_assertion').split('.');
    const key = createPublicKey(createPrivateKey(file('client.pem')));
    const over = Buffer.from(`${header}.${payload}`);
    insist(verify('sha256', over, key, Buffer.from(signed, 'base64url')), 'client_assertion');
    return { form: Object.fromEntries(form), claims: JSON.parse(Buffer.from(payload, 'base64url')) };
}

// --- what eSignet answers --------------------------------------------------------------------------

const url = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

function jws(claims) {
    const over = `${url({ alg: 'RS256', kid: 'es-1' })}.${url(claims)}`;
    return `${over}.${sign('sha256', Buffer.from(over), createPrivateKey(file('esignet.pem'))).toString('base64url')}`;
}

function jwe(text) {
    const header = url({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT' });
    const [key, iv] = [randomBytes(32), randomBytes(12)];
    const cipher = createCipheriv('aes-256-gcm', key, iv);
    cipher.setAAD(Buffer.from(header, 'ascii'));
    const content = Buffer.concat([cipher.update(text), cipher.final()]);
    const client = createPublicKey(createPrivateKey(file('client.pem')));
    const forClient = publicEncrypt({ key: client, ...oaep }, key);
    const parts = [forClient, iv, content, cipher.getAuthTag()];
    return [header, ...parts.map((part) => part.toString('base64url'))].join('.');
}

console.log(JSON.stringify({
    ida: ida(input.ida),
    token: assertion(input.token),
    idToken: jws(input.idToken),
    userinfo: jwe(jws(input.claims)),
}));
