//! The page: files that are part of the program. It requests nothing from other hosts.

use hyper::body::Bytes;

/// Permits the page's own scripts, styles and requests. Values of records are never markup: the scripts
/// set text only.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the page.
pub(crate) struct Asset {
    pub(crate) content_type: &'static str,
    pub(crate) content: Bytes,
}

/// Returns the file at a path.
pub(crate) fn asset(path: &str) -> Option<Asset> {
    let (content_type, content): (_, &'static str) = match path {
        "/" => ("text/html; charset=utf-8", include_str!("index.html")),
        _ => return None,
    };
    Some(Asset { content_type, content: Bytes::from_static(content.as_bytes()) })
}
