//! From a request to an answer.

use std::sync::Arc;

use hyper::http::request::Parts;
use hyper::{Method, StatusCode, header};
use tokio::sync::Semaphore;

use super::access::Access;
use super::response::{ErrorResponse, Response, with_headers};
use super::{openapi, questions};
use crate::ingest::SharedProgress;
use crate::page;
use crate::query::Reader;

/// Number of questions that are answered at the same time. Others wait.
const QUESTIONS: usize = 4;

/// Answers requests.
pub(crate) struct Router {
    reader: Arc<Reader>,
    progress: SharedProgress,
    access: Access,
    questions: Semaphore,
}

impl Router {
    /// Creates a router for a store.
    pub(crate) fn new(reader: Arc<Reader>, progress: SharedProgress, access: Access) -> Self {
        Self { reader, progress, access, questions: Semaphore::new(QUESTIONS) }
    }

    /// Answers a request.
    pub(super) async fn answer(&self, head: Parts) -> Response {
        match self.access.check(&head) {
            Ok(None) => {}
            Ok(Some(response)) => return response,
            Err(error) => return error.into(),
        }
        if head.method != Method::GET && head.method != Method::HEAD {
            let message = format!("{} is not allowed here; use GET", head.method);
            let error =
                ErrorResponse::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message);
            let mut response = Response::from(error);
            let allowed = header::HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(header::ALLOW, allowed);
            return response;
        }
        match head.uri.path() {
            "/openapi.json" => openapi::document(),
            path if path.starts_with("/api/") => self.question(head).await,
            path => match page::asset(path) {
                Some(asset) => with_headers(
                    StatusCode::OK,
                    asset.content,
                    [
                        (header::CONTENT_TYPE, asset.content_type),
                        (header::CACHE_CONTROL, "no-cache"),
                        (header::CONTENT_SECURITY_POLICY, page::CONTENT_SECURITY_POLICY),
                        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                        (header::REFERRER_POLICY, "no-referrer"),
                    ],
                ),
                None => ErrorResponse::not_found(format!("there is nothing at {path}")).into(),
            },
        }
    }

    async fn question(&self, head: Parts) -> Response {
        let reader = self.reader.clone();
        let progress = self.progress.clone();
        // The semaphore is never closed.
        let _permit = self.questions.acquire().await;
        let answer = tokio::task::spawn_blocking(move || {
            questions::answer(&reader, &progress, head.uri.path(), head.uri.query())
        });
        match answer.await {
            Ok(answer) => answer.unwrap_or_else(Response::from),
            Err(error) => {
                let message = format!("the question has failed: {error}");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                ErrorResponse::new(status, "InternalError", message).into()
            }
        }
    }
}
