//! Who issues the certificates of a test.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        // Not that of what it issues, which would then look self-signed.
        params.distinguished_name.push(DnType::CommonName, "authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// A new certificate for this machine, with its key, in the folder where a
    /// [`Program`](super::Program) looks for them. Returns it as it is shown.
    pub(super) fn issue_into(&self, folder: &Path) -> Vec<u8> {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let params = CertificateParams::new(names).expect("names");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let write = |name: &str, text: String| std::fs::write(folder.join(name), text);
        write("certificate.pem", certificate.pem()).expect("a folder");
        write("key.pem", key.serialize_pem()).expect("a folder");
        certificate.der().to_vec()
    }

    pub(super) fn der(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    /// Its own certificate; returns the path.
    pub(super) fn write_to(&self, folder: &Path) -> String {
        let path = folder.join("ca.pem");
        std::fs::write(&path, self.0.pem()).expect("a folder");
        path.display().to_string()
    }
}
