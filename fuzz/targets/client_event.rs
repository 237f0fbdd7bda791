//! Events of clients, all names: what is taken is JSON whose first argument is
//! an object, and being taken or refused does not depend on the buffer.

#![no_main]

use cardroom::api::client_event::{DEPTH_MAX, EventName, IMPORT_BYTES_MAX, depth, parse};
use serde_json::value::RawValue;

cardroom_fuzz::target!(run);

fn run(input: &[u8]) {
    let Some((name, arguments)) = input.split_first() else { return };
    let name = EventName::ALL[usize::from(*name) % EventName::ALL.len()];
    assert_eq!(EventName::parse(name.as_str()), Some(name));
    let parsed = parse(name, &mut arguments.to_vec());
    let mut longer = Vec::with_capacity(arguments.len() + 64);
    longer.extend_from_slice(arguments);
    let again = parse(name, &mut longer);
    assert_eq!(parsed.as_ref().err(), again.as_ref().err());
    let Ok((_, request)) = parsed else { return };
    assert_eq!(again.ok().and_then(|(_, request)| request), request);
    assert!(arguments.len() <= IMPORT_BYTES_MAX && depth(arguments) <= DEPTH_MAX + 1);
    let array: Vec<&RawValue> = serde_json::from_slice(arguments).expect("what is taken is JSON");
    let first = array.first().map_or("null", |first| first.get());
    assert!(first == "null" || first.starts_with('{'), "{first}");
}
