//! One integration binary, a file per story.

mod consensus;
mod rules;
