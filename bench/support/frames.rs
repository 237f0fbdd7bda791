//! What clients send, as it lies in the buffer of a WebSocket frame.

/// A vote, as a browser that asks for an acknowledgement sends it.
pub(crate) const VOTE: &str = r#"421["vote:submit",{"storyId":"s1","value":"5"}]"#;

/// A vote with all that it may say. The request id has the length of a UUID.
pub(crate) const FULL_VOTE: &str = concat!(
    r#"4212["vote:submit",{"requestId":"0b6f7c1e-7d3f-4f52-9a58-1f2d3c4b5a69","#,
    r#""storyId":"s1","value":"13","confidence":4,"roundId":1}]"#
);

/// A new story with some 3,500 characters of description, escapes among them.
pub(crate) fn story() -> String {
    let line = r#"As a visitor I want to see \"prices\",\nso that I can compare. "#;
    let description = line.repeat(60);
    format!(
        r#"422["story:create",{{"title":"Prices on the page","description":"{description}","key":"SHOP-12","link":"https://example.test/SHOP-12"}}]"#
    )
}

/// Some 50 KB of CSV in one string.
pub(crate) fn import() -> String {
    let rows = r"Prices on the page,As a visitor I want to see prices,SHOP-12\n".repeat(800);
    format!(r#"423["story:import",{{"format":"csv","data":"{rows}"}}]"#)
}

/// The JSON array of the arguments, without the name.
pub(crate) fn arguments(frame: &str) -> String {
    let (_, arguments) = frame.split_once(',').expect("a name and an argument");
    format!("[{arguments}")
}
