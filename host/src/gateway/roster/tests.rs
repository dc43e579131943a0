use super::*;

/// What `registry apply` says, which builds the endpoints as the gateway will.
#[test]
fn a_file_that_cannot_be_used_is_named_with_its_remedy() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("empty.pem"), "").expect("written");
    std::fs::write(directory.path().join("words.pem"), "words").expect("written");
    let secrets = Secrets::with_environment(Some(directory.path().to_owned()), |_| None);
    for (line, words) in [
        (
            "ca_file = 'file:missing.pem'",
            "endpoints.cr.ca_file: make file:missing.pem readable for the gateway",
        ),
        (
            "ca_file = 'file:empty.pem'",
            "endpoints.cr.ca_file: file:empty.pem is empty",
        ),
        (
            "ca_file = 'file:words.pem'",
            "endpoint cr, ca_file: it holds no -----BEGIN CERTIFICATE-----",
        ),
        (
            "client_certificate = { chain = 'file:words.pem', key = 'file:missing.key' }",
            "endpoints.cr.client_certificate.key: make file:missing.key readable",
        ),
        (
            "client_certificate = { chain = 'file:words.pem', key = 'file:words.pem' }",
            "endpoint cr, client_certificate.chain: it holds no",
        ),
        (
            "proxy = { url = 'http://10.0.0.8:3128', user = 'u', password = 'file:missing' }",
            "endpoints.cr.proxy.password: make file:missing readable",
        ),
        (
            "proxy = { url = 'http://10.0.0.8:3128' }",
            "endpoint cr, proxy.url: list the proxy's own address in allow_networks",
        ),
    ] {
        let text = format!("[endpoints.cr]\nbase_url = 'https://cr.example.org'\n{line}");
        let config: RegistryConfig = toml::from_str(&text).expect(line);
        let said = endpoints(&Egress::new(), "health", &config, &secrets).expect_err(line);
        let said = chain(&said);
        assert!(said.contains(words), "{line}: {said}");
    }
}
