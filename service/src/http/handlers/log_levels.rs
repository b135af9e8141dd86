//! `/api/log/levels`: the levels of the log while the service runs, shown and set with an admin key.

use std::sync::{Mutex, PoisonError};

use hyper::body::Incoming;
use hyper::{Method, StatusCode};
use ml_logging::{Levels, Logging};
use serde::Deserialize;
use serde_json::json;
use tracing::level_filters::LevelFilter;

use crate::hosting::shorten::{LONGEST_MESSAGE, cut};
use crate::http::connection::Connection;
use crate::http::extract::json_body;
use crate::http::known_headers::KnownHeaders;
use crate::http::response::{ErrorResponse, Response, json};
use crate::state::State;

/// Logger of the records about changes.
const TARGET: &str = "ml_model_service::levels";

/// Maximum length of the levels in characters. They are kept in memory and written to the log.
pub(crate) const LONGEST: usize = 4096;

/// `GET`, `PUT {"levels": "info,hyper=debug"}`, `DELETE`
pub(in crate::http) async fn answer(
    state: &State,
    connection: &Connection,
    method: &Method,
    headers: &KnownHeaders<'_>,
    body: Incoming,
) -> Result<Response, ErrorResponse> {
    // The router has no such route without a log.
    let logging = state.logging.as_deref().ok_or_else(ErrorResponse::without_admin_key)?;
    match *method {
        Method::PUT => {
            let body = json_body(&state.server, connection, headers, body).await?;
            replace(logging, parse(&body)?);
        }
        Method::DELETE => replace(logging, logging.initial_levels()),
        _ => {}
    }
    let levels = logging.levels().to_string();
    let initial_levels = logging.initial_levels().to_string();
    let levels = json!({ "levels": levels, "initial_levels": initial_levels });
    Ok(json(StatusCode::OK, &levels))
}

fn parse(body: &[u8]) -> Result<Levels, ErrorResponse> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, expecting = "an object")]
    struct Wanted {
        levels: String,
    }

    let refused = |problem: String| {
        let message = cut(&problem, LONGEST_MESSAGE).into_owned();
        ErrorResponse::validation(vec![message])
    };
    let wanted: Wanted = serde_json::from_slice(body).map_err(|error| {
        refused(format!("{error}; write for example {{\"levels\": \"info,hyper=debug\"}}"))
    })?;
    if wanted.levels.chars().count() > LONGEST {
        return Err(refused(format!("levels: is longer than {LONGEST} characters")));
    }
    wanted.levels.parse().map_err(|error| refused(format!("levels: {error}")))
}

/// Replaces the levels and logs the change regardless of the levels.
fn replace(logging: &Logging, levels: Levels) {
    // The record names the levels before and after: no other change comes in between.
    static CHANGE: Mutex<()> = Mutex::new(());
    let _one_at_a_time = CHANGE.lock().unwrap_or_else(PoisonError::into_inner);
    let previous = logging.levels();
    if levels == previous {
        return;
    }
    logging.set_levels(previous.clone().with_target(TARGET, LevelFilter::WARN));
    tracing::warn!(target: TARGET, %levels, previous_levels = %previous, "The levels of the log are changed.");
    logging.set_levels(levels);
}
