//! simd-json on the buffer of a frame, in memory that its thread keeps.

use std::cell::Cell;

use simd_json::{Buffers, Deserializer, Tape};

/// What simd-json works in: a copy of the text, its structure, and the tape of
/// its values.
struct Workspace {
    buffers: Buffers,
    tape: Tape<'static>,
}

thread_local! {
    /// Empty before the first text of this thread, and while one is being read.
    static WORKSPACE: Cell<Option<Workspace>> = const { Cell::new(None) };
}

/// Most events are smaller.
const USUAL_BYTES: usize = 512;

/// What a larger text was read in is not kept for the next one.
const KEPT_BYTES_MAX: usize = 4 * 1_024;

/// Reads one JSON text in place; text in it is borrowed from `json`. Allocates
/// nothing for a text as small as those before it.
///
/// # Errors
/// When it is no JSON, or when `read` finds an error in it.
pub(super) fn read<'de, T>(
    json: &'de mut [u8],
    read: impl FnOnce(&mut Deserializer<'de>) -> simd_json::Result<T>,
) -> simd_json::Result<T> {
    let json_bytes = json.len();
    let Workspace { mut buffers, tape } = WORKSPACE.take().unwrap_or_default();
    let mut tape = tape.reset();
    let filled = simd_json::fill_tape(json, &mut buffers, &mut tape);
    let mut deserializer = Deserializer::from_tape(tape);
    let result = filled.and_then(|()| read(&mut deserializer));
    if json_bytes <= KEPT_BYTES_MAX {
        let tape = deserializer.into_tape().reset();
        WORKSPACE.set(Some(Workspace { buffers, tape }));
    }
    result
}

impl Default for Workspace {
    fn default() -> Self {
        Self { buffers: Buffers::new(USUAL_BYTES), tape: Tape(Vec::new()) }
    }
}
