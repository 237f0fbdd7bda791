//! The instances' figures, from the directory in Redis to where they are
//! watched; and word to an instance whose task is taken away.
//!
//! | called with | does |
//! |---|---|
//! | `{}`, or a schedule's event | prints the figures for CloudWatch, as EMF on standard output |
//! | `GET /metrics` over HTTP | answers with the figures for Prometheus |
//! | ECS Task State Change, DEACTIVATING | asks that task's instance to drain |
//!
//! While Redis is away `ExportFailures` is 1 and the invocation fails; no
//! figure is printed then, for a zero would make the service smaller.

mod drain;
mod emf;
mod event;
mod exporter;
mod fleet;
mod prometheus;

use std::process::ExitCode;
use std::sync::Arc;

use functions_support::environment::{REDIS_URL, Reads};
use functions_support::program;

use crate::exporter::{Exporter, NAMESPACE, SERVICE};

fn main() -> ExitCode {
    let reads = Reads { plain: &[NAMESPACE, SERVICE], secret: &[REDIS_URL] };
    program::run(
        reads,
        |environment| Exporter::new(environment).map(Arc::new),
        async |exporter: Arc<Exporter>, request| exporter.answer(request).await,
    )
}
