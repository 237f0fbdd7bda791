//! Player tokens: what we did not sign is never believed; what we signed comes
//! back as it was.

#![no_main]

use std::sync::LazyLock;

use cardroom::identity::{Claims, Keyring};
use cardroom::poker::ids::{Millis, PlayerId, SessionId};
use secrecy::ExposeSecret;

cardroom_fuzz::target!(run);

static KEYS: LazyLock<Keyring> = LazyLock::new(|| {
    let secret = |fill: &str| fill.repeat(32).into();
    Keyring::new([("a".to_owned(), secret("x")), ("b".to_owned(), secret("y"))]).expect("keys")
});
const NOW: Millis = Millis(1_700_000_000_000);

fn run(input: &[u8]) {
    let Some((choice, rest)) = input.split_first() else { return };
    match choice & 3 {
        0 => foreign(rest),
        1 => altered(rest),
        2 => own(rest),
        _ => signed(rest),
    }
}

/// Any text.
fn foreign(token: &[u8]) {
    let token = String::from_utf8_lossy(token);
    assert!(KEYS.verify_token(&token, NOW).is_err(), "nobody guesses a signature");
}

/// A good token in which bytes were replaced: pairs of place and byte.
fn altered(edits: &[u8]) {
    let good = mint([7; 46]);
    let mut bytes = good.clone().into_bytes();
    for edit in edits.chunks_exact(2) {
        let place = usize::from(edit[0]) % bytes.len();
        bytes[place] = edit[1];
    }
    let token = String::from_utf8_lossy(&bytes);
    if token != good {
        assert!(KEYS.verify_token(&token, NOW).is_err(), "no second spelling");
    }
}

/// Any claims.
fn own(bytes: &[u8]) {
    let mut padded = [0; 46];
    for (to, from) in padded.iter_mut().zip(bytes) {
        *to = *from;
    }
    let claims = claims(padded);
    let verified = KEYS.verify_token(&mint(padded), NOW);
    let is_valid = NOW < claims.expires && claims.issued <= NOW.add_ms(60_000);
    assert_eq!(verified.is_ok(), is_valid);
    assert!(verified.is_err() || verified == Ok(claims));
}

/// Any text in front of a true signature of something else.
fn signed(text: &[u8]) {
    let good = mint([7; 46]);
    let (_, mac) = good.rsplit_once('.').expect("four parts");
    let token = format!("{}.{mac}", String::from_utf8_lossy(text));
    assert!(token == good || KEYS.verify_token(&token, NOW).is_err());
}

fn mint(bytes: [u8; 46]) -> String {
    KEYS.mint(&claims(bytes)).expose_secret().to_owned()
}

fn claims(bytes: [u8; 46]) -> Claims {
    let (session, rest) = bytes.split_first_chunk().expect("46 bytes");
    let (player, rest) = rest.split_first_chunk().expect("36 bytes");
    let (generation, rest) = rest.split_first_chunk().expect("20 bytes");
    let (issued, rest) = rest.split_first_chunk().expect("16 bytes");
    let expires = rest.first_chunk().expect("8 bytes");
    Claims {
        session: SessionId::from_random(*session),
        player: PlayerId::from_bytes(*player),
        generation: u32::from_be_bytes(*generation),
        issued: Millis(u64::from_be_bytes(*issued)),
        expires: Millis(u64::from_be_bytes(*expires)),
    }
}
