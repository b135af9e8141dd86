//! `GET /api/predictions`: a page of the predictions that match, or all of them, read page by page.

use std::collections::BTreeSet;

use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use serde_json::json;

use super::parameters::Parameters;
use super::response::ErrorResponse;
use crate::query::{Filter, QueryError, Reader, Search, TimeRange, known_fields, search};
use crate::terminal::Csv;

/// Number of predictions in the first page of all: they arrive at once, and those of a CSV text are in
/// memory until its columns are known.
const FIRST: usize = 1000;
/// Number of predictions in a further page of all. A slow client keeps up to three pages in memory.
const FURTHER: usize = 5000;
/// Begin of an answer in JSON.
const BEGIN: &str = "{\"predictions\":[";

/// An answer that is written page by page, so that only one page is in memory.
pub(super) struct Predictions {
    filter: Filter,
    range: TimeRange,
    /// `None` for all.
    limit: Option<usize>,
    format: Format,
    /// Where the next page begins; `None` after the last one.
    after: Option<String>,
}

enum Format {
    Json {
        /// What stands before the next prediction.
        separator: &'static str,
    },
    Csv(Csv),
}

impl Predictions {
    /// Reads the parameters of a request.
    pub(super) fn read(reader: &Reader, query: Option<&str>) -> Result<Self, ErrorResponse> {
        let valid = ["filter", "from", "to", "limit", "after", "format"];
        let parameters = Parameters::read(query, &valid)?;
        let known = known_fields(reader, TimeRange::ALL)?;
        let names: BTreeSet<_> = known.into_iter().map(|field| field.name).collect();
        let limit = match parameters.get("limit") {
            Some("all") => None,
            _ => Some(parameters.limit()?),
        };
        Ok(Self {
            filter: Filter::parse(parameters.get("filter").unwrap_or_default(), &names)?,
            range: parameters.range(None)?,
            limit,
            format: match parameters.get("format") {
                None | Some("json") => Format::Json { separator: BEGIN },
                Some("csv") => Format::Csv(Csv::default()),
                Some(other) => {
                    return Err(ErrorResponse::invalid(format!(
                        "format: unknown format `{other}`; valid are `json` and `csv`"
                    )));
                }
            },
            after: parameters.get("after").map(str::to_owned),
        })
    }

    /// Reads the next page. An answer with a limit has only one.
    pub(super) fn page(&mut self, reader: &Reader) -> Result<Bytes, QueryError> {
        let question = Search {
            filter: &self.filter,
            range: self.range,
            limit: self.limit.unwrap_or(if self.after.is_none() { FIRST } else { FURTHER }),
            after: self.after.as_deref(),
        };
        let mut page = Vec::new();
        self.after = match &mut self.format {
            Format::Json { separator } => {
                let next = search(reader, &question, |prediction| {
                    page.extend_from_slice(separator.as_bytes());
                    page.extend(serde_json::to_vec(&prediction).unwrap_or_default());
                    *separator = ",";
                })?;
                if self.limit.is_some() || next.is_none() {
                    // An answer without predictions has not begun yet.
                    let begin = if *separator == BEGIN { BEGIN } else { "" };
                    page.extend(format!("{begin}],\"next\":{}}}", json!(next)).into_bytes());
                }
                next
            }
            Format::Csv(csv) => {
                let mut left = self.limit.unwrap_or(usize::MAX);
                csv.page(reader, &question, &mut left, &mut page)?
            }
        };
        Ok(page.into())
    }

    /// Returns whether the answer has another page.
    pub(super) fn has_more(&self) -> bool {
        self.limit.is_none() && self.after.is_some()
    }

    /// Returns the head of the answer, after its first page. A CSV text has no place for `next`, which is a
    /// link in the head.
    pub(super) fn head(&self, query: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
        set(header::CACHE_CONTROL, "no-store");
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        match (&self.format, &self.after) {
            (Format::Json { .. }, _) => {
                set(header::CONTENT_TYPE, "application/json");
            }
            (Format::Csv(_), next) => {
                set(header::CONTENT_TYPE, "text/csv; charset=utf-8");
                set(header::CONTENT_DISPOSITION, "attachment; filename=\"predictions.csv\"");
                if let Some(next) = next.as_ref().filter(|_| self.limit.is_some()) {
                    let others = query.split('&').filter(|part| !part.starts_with("after="));
                    let query = others.collect::<Vec<_>>().join("&");
                    let link = format!("</api/predictions?{query}&after={next}>; rel=\"next\"");
                    // The query has been part of a head before.
                    headers.extend(HeaderValue::try_from(link).map(|link| (header::LINK, link)));
                }
            }
        }
        headers
    }
}
