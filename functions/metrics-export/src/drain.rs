//! Word to the instance whose task leaves the load balancer: its clients are
//! to go while their connections still live. The wish lies in the instance's
//! own record; said twice it is the same wish.

use std::sync::Arc;

use cardroom::poker::ids::InstanceId;
use cardroom::store::{Directory, RedisStore, StoreError};

/// The instance of that task, if it was there to be told.
pub(crate) async fn tell(
    store: Arc<RedisStore>,
    task: &str,
) -> Result<Option<InstanceId>, StoreError> {
    store.ask_time().await?;
    let instances = store.instances().await?;
    let Some(leaving) = instances.iter().find(|instance| instance.task.as_deref() == Some(task))
    else {
        return Ok(None);
    };
    Ok(store.request_drain(leaving.id).await?.then_some(leaving.id))
}
