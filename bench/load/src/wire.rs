//! As much of RFC 6455 as a client needs that trusts its server.

/// A masked text frame (RFC 6455, section 5.2). The mask is zero: a server
/// has to unmask all the same, and the client has less to do.
pub(crate) fn text_frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 8);
    frame.push(0x81);
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            let length = u16::try_from(payload.len()).expect("a short message");
            frame.extend_from_slice(&length.to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// What came of a frame, and how many bytes it took; `None`: not whole yet.
pub(crate) fn split_frame(bytes: &[u8]) -> Option<(Frame<'_>, usize)> {
    let (&[first, second], _) = bytes.split_first_chunk::<2>()?;
    let (head, length) = match second & 0x7F {
        126 => (4, u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?) as usize),
        127 => (10, u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?) as usize),
        length => (2, length as usize),
    };
    let payload = bytes.get(head..head + length)?;
    let frame = match first & 0x0F {
        1 => Frame::Text(payload),
        8 => Frame::Close,
        _ => Frame::Other,
    };
    Some((frame, head + length))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    Text(&'a [u8]),
    Close,
    Other,
}

/// Frames out of whatever the reads bring.
#[derive(Default)]
pub(crate) struct Frames {
    /// The beginning of a frame whose end has not come.
    begun: Vec<u8>,
}

impl Frames {
    /// Calls `each` for every frame that is whole with `bytes`.
    pub(crate) fn take(&mut self, bytes: &[u8], mut each: impl FnMut(Frame<'_>)) {
        if self.begun.is_empty() {
            let rest = split_all(bytes, &mut each);
            self.begun.extend_from_slice(rest);
        } else {
            let mut begun = std::mem::take(&mut self.begun);
            begun.extend_from_slice(bytes);
            let rest = split_all(&begun, &mut each);
            self.begun.extend_from_slice(rest);
        }
    }
}

fn split_all<'a>(mut bytes: &'a [u8], each: &mut impl FnMut(Frame<'_>)) -> &'a [u8] {
    while let Some((frame, taken)) = split_frame(bytes) {
        each(frame);
        bytes = bytes.get(taken..).unwrap_or_default();
    }
    bytes
}

/// The text behind `key`, up to the next quotation mark.
pub(crate) fn text_behind<'a>(payload: &'a [u8], key: &str) -> Option<&'a str> {
    let at = memchr::memmem::find(payload, key.as_bytes())? + key.len();
    let rest = payload.get(at..)?;
    let end = memchr::memchr(b'"', rest)?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

/// The number that `digits` begins with.
pub(crate) fn number(digits: &[u8]) -> u64 {
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_of_any_cut() {
        let stream = [&[0x81, 2][..], b"hi", &[0x81, 126, 0, 3], b"you", &[0x88, 0]].concat();
        for cut in 0..=stream.len() {
            let (mut frames, mut heard) = (Frames::default(), Vec::new());
            for part in [&stream[..cut], &stream[cut..]] {
                frames.take(part, |frame| {
                    heard.push(match frame {
                        Frame::Text(text) => String::from_utf8_lossy(text).into_owned(),
                        other => format!("{other:?}"),
                    });
                });
            }
            assert_eq!(heard, ["hi", "you", "Close"], "cut at {cut}");
        }
    }
}
