//! The peer of the service: a bare axum handler with the same input and output.

use std::error::Error;

use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use service_load::{Input, Output, charges};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    output: Output,
    prediction_id: Uuid,
}

async fn predict(Json(input): Json<Input>) -> Json<Answer> {
    Json(Answer { output: charges(&input), prediction_id: Uuid::new_v4() })
}

fn main() -> Result<(), Box<dyn Error>> {
    // The same runtime as in the service.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on {}", listener.local_addr()?);
        let router = Router::new()
            .route("/api/health/ready", get(|| async { "ready" }))
            .route("/api/models/trivial_model/prediction", post(predict));
        axum::serve(listener, router)
            .with_graceful_shutdown(async move {
                let _signal = terminate.recv().await;
            })
            .await?;
        Ok(())
    })
}
