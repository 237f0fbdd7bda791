//! gzip for long poll answers.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// The compressed form, if the client takes gzip and the payload is long
/// enough to be worth it.
pub(super) fn gzip(
    payload: &[u8],
    from_bytes: Option<usize>,
    request: &HeaderMap,
) -> Option<Vec<u8>> {
    if from_bytes.is_none_or(|from| payload.len() < from) || !accepts_gzip(request) {
        return None;
    }
    // Fast: this runs between two packets, and the payload is bounded.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(payload).ok()?;
    encoder.finish().ok()
}

fn accepts_gzip(request: &HeaderMap) -> bool {
    request
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|coding| {
            let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
            let is_refused = matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
            name.trim().eq_ignore_ascii_case("gzip") && !is_refused
        })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    fn accepting(codings: &'static str) -> HeaderMap {
        [(ACCEPT_ENCODING, codings.parse().expect("a value"))].into_iter().collect()
    }

    #[test]
    fn long_payloads_are_compressed_for_those_who_accept_it() {
        let payload = vec![b'x'; 1_024];
        let gzipped = gzip(&payload, Some(1_024), &accepting("deflate, gzip;q=0.5")).expect("gzip");
        let mut plain = Vec::new();
        GzDecoder::new(&gzipped[..]).read_to_end(&mut plain).expect("whole");
        assert_eq!(plain, payload);
        assert_eq!(gzip(&payload, Some(1_025), &accepting("gzip")), None);
        assert_eq!(gzip(&payload, None, &accepting("gzip")), None);
        for codings in ["", "br", "gzip;q=0"] {
            assert_eq!(gzip(&payload, Some(1_024), &accepting(codings)), None);
        }
    }
}
