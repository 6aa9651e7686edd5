//! Certificates that tests make up.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use incident::server::{Identity, Pem};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};

use crate::harness::Scratch;

/// An authority, and the folder of what it made: `NAME.pem` and `NAME.key`.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: Scratch,
}

impl Authority {
    /// Its own certificate is `ca.pem`.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let folder = Scratch::new();
        fs::write(folder.path().join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key), folder }
    }

    /// With a certificate `server.pem` for this machine.
    pub fn with_server() -> Self {
        let authority = Self::new();
        authority.issues("server", &["localhost", "127.0.0.1"]);
        authority
    }

    /// Makes a certificate and its key.
    pub fn issues(&self, name: &str, hosts: &[&str]) {
        self.write(name, &params(hosts));
    }

    /// One whose time is over.
    pub fn issues_expired(&self, name: &str) {
        let mut params = params(&["127.0.0.1"]);
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        self.write(name, &params);
    }

    /// One whose time has not come.
    pub fn issues_early(&self, name: &str) {
        let mut params = params(&["127.0.0.1"]);
        (params.not_before, params.not_after) = (date_time_ymd(2100, 1, 1), date_time_ymd(2101, 1, 1));
        self.write(name, &params);
    }

    fn write(&self, name: &str, params: &CertificateParams) {
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        self.replace(name, &pem, &key.serialize_pem());
    }

    /// One that nobody else signed and that calls itself an authority, as `openssl req -x509` makes it.
    pub fn signs_itself(&self, name: &str, hosts: &[&str], over: bool) {
        let mut params = params(hosts);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        if over {
            (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        }
        let key = KeyPair::generate().unwrap();
        self.replace(name, &params.self_signed(&key).unwrap().pem(), &key.serialize_pem());
    }

    /// Puts a certificate and its key in the place of others, each in one go.
    pub fn replace(&self, name: &str, certificate: &str, key: &str) {
        for (kind, text) in [("pem", certificate), ("key", key)] {
            let new = self.folder.path().join("new");
            fs::write(&new, text).unwrap();
            fs::rename(new, self.folder.path().join(format!("{name}.{kind}"))).unwrap();
        }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The path of one of its files.
    pub fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The flags of a server with that certificate.
    pub fn flags(&self, name: &str) -> [String; 4] {
        let file = |kind: &str| self.file(&format!("{name}.{kind}"));
        ["--tls-cert".to_owned(), file("pem"), "--tls-key".to_owned(), file("key")]
    }

    /// The configuration of a server in this process.
    pub fn server(&self) -> Arc<ServerConfig> {
        Arc::new(self.identity(Identity::new).unwrap()).config().unwrap()
    }

    /// What a server in this process, or one that is renewed, makes of `server.pem` and `server.key`.
    pub fn identity<T>(&self, made: impl FnOnce(Pem<'_>, Pem<'_>) -> T) -> T {
        let (certificate, key) =
            (self.folder.path().join("server.pem"), self.folder.path().join("server.key"));
        let (chain, private) = (fs::read(&certificate).unwrap(), fs::read(&key).unwrap());
        made(Pem { path: &certificate, bytes: &chain }, Pem { path: &key, bytes: &private })
    }

    /// A client that believes it.
    pub fn client(&self) -> Arc<ClientConfig> {
        self.client_of(rustls::DEFAULT_VERSIONS)
    }

    pub fn client_of(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.folder.path().join("ca.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        Arc::new(config.with_root_certificates(roots).with_no_client_auth())
    }
}

fn params(hosts: &[&str]) -> CertificateParams {
    let mut params =
        CertificateParams::new(hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name.push(DnType::CommonName, hosts.first().copied().unwrap_or("nobody"));
    params
}
