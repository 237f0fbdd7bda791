//! Which of the 16,384 slots of a cluster a command belongs to.
//!
//! Source: Redis cluster specification, "Key distribution model" and "Hash
//! tags".

use redis::{Arg, Cmd};

pub(super) const SLOTS: u16 = 16_384;

/// The slot of a command's first key; `None` if it has no key. A command of
/// ours has all its keys in one slot.
pub(super) fn slot_of_command(command: &Cmd) -> Option<u16> {
    let mut arguments = command.args_iter().map(|argument| match argument {
        Arg::Simple(bytes) => bytes,
        _ => &b"0"[..],
    });
    let name = arguments.next()?;
    let key = if name.eq_ignore_ascii_case(b"EVALSHA") || name.eq_ignore_ascii_case(b"EVAL") {
        let keys = arguments.nth(1)?;
        if keys == b"0" {
            return None;
        }
        arguments.next()?
    } else if KEYLESS.iter().any(|keyless| name.eq_ignore_ascii_case(keyless.as_bytes())) {
        return None;
    } else {
        arguments.next()?
    };
    Some(slot(key))
}

/// Commands of ours without a key.
const KEYLESS: [&str; 8] =
    ["PING", "TIME", "INFO", "ROLE", "SCRIPT", "CLUSTER", "CONFIG", "PUBLISH"];

/// Of the part in the first braces, if there is one that is not empty.
pub(super) fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = key.get(open + 1..)?;
        let close = rest.iter().position(|byte| *byte == b'}')?;
        rest.get(..close).filter(|tag| !tag.is_empty())
    });
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc: u16, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use redis::cmd;

    use super::*;

    #[test]
    fn the_slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot(b"foo"), 12_182);
        assert_eq!(slot(b"session:{user1000}:log"), slot(b"{user1000}.following"));
        assert_eq!(slot(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS);
        assert_eq!(slot(b"foo{{bar}}zap"), slot(b"{bar"));
    }

    #[test]
    fn a_command_belongs_where_its_first_key_does() {
        let of = |words: &[&str]| {
            let mut command = cmd(words[0]);
            command.arg(&words[1..]);
            slot_of_command(&command)
        };
        assert_eq!(of(&["GET", "foo"]), Some(12_182));
        assert_eq!(of(&["evalsha", "abc", "2", "foo", "bar"]), Some(12_182));
        assert_eq!(of(&["EVALSHA", "abc", "0", "foo"]), None);
        assert_eq!(of(&["SPUBLISH", "foo", "x"]), Some(12_182));
        assert_eq!(of(&["INFO", "server"]), None);
        assert_eq!(of(&["EVALSHA"]), None);
    }
}
