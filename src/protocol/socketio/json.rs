//! A check of JSON syntax that neither allocates nor recurses (RFC 8259).
//!
//! Whatever passes has a bounded depth, so that no parser behind it can be
//! driven into the ground, and every broken payload closes its connection at
//! one place. Whether strings are UTF-8 is checked where bytes become text.

/// Arrays and objects inside each other.
pub(super) const DEPTH_MAX: u32 = 64;

/// What a JSON text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Array,
    Object,
    Scalar,
}

/// The shape of one JSON text with nothing but white space around it; `None`
/// if it is broken or too deep.
pub(super) fn shape(bytes: &[u8]) -> Option<Shape> {
    let mut scanner = Scanner { bytes, at: 0 };
    scanner.skip_space();
    let shape = match scanner.peek()? {
        b'[' => Shape::Array,
        b'{' => Shape::Object,
        _ => Shape::Scalar,
    };
    scanner.text()?;
    scanner.skip_space();
    (scanner.at == bytes.len()).then_some(shape)
}

/// The end of the string or number that begins at `start`; `None` for
/// anything else.
pub(super) fn scalar_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut scanner = Scanner { bytes, at: start };
    match scanner.peek()? {
        b'"' => scanner.string()?,
        b'-' | b'0'..=b'9' => scanner.number()?,
        _ => return None,
    }
    Some(scanner.at)
}

/// The first index from `start` on that is not white space.
pub(super) fn space_end(bytes: &[u8], start: usize) -> usize {
    let mut scanner = Scanner { bytes, at: start };
    scanner.skip_space();
    scanner.at
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    /// One value, with all values inside it.
    fn text(&mut self) -> Option<()> {
        // One bit per open bracket, the innermost lowest: 1 for an object.
        let mut open: u64 = 0;
        let mut depth = 0;
        loop {
            self.skip_space();
            match self.next()? {
                bracket @ (b'[' | b'{') => {
                    if depth == DEPTH_MAX {
                        return None;
                    }
                    self.skip_space();
                    let is_object = bracket == b'{';
                    if self.peek()? == bracket + 2 {
                        self.at += 1;
                    } else {
                        open = open << 1 | u64::from(is_object);
                        depth += 1;
                        if is_object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                b'"' => {
                    self.at -= 1;
                    self.string()?;
                }
                b'-' | b'0'..=b'9' => {
                    self.at -= 1;
                    self.number()?;
                }
                b't' => self.literal(b"rue")?,
                b'f' => self.literal(b"alse")?,
                b'n' => self.literal(b"ull")?,
                _ => return None,
            }
            // A value has ended, and perhaps the arrays and objects around it.
            loop {
                if depth == 0 {
                    return Some(());
                }
                self.skip_space();
                let is_object = open & 1 == 1;
                match self.next()? {
                    b',' if is_object => break self.key()?,
                    b',' => break,
                    b'}' if is_object => {}
                    b']' if !is_object => {}
                    _ => return None,
                }
                open >>= 1;
                depth -= 1;
            }
        }
    }

    /// `"key":`
    fn key(&mut self) -> Option<()> {
        self.skip_space();
        self.string()?;
        self.skip_space();
        (self.next()? == b':').then_some(())
    }

    fn string(&mut self) -> Option<()> {
        if self.next()? != b'"' {
            return None;
        }
        loop {
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => match self.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        for _ in 0..4 {
                            self.next().filter(u8::is_ascii_hexdigit)?;
                        }
                    }
                    _ => return None,
                },
                0..0x20 => return None,
                _ => {}
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        self.skip_if(|byte| byte == b'-');
        if self.next()? != b'0' {
            self.at -= 1;
            self.digits()?;
        }
        if self.skip_if(|byte| byte == b'.') {
            self.digits()?;
        }
        if self.skip_if(|byte| matches!(byte, b'e' | b'E')) {
            self.skip_if(|byte| matches!(byte, b'+' | b'-'));
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        self.next().filter(u8::is_ascii_digit)?;
        while self.skip_if(|byte| byte.is_ascii_digit()) {}
        Some(())
    }

    fn literal(&mut self, rest: &[u8]) -> Option<()> {
        self.bytes.get(self.at..)?.starts_with(rest).then(|| self.at += rest.len())
    }

    fn skip_space(&mut self) {
        while self.skip_if(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {}
    }

    fn skip_if(&mut self, matches: impl FnOnce(u8) -> bool) -> bool {
        let does = self.peek().is_some_and(matches);
        self.at += usize::from(does);
        does
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shapes() {
        assert_eq!(shape(br#" [1, {"a":[]}, "\u00e9\n"] "#), Some(Shape::Array));
        assert_eq!(shape(br#"{"a":-0.5e+3,"b":{}}"#), Some(Shape::Object));
        for scalar in ["1", "-0", "true", "false", "null", "\"\""] {
            assert_eq!(shape(scalar.as_bytes()), Some(Shape::Scalar));
        }
    }

    #[test]
    fn broken_texts() {
        for broken in [
            "",
            " ",
            "[",
            "]",
            "[1,]",
            "[,1]",
            "{1:2}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "[1}",
            "01",
            "1.",
            "-",
            "1e",
            ".5",
            "tru",
            "\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\n\"",
            "[1] 2",
            "nul",
            "[1 2]",
        ] {
            assert_eq!(shape(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(shape(nested(DEPTH_MAX as usize).as_bytes()), Some(Shape::Array));
        assert_eq!(shape(nested(DEPTH_MAX as usize + 2).as_bytes()), None);
        assert_eq!(shape("[".repeat(1 << 20).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}",:0-9eE.+\-truefalsn\\ ]{0,24}"#) {
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(shape(text.as_bytes()).is_some(), theirs, "{}", text);
        }

        #[test]
        fn random_bytes_do_not_panic(bytes: Vec<u8>) {
            let _ = shape(&bytes);
            let _ = scalar_end(&bytes, bytes.len() / 2);
        }
    }
}
