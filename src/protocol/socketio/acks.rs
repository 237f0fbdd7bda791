//! The acknowledgements that the server awaits from one socket.

use smallvec::SmallVec;

/// Questions asked and not answered yet, each with whoever waits for it.
/// Ids count from 0 and are never used twice.
#[derive(Debug)]
pub struct Acks<W> {
    awaited: SmallVec<[(u64, W); 0]>,
    next_id: u64,
    awaited_max: u32,
}

impl<W> Acks<W> {
    pub fn new(awaited_max: u32) -> Self {
        Self { awaited: SmallVec::new(), next_id: 0, awaited_max }
    }

    /// The id to ask with; `None` when too many are awaited already.
    pub fn ask(&mut self, waiter: W) -> Option<u64> {
        if self.awaited.len() >= self.awaited_max as usize {
            return None;
        }
        let id = self.next_id;
        self.next_id += 1;
        self.awaited.push((id, waiter));
        Some(id)
    }

    /// Whoever waits for this answer; `None` for ids that were never asked,
    /// are answered already, or have been given up.
    pub fn answer(&mut self, id: u64) -> Option<W> {
        let index = self.awaited.iter().position(|(asked, _)| *asked == id)?;
        Some(self.awaited.swap_remove(index).1)
    }

    /// Nobody will answer any more.
    pub fn forget_all(&mut self) {
        self.awaited = SmallVec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_finds_its_question_once() {
        let mut acks = Acks::new(2);
        assert_eq!((acks.ask('a'), acks.ask('b')), (Some(0), Some(1)));
        assert_eq!(acks.ask('c'), None, "the number is bounded");
        assert_eq!(acks.answer(1), Some('b'));
        assert_eq!(acks.answer(1), None);
        assert_eq!(acks.answer(u64::MAX), None);
        assert_eq!(acks.ask('c'), Some(2), "ids are not used twice");
    }
}
