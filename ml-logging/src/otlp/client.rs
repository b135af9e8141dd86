//! HTTP for OpenTelemetry's exporters. They call it on threads of their own, so it may block, and
//! needs no runtime: it works inside of Tokio and without.

use std::{future::Future, pin::Pin, sync::Arc};

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use ureq::Agent;

use super::{counted::Tally, settings::Target};

/// What a collector answers is short.
const RESPONSE_LIMIT: u64 = 4 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    /// Is told why a request failed: the exporter itself says only that it did.
    tally: Arc<Tally>,
}

impl Client {
    pub(super) fn new(target: &Target, tally: Arc<Tally>) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(target.timeout))
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
            let answered = self.send(request);
            match &answered {
                Ok(response) if response.status().is_success() => {}
                Ok(response) => self.tally.failed(&response.status()),
                Err(error) => self.tally.failed(error),
            }
            Ok(answered?)
        })
    }
}
