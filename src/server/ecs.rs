//! What AWS ECS says to a container about the task that it runs in.

use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::warn;

/// Set by the agent of ECS in every container, version 4 of its metadata.
const VARIABLE: &str = "ECS_CONTAINER_METADATA_URI_V4";
const TIMEOUT: Duration = Duration::from_secs(1);
const ANSWER_BYTES_MAX: usize = 256 * 1_024;

/// The ARN of the task that this process is part of; `None` elsewhere than on
/// ECS, and where its agent does not answer.
pub async fn task_arn() -> Option<String> {
    let base = std::env::var(VARIABLE).ok()?;
    let asked = timeout(TIMEOUT, ask(&format!("{base}/task"))).await;
    let answer = asked.unwrap_or_else(|_| Err("no answer in time".into()));
    answer.inspect_err(|error| warn!(%error, "the ECS agent did not name the task")).ok()
}

async fn ask(url: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    #[derive(Deserialize)]
    struct Task {
        #[serde(rename = "TaskARN")]
        arn: String,
    }
    let url: Uri = url.parse()?;
    let host = url.host().ok_or("no host in the address")?.to_owned();
    let stream = TcpStream::connect((host.as_str(), url.port_u16().unwrap_or(80))).await?;
    let (mut sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(driver);
    let target = url.path_and_query().map_or("/", |target| target.as_str());
    let request = Request::get(target).header(HOST, host).body(Empty::<Bytes>::new())?;
    let body = Limited::new(sender.send_request(request).await?.into_body(), ANSWER_BYTES_MAX);
    let task: Task = serde_json::from_slice(&body.collect().await?.to_bytes())?;
    driver.abort();
    Ok(task.arn)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn agent(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a question");
            let mut question = [0; 1_024];
            let read = stream.read(&mut question).await.expect("a question");
            assert!(question[..read].starts_with(b"GET /v4/abc/task HTTP/1.1\r\n"));
            let length = answer.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            stream.write_all((head + answer).as_bytes()).await.expect("who asks listens");
        });
        format!("http://{address}/v4/abc/task")
    }

    #[tokio::test]
    async fn the_agent_names_the_task() {
        const ARN: &str = "arn:aws:ecs:eu-central-1:123456789012:task/cards/0f";
        const ANSWER: &str = r#"{"Cluster":"cards","TaskARN":"arn:aws:ecs:eu-central-1:123456789012:task/cards/0f","Containers":[]}"#;
        assert_eq!(ask(&agent(ANSWER).await).await.expect("an answer"), ARN);
        assert!(ask(&agent("{}").await).await.is_err());
        assert!(ask("http:///nowhere").await.is_err());
    }
}
