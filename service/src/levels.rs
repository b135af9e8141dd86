//! The levels of the log while the service runs: shown and set at [`PATH`] by whoever has an admin
//! key, and by two signals.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequestParts, Request, State as Shared};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use ml_logging::{Levels, Logging};
use serde::Deserialize;
use serde_json::json;
use tracing::level_filters::LevelFilter;

use crate::predictions;
use crate::response::{ErrorResponse, LONGEST_MESSAGE, cut};
use crate::server::ServeError;
use crate::state::State;

pub(crate) const PATH: &str = "/api/log/levels";

/// The longest text of levels that is taken, in characters. They are kept, and in the log.
pub(crate) const LONGEST: usize = 4096;

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new().route(PATH, get(show).put(set).delete(reset))
}

/// The log, for those who may set its levels: who shows an admin key.
struct Log(Arc<Logging>);

impl FromRequestParts<Arc<State>> for Log {
    type Rejection = ErrorResponse;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<State>,
    ) -> Result<Self, ErrorResponse> {
        let keys = state.server.admin_keys.as_ref();
        match &state.logging {
            Some(logging) if keys.is_some_and(|keys| keys.admit(&parts.headers)) => {
                Ok(Self(logging.clone()))
            }
            _ => Err(ErrorResponse::without_admin_key()),
        }
    }
}

/// `GET`
async fn show(Log(logging): Log) -> Response {
    answer(&logging)
}

/// `PUT {"levels": "info,hyper=debug"}`
async fn set(
    Log(logging): Log,
    Shared(state): Shared<Arc<State>>,
    request: Request,
) -> Result<Response, ErrorResponse> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, expecting = "an object")]
    struct Wanted {
        levels: String,
    }

    let refused = |problem: String| {
        let message = cut(&problem, LONGEST_MESSAGE).into_owned();
        ErrorResponse::validation(vec![message])
    };
    let (head, body) = request.into_parts();
    let body = predictions::read(&state, &head.headers, body).await?;
    let wanted: Wanted = serde_json::from_slice(&body).map_err(|error| {
        refused(format!("{error}; write for example {{\"levels\": \"info,hyper=debug\"}}"))
    })?;
    if wanted.levels.chars().count() > LONGEST {
        return Err(refused(format!("levels: is longer than {LONGEST} characters")));
    }
    let levels = wanted.levels.parse().map_err(|error| refused(format!("levels: {error}")))?;
    replace(&logging, |_| levels);
    Ok(answer(&logging))
}

/// `DELETE`
async fn reset(Log(logging): Log) -> Response {
    replace(&logging, |_| logging.initial_levels());
    answer(&logging)
}

fn answer(logging: &Logging) -> Response {
    let levels = logging.levels().to_string();
    let initial_levels = logging.initial_levels().to_string();
    Json(json!({ "levels": levels, "initial_levels": initial_levels })).into_response()
}

/// Says so, too, whatever the levels are: of all that is done to a log this is not to go unseen.
fn replace(logging: &Logging, levels: impl FnOnce(&Levels) -> Levels) {
    // No other change between those before and those after.
    static CHANGE: Mutex<()> = Mutex::new(());
    let _one_at_a_time = CHANGE.lock().unwrap_or_else(PoisonError::into_inner);
    let previous = logging.levels();
    let levels = levels(&previous);
    if levels == previous {
        return;
    }
    logging.set_levels(previous.clone().with_target(module_path!(), LevelFilter::WARN));
    tracing::warn!(%levels, previous_levels = %previous, "The levels of the log are changed.");
    logging.set_levels(levels);
}

/// Waits for signals, without end: SIGUSR1 makes the log more verbose by a step, SIGUSR2 gives it its
/// initial levels again. Signals are caught from the call on, not from the first poll.
pub(crate) fn signals(
    logging: Arc<Logging>,
) -> Result<impl Future<Output = Infallible> + Send + 'static, ServeError> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut more = signal(SignalKind::user_defined1()).map_err(ServeError::Signals)?;
        let mut initial = signal(SignalKind::user_defined2()).map_err(ServeError::Signals)?;
        Ok(async move {
            loop {
                tokio::select! {
                    Some(()) = more.recv() => replace(&logging, Levels::more_verbose),
                    Some(()) = initial.recv() => replace(&logging, |_| logging.initial_levels()),
                }
            }
        })
    }
    #[cfg(not(unix))]
    {
        drop(logging);
        Ok(std::future::pending())
    }
}
