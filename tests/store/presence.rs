//! `get_session_connections` and `is_player_online`, asked of one instance
//! about the sockets of all.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use cardroom::connection::{Connections, Upper};
use cardroom::hub::Hub;
use cardroom::identity::Keyring;
use cardroom::poker::ids::{PlayerId, SessionId};
use cardroom::store::Directory;
use cardroom::table::{Table, TableOptions};

use crate::store::redis_server::RedisServer;
use crate::support::eio::{join_websocket, patient, say, see_text, serve};
use crate::support::raw_ws::RawWs;

/// One more instance on the stores of this prefix.
async fn instance(prefix: &str) -> (Arc<dyn Directory>, SocketAddr) {
    let store = Arc::new(RedisServer::shared().connect(prefix).await);
    let keyring = Keyring::ephemeral([7; 32]);
    let options = TableOptions {
        lease: Duration::from_secs(5),
        renew: Duration::from_secs(1),
        ..TableOptions::default()
    };
    let table = Table::new(Arc::clone(&store) as _, store, Hub::new(), keyring, options);
    let directory = Arc::clone(table.directory());
    (directory, serve(Connections::new(patient(), Upper::SocketIo(Arc::new(table)))))
}

async fn ask(server: SocketAddr, event: &str, payload: Value) -> (RawWs, Value) {
    let mut socket = join_websocket(server).await;
    say(&mut socket, &format!("420{}", json!([event, payload]))).await;
    loop {
        let packet = see_text(&mut socket).await;
        if let Some(answer) = packet.strip_prefix("430") {
            let answer: Value = serde_json::from_str(answer).expect("JSON");
            return (socket, answer[0].clone());
        }
    }
}

async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test]
async fn any_instance_knows_who_is_connected_to_any_other() {
    let prefix = RedisServer::prefix();
    let ((here, one), (there, other)) = (instance(&prefix).await, instance(&prefix).await);
    let create = json!({"name": "Sprint", "playerName": "Ann"});
    let (ann_socket, created) = ask(one, "session:create", create).await;
    let session: SessionId = created["sessionId"].as_str().unwrap().parse().unwrap();
    let join = json!({"sessionId": session, "playerName": "Ben"});
    let (ben_socket, joined) = ask(other, "session:join", join).await;
    assert_eq!(joined["ok"], true, "{joined}");
    let id = |answer: &Value| -> PlayerId {
        answer["player"]["id"].as_str().expect("an id").parse().expect("a player id")
    };
    let (ann, ben) = (id(&created), id(&joined));
    let count = async |directory: &Arc<dyn Directory>| {
        directory.session_connections(session).await.unwrap().len()
    };
    let is_online = async |directory: &Arc<dyn Directory>, player| {
        directory.is_player_online(session, player).await.unwrap()
    };

    eventually("two sockets", async || count(&here).await == 2 && count(&there).await == 2).await;
    for directory in [&here, &there] {
        assert!(is_online(directory, ann).await && is_online(directory, ben).await);
    }
    let sockets = here.session_connections(session).await.unwrap();
    for socket in sockets {
        let record = there.connection(socket).await.unwrap().expect("a record");
        assert_eq!(record.session, session);
        let instance = here.instance(record.instance).await.unwrap();
        assert!(instance.is_some(), "and its instance has a lease");
    }
    // Longer than a lease, and they are still here.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(is_online(&there, ann).await && is_online(&here, ben).await);

    // A second tab, elsewhere: of the two, the first one goes.
    let token = joined["playerToken"].as_str().expect("a token");
    let join = json!({"sessionId": session, "playerToken": token});
    let (tab, joined) = ask(one, "session:join", join).await;
    assert_eq!(id(&joined), ben);
    eventually("three sockets", async || count(&here).await == 3).await;
    drop(ben_socket);
    eventually("the tab is left", async || count(&here).await == 2).await;
    assert!(is_online(&here, ben).await && is_online(&there, ben).await);
    drop(tab);
    eventually("Ben is gone", async || !is_online(&there, ben).await).await;
    assert_eq!(count(&here).await, 1);
    assert!(is_online(&there, ann).await);
    drop(ann_socket);
    eventually("Ann is gone", async || !is_online(&there, ann).await).await;
    assert_eq!(count(&there).await, 0);
}
