//! The query of an address: `?filter=age%3E60&limit=50`.

use std::borrow::Cow;

use jiff::Zoned;
use ml_configuration::nearest;
use percent_encoding::percent_decode_str;

use super::response::ErrorResponse;
use crate::query::{Scope, TimeRange};

/// Number of items of an answer.
const LIMIT: usize = 100;
/// Highest number of items of an answer.
const MOST: usize = 10_000;

/// The parameters of a request.
pub(super) struct Parameters<'a>(Vec<(Cow<'a, str>, String)>);

impl<'a> Parameters<'a> {
    /// Reads the query of an address, in which only the names of `valid` may occur.
    pub(super) fn read(query: Option<&'a str>, valid: &[&str]) -> Result<Self, ErrorResponse> {
        let mut parameters = Vec::new();
        for part in query.unwrap_or_default().split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.replace('+', " ");
            let decode = |text: &str| percent_decode_str(text).decode_utf8().map(Cow::into_owned);
            let (Ok(name), Ok(value)) = (decode(name), decode(&value)) else {
                return Err(ErrorResponse::invalid("the query of the address is not valid UTF-8"));
            };
            if !valid.contains(&&*name) {
                let remedy = match nearest(&name, valid.iter().copied()) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None if valid.is_empty() => "there are none here".to_owned(),
                    None => format!("valid are `{}`", valid.join("`, `")),
                };
                return Err(ErrorResponse::invalid(format!(
                    "unknown parameter `{name}`; {remedy}"
                )));
            }
            if !value.is_empty() {
                parameters.push((Cow::Owned(name), value));
            }
        }
        Ok(Self(parameters))
    }

    /// Returns a parameter. An empty one is absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }

    /// Returns the range of `from` and `to`. Without `from` it starts `default` microseconds before its end,
    /// or with the first record.
    pub(super) fn range(&self, default: Option<i64>) -> Result<TimeRange, ErrorResponse> {
        TimeRange::parse(self.get("from"), self.get("to"), default, &Zoned::now())
            .map_err(ErrorResponse::invalid)
    }

    /// Returns the maximum number of items of an answer.
    pub(super) fn limit(&self) -> Result<usize, ErrorResponse> {
        let Some(text) = self.get("limit") else { return Ok(LIMIT) };
        let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
        limit.ok_or_else(|| {
            ErrorResponse::invalid(format!(
                "limit: expected a number from 1 to {MOST}, found `{text}`"
            ))
        })
    }

    /// Returns the restriction to a model, a version or an instance.
    pub(super) fn scope(&self) -> Scope {
        let text = |name| self.get(name).map(str::to_owned);
        Scope { model: text("model"), version: text("version"), instance: text("instance") }
    }
}
