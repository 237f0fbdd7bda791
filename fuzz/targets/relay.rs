//! What instances say to each other: seals that nobody else can make, and the
//! headers of a request that goes on. Input: target, seal and headers by lines.

#![no_main]

use std::net::SocketAddr;

use cardroom::protocol::sid::Owner;
use cardroom::transport::relay::fuzzing::{SEAL, forwarded, seal, strip, unseal};
use http::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use http::{Request, Uri};

cardroom_fuzz::target!(run);

const SECRET: &[u8] = b"secret";
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn run(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let (target, claimed) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let Ok(target) = Uri::try_from(target) else { return };
    let mut request = Request::get(target).body(()).expect("a target");
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(&line[colon + 1..]);
        if let (Ok(name), Ok(value)) = (name, value) {
            let _ = request.headers_mut().try_append(name, value);
        }
    }

    if let Ok(claimed) = HeaderValue::from_bytes(claimed) {
        assert_eq!(unseal(Owner(2), SECRET, &claimed, &request), None, "nobody guesses a seal");
    }
    let client: SocketAddr = "[2001:db8::7]:51000".parse().expect("an address");
    seal(Owner(2), SECRET, &mut request, client);
    let sealed = request.headers()[SEAL].clone();
    assert_eq!(unseal(Owner(2), SECRET, &sealed, &request), Some(client));
    assert_eq!(unseal(Owner(3), SECRET, &sealed, &request), None, "for one owner only");

    let before = request.headers().clone();
    for is_upgrade in [false, true] {
        let on = forwarded(request.clone(), is_upgrade);
        assert!(on.uri().host().is_none(), "only the target goes on");
        let headers = on.headers();
        assert!(!headers.contains_key(TRANSFER_ENCODING));
        assert_eq!(headers.contains_key(UPGRADE), is_upgrade);
        assert_eq!(headers.get_all(CONNECTION).iter().count(), usize::from(is_upgrade));
        assert!(headers.len() <= before.len() + 2);
        is_stripped(&before, headers, is_upgrade);
    }
    let mut stripped = before.clone();
    strip(&mut stripped);
    is_stripped(&before, &stripped, false);
    let once = stripped.clone();
    strip(&mut stripped);
    assert_eq!(once, stripped);
}

/// All that is end to end is there as it was, and nothing else.
fn is_stripped(before: &HeaderMap, after: &HeaderMap, is_upgrade: bool) {
    let listed: Vec<String> = before
        .get_all(CONNECTION)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    for name in before.keys() {
        let is_hop =
            HOP_BY_HOP.contains(&name.as_str()) || listed.iter().any(|hop| hop == name.as_str());
        if !is_hop {
            assert!(before.get_all(name).iter().eq(after.get_all(name)), "{name}");
        } else if !(is_upgrade && (name == CONNECTION || name == UPGRADE)) {
            assert!(!after.contains_key(name), "{name}");
        }
    }
}
