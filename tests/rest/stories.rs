//! Stories and the export over HTTP.

use serde_json::{Value, json};

use crate::rest::house::{House, problem, value};

#[tokio::test]
async fn a_facilitator_adds_stories_and_takes_them_away() {
    let house = House::open();
    let opened = house.session(json!({ "name": "Sprint | 12" })).await;
    let guest = house.guest(&opened, "Bob").await;
    let path = opened.path("/stories");

    let story = json!({ "title": "=1+1", "key": "SHOP-1", "link": "https://example.org/1" });
    let added = value(&house.by(&opened.host_token, "POST", &path, story.clone()).await, 201);
    assert_eq!(added["storyId"], "s2");
    assert!(added["seq"].is_u64());
    problem(&house.post(&path, story.clone()).await, 401, "INVALID_PLAYER_TOKEN");
    let untitled = house.by(&opened.host_token, "POST", &path, json!({})).await;
    assert_eq!(problem(&untitled, 400, "BAD_REQUEST")["field"], "title");
    let nowhere = json!({ "title": "x", "afterId": "s99" });
    let nowhere = house.by(&opened.host_token, "POST", &path, nowhere).await;
    problem(&nowhere, 404, "STORY_NOT_FOUND");

    let file = async |format: &str| {
        let path = opened.path(&format!("/export{format}"));
        house.by(&guest, "GET", &path, json!({})).await
    };
    let csv = file("?format=csv").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8; header=present");
    let name = format!("attachment; filename=\"cardroom-{}.csv\"", opened.code);
    assert_eq!(csv.header("content-disposition"), name);
    assert!(csv.body().contains("\"SHOP-1\",\"'=1+1\""), "{}", csv.body());
    let markdown = file("?format=md").await;
    assert!(markdown.body().starts_with("# Sprint \\| 12\n"), "{}", markdown.body());
    let json: Value = value(&file("").await, 200);
    assert_eq!(json["stories"][1]["title"], "=1+1");
    assert_eq!(json["stories"][1]["revealedRounds"], json!([]));

    let refused = file("?format=xlsx").await;
    assert_eq!(problem(&refused, 400, "BAD_REQUEST")["field"], "format");
    problem(&house.get(&opened.path("/export")).await, 401, "INVALID_PLAYER_TOKEN");
}

#[tokio::test]
async fn stories_of_one_seat_are_limited() {
    let house = House::open();
    let opened = house.session(json!({ "name": "x" })).await;
    let path = opened.path("/stories");
    for _ in 0..30 {
        value(&house.by(&opened.host_token, "POST", &path, json!({ "title": "x" })).await, 201);
    }
    let refused = house.by(&opened.host_token, "POST", &path, json!({ "title": "x" })).await;
    problem(&refused, 429, "RATE_LIMITED");
}
