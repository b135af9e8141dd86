//! From a request to an answer.

use std::io;
use std::sync::Arc;

use http_body_util::channel::{Channel, Sender};
use http_body_util::{Either, Full};
use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode, header};
use tokio::sync::Semaphore;
use tokio::task::JoinError;

use super::access::Access;
use super::predictions::Predictions;
use super::response::{ErrorResponse, Response, with_headers};
use super::{openapi, questions};
use crate::ingest::SharedProgress;
use crate::page;
use crate::query::Reader;

/// Number of questions that are answered at the same time. Others wait.
const QUESTIONS: usize = 4;

/// Answers requests.
pub(crate) struct Router {
    questions: Arc<Questions>,
    progress: SharedProgress,
    access: Access,
}

/// Runs the questions to a store.
struct Questions {
    reader: Arc<Reader>,
    permits: Semaphore,
}

impl Questions {
    /// Runs a question on a thread where it can wait for the disk.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Reader) -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let reader = self.reader.clone();
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await;
        tokio::task::spawn_blocking(move || question(&reader)).await
    }
}

impl Router {
    /// Creates a router for a store.
    pub(crate) fn new(reader: Arc<Reader>, progress: SharedProgress, access: Access) -> Self {
        let questions = Arc::new(Questions { reader, permits: Semaphore::new(QUESTIONS) });
        Self { questions, progress, access }
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
            "/api/predictions" => self.predictions(head).await,
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
        let progress = self.progress.clone();
        let answer = self.questions.ask(move |reader| {
            questions::answer(reader, &progress, head.uri.path(), head.uri.query())
        });
        match answer.await {
            Ok(answer) => answer.unwrap_or_else(Response::from),
            Err(error) => failed(&error),
        }
    }

    async fn predictions(&self, head: Parts) -> Response {
        let query = head.uri.query().unwrap_or_default().to_owned();
        let first = self.questions.ask(move |reader| {
            let mut predictions = Predictions::read(reader, head.uri.query())?;
            let page = predictions.page(reader)?;
            Ok::<_, ErrorResponse>((predictions, page))
        });
        let (predictions, page) = match first.await {
            Ok(Ok(first)) => first,
            Ok(Err(error)) => return error.into(),
            Err(error) => return failed(&error),
        };
        let headers = predictions.head(&query);
        let body = if predictions.has_more() {
            let (sender, body) = Channel::new(1);
            tokio::spawn(send(self.questions.clone(), predictions, page, sender));
            Either::Right(body)
        } else {
            Either::Left(Full::new(page))
        };
        let mut response = Response::new(body);
        *response.headers_mut() = headers;
        response
    }
}

/// Sends an answer page by page. Each page is a question of its own, which waits until the client has
/// taken the pages before. An answer that cannot be finished is cut off, which the client notices.
async fn send(
    questions: Arc<Questions>,
    mut predictions: Predictions,
    mut page: Bytes,
    mut sender: Sender<Bytes, io::Error>,
) {
    while sender.send_data(page).await.is_ok() && predictions.has_more() {
        let next = questions.ask(move |reader| {
            let page = predictions.page(reader);
            (predictions, page)
        });
        (predictions, page) = match next.await.map_err(io::Error::other) {
            Ok((predictions, Ok(page))) => (predictions, page),
            Ok((_, Err(error))) => return cut_off(sender, io::Error::other(error)),
            Err(error) => return cut_off(sender, error),
        };
    }
}

fn cut_off(sender: Sender<Bytes, io::Error>, error: io::Error) {
    eprintln!("ml-logs: {error}");
    sender.abort(error);
}

fn failed(error: &JoinError) -> Response {
    let message = format!("the question has failed: {error}");
    ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message).into()
}
