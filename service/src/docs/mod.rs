//! The API's documentation as pages: the OpenAPI document and Swagger UI, which shows it.
//!
//! Everything is in the program, and the pages ask no other host for anything.

mod archive;

use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::Value;

use crate::response::{ErrorResponse, shortened};
use crate::routes::Segment;
use crate::state::State;
use archive::Member;

const BUNDLE: Member = Member::find("/dist/swagger-ui-bundle.js");
static BUNDLE_GZIP: [u8; BUNDLE.gzip_length()] = BUNDLE.gzip();
const STYLES: Member = Member::find("/dist/swagger-ui.css");
static STYLES_GZIP: [u8; STYLES.gzip_length()] = STYLES.gzip();
const START: &str = include_str!("start.js");
const PAGE: &str = include_str!("page.html");

/// What the page may do: run the scripts of this service and talk to it. The icons of Swagger UI are
/// `data:` URLs.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/docs") }))
        .route("/openapi.json", get(document))
        .route("/docs", get(page))
        .route("/docs/{asset}", get(asset))
}

/// The OpenAPI document, ready to be sent.
pub(crate) struct Document {
    json: Bytes,
    tag: String,
}

impl Document {
    pub(crate) fn new(document: &Value) -> Self {
        let json = Bytes::from(document.to_string());
        Self { tag: tag_of(&json), json }
    }
}

/// An entity tag by content.
fn tag_of(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    format!("\"{:016x}\"", hasher.finish())
}

async fn document(
    Shared(state): Shared<Arc<State>>,
    headers: HeaderMap,
) -> Result<Response, ErrorResponse> {
    let document = &state.models()?.openapi;
    Ok(cached(&headers, &document.tag, "application/json", document.json.clone()))
}

async fn page(Shared(state): Shared<Arc<State>>) -> Response {
    let page = PAGE.replace("{title}", &escape(&state.info.title));
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, page).into_response()
}

async fn asset(Segment(name): Segment, headers: HeaderMap) -> Result<Response, ErrorResponse> {
    match name.as_str() {
        "swagger-ui-bundle.js" => Ok(compressed(&headers, &BUNDLE, JAVASCRIPT, &BUNDLE_GZIP)),
        "swagger-ui.css" => {
            Ok(compressed(&headers, &STYLES, "text/css; charset=utf-8", &STYLES_GZIP))
        }
        "start.js" => Ok(cached(
            &headers,
            &tag_of(START.as_bytes()),
            JAVASCRIPT,
            Bytes::from_static(START.as_bytes()),
        )),
        _ => {
            Err(ErrorResponse::not_found(format!("there is nothing at /docs/{}", shortened(&name))))
        }
    }
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Compressed whether or not the client says that it takes gzip: browsers do, and what a client
/// does not say it does not refuse.
fn compressed(
    headers: &HeaderMap,
    member: &Member,
    content_type: &'static str,
    gzip: &'static [u8],
) -> Response {
    let tag = format!("\"{:08x}\"", member.crc());
    let mut response = cached(headers, &tag, content_type, Bytes::from_static(gzip));
    if response.status() == StatusCode::OK {
        let encoding = HeaderValue::from_static("gzip");
        response.headers_mut().insert(header::CONTENT_ENCODING, encoding);
    }
    response
}

/// Something to keep, and to ask about each time: 304 if the client has it already.
fn cached(headers: &HeaderMap, tag: &str, content_type: &'static str, body: Bytes) -> Response {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    let is_known = known
        .flat_map(|tags| tags.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag);
    let caching = [(header::ETAG, tag), (header::CACHE_CONTROL, "no-cache")];
    if is_known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let kind = [(header::CONTENT_TYPE, content_type), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (caching, kind, body).into_response()
}

/// Text as HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
