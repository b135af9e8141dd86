//! HTTP client for OpenTelemetry's exporters. They call it on threads of their own, so that it may block. It works
//! with and without a Tokio runtime.

use std::{future::Future, pin::Pin, sync::Arc};

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use ureq::Agent;

use super::{settings::Endpoint, tally::Tally};

/// Largest response of a collector.
const RESPONSE_LIMIT: u64 = 4 * 1024 * 1024;

/// HTTP client that stores the reason of failures in the tally.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    tally: Arc<Tally>,
}

impl Client {
    pub(super) fn new(endpoint: &Endpoint, tally: Arc<Tally>) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(endpoint.timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("ml-logging/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self { agent, tally }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let (head, body) = request.into_parts();
        let request = Request::from_parts(head, Vec::from(body));
        let (head, mut body) = self.agent.run(request)?.into_parts();
        let body = body.with_config().limit(RESPONSE_LIMIT).read_to_vec()?;
        Ok(Response::from_parts(head, Bytes::from(body)))
    }
}

impl HttpClient for Client {
    fn send_bytes<'s, 'f>(
        &'s self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let response = self.send(request);
            match &response {
                Ok(response) if response.status().is_success() => {}
                Ok(response) => self.tally.set_failure(&response.status()),
                Err(error) => self.tally.set_failure(error),
            }
            Ok(response?)
        })
    }
}
