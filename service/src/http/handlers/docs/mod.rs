//! The documentation as pages: the OpenAPI document, and Swagger UI, which shows it. All files are part
//! of the program, and the pages request nothing from other hosts.

use std::hash::{DefaultHasher, Hasher};

use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::models::loaded;
use crate::hosting::shorten::shortened;
use crate::http::response::{ErrorResponse, Response};
use crate::openapi::set_root_path;
use crate::root_path::RootPath;
use crate::state::State;

/// The files of Swagger UI, compressed: all browsers accept gzip, and the program stays small.
const BUNDLE: &[u8] = include_bytes!("swagger-ui/swagger-ui-bundle.js.gz");
const STYLES: &[u8] = include_bytes!("swagger-ui/swagger-ui.css.gz");
const START: &str = include_str!("start.js");
const PAGE: &str = include_str!("page.html");

/// Permits the page to run the scripts of this service and to send requests to it. The icons of Swagger
/// UI are `data:` URLs.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Header in which a proxy names the path that it has removed from the request.
const FORWARDED_PREFIX: &str = "x-forwarded-prefix";

/// Returns the path that the proxy has removed, unless the configuration names it.
fn forwarded_prefix(state: &State, headers: &HeaderMap) -> Option<RootPath> {
    let is_open = state.info.root_path.is_none();
    let prefix = headers.get(FORWARDED_PREFIX).filter(|_| is_open)?;
    RootPath::parse(prefix.to_str().ok()?)
}

/// Adds the header by which caches tell answers apart.
fn varying(state: &State, mut response: Response) -> Response {
    if state.info.root_path.is_none() {
        response.headers_mut().append(header::VARY, HeaderValue::from_static(FORWARDED_PREFIX));
    }
    response
}

/// `GET /`: leads to the page.
pub(in crate::http) fn root(state: &State, headers: &HeaderMap) -> Response {
    let prefix = forwarded_prefix(state, headers);
    let prefix = prefix.as_ref().or(state.info.root_path.as_ref()).map_or("", RootPath::as_str);
    let mut response = Response::default();
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    if let Ok(page) = HeaderValue::try_from(format!("{prefix}/docs")) {
        response.headers_mut().insert(header::LOCATION, page);
    }
    varying(state, response)
}

/// `GET /openapi.json`
pub(in crate::http) fn document(
    state: &State,
    headers: &HeaderMap,
) -> Result<Response, ErrorResponse> {
    let loaded = loaded(state)?;
    let document = match forwarded_prefix(state, headers) {
        Some(prefix) => {
            let mut document = loaded.openapi.clone();
            set_root_path(&mut document, &prefix);
            document.to_string().into()
        }
        None => loaded.openapi_text.clone(),
    };
    let response = cached(headers, &tag_of(&document), "application/json", document);
    Ok(varying(state, response))
}

/// `GET /docs`
pub(in crate::http) fn page(state: &State) -> Response {
    let page = PAGE.replace("{title}", &escape(&state.info.title));
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    with_headers(Response::new(page.into()), headers)
}

/// `GET /docs/{asset}`
pub(in crate::http) fn asset(name: &str, headers: &HeaderMap) -> Result<Response, ErrorResponse> {
    let start = Bytes::from_static(START.as_bytes());
    match name {
        "swagger-ui-bundle.js" => Ok(compressed(headers, JAVASCRIPT, BUNDLE)),
        "swagger-ui.css" => Ok(compressed(headers, "text/css; charset=utf-8", STYLES)),
        "start.js" => Ok(cached(headers, &tag_of(&start), JAVASCRIPT, start)),
        _ => {
            Err(ErrorResponse::not_found(format!("there is nothing at /docs/{}", shortened(name))))
        }
    }
}

fn with_headers<const N: usize>(
    mut response: Response,
    headers: [(HeaderName, &'static str); N],
) -> Response {
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Makes an entity tag of content.
fn tag_of(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    format!("\"{:016x}\"", hasher.finish())
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Answers with gzip, whether or not the client names it: browsers accept it, and a client that
/// names no coding refuses none.
fn compressed(headers: &HeaderMap, content_type: &'static str, gzip: &'static [u8]) -> Response {
    // The checksum in the trailer identifies the content.
    let trailer = gzip.last_chunk::<8>().copied().unwrap_or_default();
    let tag = format!("\"{:016x}\"", u64::from_le_bytes(trailer));
    let mut response = cached(headers, &tag, content_type, Bytes::from_static(gzip));
    if response.status() == StatusCode::OK {
        let encoding = HeaderValue::from_static("gzip");
        response.headers_mut().insert(header::CONTENT_ENCODING, encoding);
    }
    response
}

/// Answers with content that clients keep and ask for each time: 304 if they have it already.
fn cached(headers: &HeaderMap, tag: &str, content_type: &'static str, body: Bytes) -> Response {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    let is_known = known
        .flat_map(|tags| tags.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag);
    let mut response = Response::default();
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    let response = with_headers(response, [(header::CACHE_CONTROL, "no-cache")]);
    if is_known {
        let mut response = response;
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let kind = [(header::CONTENT_TYPE, content_type), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    with_headers(response.map(|_empty| body), kind)
}

/// Escapes text for HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
