//! The page: files that are part of the program. It requests nothing from other hosts.
//!
//! `app.js` is the frame; each view has a file of its own. `vendor` holds uPlot, which draws the charts.

use hyper::body::Bytes;

/// Permits the page's own scripts, styles and requests. Values of records are never markup: the scripts
/// set text only.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const STYLES: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Files by their paths.
const ASSETS: [(&str, &str, &str); 14] = [
    ("/", HTML, include_str!("index.html")),
    ("/page/style.css", STYLES, include_str!("style.css")),
    ("/page/uplot.css", STYLES, include_str!("vendor/uplot.css")),
    ("/page/uplot.js", SCRIPT, include_str!("vendor/uplot.js")),
    ("/page/app.js", SCRIPT, include_str!("app.js")),
    ("/page/state.js", SCRIPT, include_str!("state.js")),
    ("/page/dom.js", SCRIPT, include_str!("dom.js")),
    ("/page/charts.js", SCRIPT, include_str!("charts.js")),
    ("/page/overview.js", SCRIPT, include_str!("overview.js")),
    ("/page/search.js", SCRIPT, include_str!("search.js")),
    ("/page/prediction.js", SCRIPT, include_str!("prediction.js")),
    ("/page/failures.js", SCRIPT, include_str!("failures.js")),
    ("/page/fields.js", SCRIPT, include_str!("fields.js")),
    ("/page/log.js", SCRIPT, include_str!("log.js")),
];

/// A file of the page.
pub(crate) struct Asset {
    pub(crate) content_type: &'static str,
    pub(crate) content: Bytes,
}

/// Returns the file at a path.
pub(crate) fn asset(path: &str) -> Option<Asset> {
    let (_, content_type, content) = ASSETS.into_iter().find(|(own, _, _)| *own == path)?;
    Some(Asset { content_type, content: Bytes::from_static(content.as_bytes()) })
}
