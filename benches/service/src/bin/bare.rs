//! The peer of the service: a bare axum handler that calls the same model and makes an id, on the thread
//! that has read the request or on the blocking pool.

use std::error::Error;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use ml_model_core::Infer as _;
use serde::Serialize;
use service_load::{BLOCKING, Input, TrivialModel};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;
use uuid::Uuid;

#[derive(Serialize)]
struct Answer {
    charges: f64,
    prediction_id: Uuid,
}

fn answer(input: &Input) -> Answer {
    let Ok(output) = TrivialModel.infer(input);
    Answer { charges: output.charges, prediction_id: Uuid::new_v4() }
}

async fn predict(Json(input): Json<Input>) -> Json<Answer> {
    Json(answer(&input))
}

async fn predict_blocking(Json(input): Json<Input>) -> Result<Json<Answer>, StatusCode> {
    let answer = spawn_blocking(move || answer(&input)).await;
    answer.map(Json).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

fn main() -> Result<(), Box<dyn Error>> {
    // The same runtime as in the service.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on {}", listener.local_addr()?);
        let predict = match std::env::var_os(BLOCKING) {
            Some(_) => post(predict_blocking),
            None => post(predict),
        };
        let router = Router::new()
            .route("/api/health/ready", get(|| async { "ready" }))
            .route("/api/models/trivial_model/prediction", predict);
        axum::serve(listener, router)
            .with_graceful_shutdown(async move {
                let _signal = terminate.recv().await;
            })
            .await?;
        Ok(())
    })
}
