//! UTF-8 that arrives in pieces, refused at its first impossible byte.

/// The bytes so far cannot begin any UTF-8 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotUtf8;

/// Remembers at most the beginning of one code point.
#[derive(Debug, Default)]
pub(super) struct Utf8Validator {
    partial: [u8; 4],
    partial_bytes: usize,
}

impl Utf8Validator {
    /// Looks at the next piece of the text.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), NotUtf8> {
        let rest = self.complete_partial(piece)?;
        match std::str::from_utf8(rest) {
            Ok(_) => Ok(()),
            // Cut inside a code point that may still become a good one.
            Err(error) if error.error_len().is_none() => {
                let tail = rest.get(error.valid_up_to()..).unwrap_or_default();
                for (slot, byte) in self.partial.iter_mut().zip(tail) {
                    *slot = *byte;
                }
                self.partial_bytes = tail.len();
                Ok(())
            }
            Err(_) => Err(NotUtf8),
        }
    }

    /// The text ends here: it must not end inside a code point. The validator
    /// is as new afterwards.
    pub(super) fn finish(&mut self) -> Result<(), NotUtf8> {
        match std::mem::take(&mut self.partial_bytes) {
            0 => Ok(()),
            _ => Err(NotUtf8),
        }
    }

    /// Feeds bytes to the code point that the last piece was cut in, one by
    /// one, and returns what follows it.
    fn complete_partial<'a>(&mut self, mut piece: &'a [u8]) -> Result<&'a [u8], NotUtf8> {
        while self.partial_bytes > 0 {
            let Some((byte, rest)) = piece.split_first() else { break };
            let Some(slot) = self.partial.get_mut(self.partial_bytes) else { return Err(NotUtf8) };
            *slot = *byte;
            self.partial_bytes += 1;
            piece = rest;
            let so_far = self.partial.get(..self.partial_bytes).unwrap_or_default();
            match std::str::from_utf8(so_far) {
                Ok(_) => self.partial_bytes = 0,
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(NotUtf8),
            }
        }
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn validate<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<(), NotUtf8> {
        let mut validator = Utf8Validator::default();
        pieces.into_iter().try_for_each(|piece| validator.push(piece))?;
        validator.finish()
    }

    #[test]
    fn an_impossible_byte_fails_before_the_text_ends() {
        let surrogate = Utf8Validator::default().push(b"caf\xED\xA0");
        assert_eq!(surrogate, Err(NotUtf8));

        let mut beyond = Utf8Validator::default();
        assert_eq!(beyond.push(b"\xF4"), Ok(()));
        assert_eq!(beyond.push(b"\x90"), Err(NotUtf8));
    }

    #[test]
    fn a_text_must_not_end_inside_a_code_point() {
        assert_eq!(validate([&b"\xE2\x82"[..]]), Err(NotUtf8));
        assert_eq!(validate([&b"\xE2\x82"[..], b"\xAC"]), Ok(()));
    }

    proptest! {
        #[test]
        fn pieces_are_judged_like_the_whole(
            bytes in prop_oneof![
                any::<String>().prop_map(String::into_bytes),
                prop::collection::vec(any::<u8>(), 0..12),
            ],
            piece_bytes in 1usize..6,
        ) {
            let whole = std::str::from_utf8(&bytes).map(drop).map_err(|_| NotUtf8);
            prop_assert_eq!(validate(bytes.chunks(piece_bytes)), whole);
        }
    }
}
