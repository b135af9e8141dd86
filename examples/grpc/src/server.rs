//! The service with health, reflection and a graceful stop.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::health_reporter;

use crate::messages::DESCRIPTORS;
use crate::messages::insurance_charges_service_server::{
    InsuranceChargesServiceServer, SERVICE_NAME,
};
use crate::predictor::{ChargesModel, Predictor};

/// Serves until `shutdown` is over and all open calls have ended, or until `drain_limit` after `shutdown`.
///
/// # Errors
///
/// Fails if the listener fails.
pub async fn serve<M: ChargesModel + 'static>(
    predictor: Predictor<M>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
    drain_limit: Duration,
) -> Result<(), Box<dyn Error>> {
    let (mut health, health_service) = health_reporter();
    health.set_service_status(SERVICE_NAME, ServingStatus::Serving).await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        // Clients look up the details of errors.
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let (begin, begun) = oneshot::channel();
    let shutdown = async move {
        shutdown.await;
        for service in ["", SERVICE_NAME] {
            health.set_service_status(service, ServingStatus::NotServing).await;
            // Ends the calls that watch the state, which would stay open otherwise.
            health.clear_service_status(service).await;
        }
        // The other side is gone if the server has failed.
        let _received = begin.send(());
    };
    let served = Server::builder()
        .add_service(health_service)
        .add_service(reflection)
        .add_service(InsuranceChargesServiceServer::new(predictor))
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            shutdown,
        );
    let limit = async {
        let _begun = begun.await;
        sleep(drain_limit).await;
    };
    tokio::select! {
        served = served => served?,
        () = limit => tracing::warn!("Open calls are abandoned."),
    }
    Ok(())
}
