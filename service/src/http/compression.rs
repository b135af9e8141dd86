//! The content coding gzip, of bodies and of answers.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};

use super::response::Response;

/// Name of the coding.
pub(super) const GZIP: &str = "gzip";

/// Minimum size of a compressed answer in bytes.
const COMPRESSED_FROM: usize = 1024;

/// Maximum number of gzip members of a body: an empty one takes 20 bytes, and as long as a kilobyte of data.
const MOST_MEMBERS: usize = 1000;

/// Returns whether a content coding is gzip.
pub(super) fn is_gzip(coding: &str) -> bool {
    coding.eq_ignore_ascii_case(GZIP) || coding.eq_ignore_ascii_case("x-gzip")
}

/// Decompresses a body, which may have several members (RFC 1952, section 2.2). Returns at most `limit` bytes
/// and one more.
///
/// # Errors
///
/// Fails if the body is corrupt or incomplete, or if something else follows its last member.
pub(super) fn decompress(body: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let mut decompressed = Vec::new();
    let limit = limit as u64 + 1;
    let mut rest = body;
    for _ in 0..MOST_MEMBERS {
        let left = limit - decompressed.len() as u64;
        let mut decoder = GzDecoder::new(rest);
        decoder.by_ref().take(left).read_to_end(&mut decompressed)?;
        rest = decoder.into_inner();
        if rest.is_empty() || decompressed.len() as u64 == limit {
            return Ok(decompressed);
        }
    }
    let problem = format!("it has more than {MOST_MEMBERS} gzip members");
    Err(io::Error::new(io::ErrorKind::InvalidData, problem))
}

fn compressed(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}

/// Returns whether a client prefers compressed answers.
fn prefers_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let items = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let accepted = items.filter_map(|item| {
        let (name, weight) = item
            .split_once(';')
            .map_or((item, Some(1.0)), |(name, parameter)| (name, weight(parameter.trim())));
        let weight = weight.filter(|weight| *weight > 0.0)?;
        match name.trim() {
            name if is_gzip(name) => Some((weight, true)),
            name => name.eq_ignore_ascii_case("identity").then_some((weight, false)),
        }
    });
    // At equal weights compression wins.
    let preferred =
        accepted.max_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    preferred.is_some_and(|(_, is_gzip)| is_gzip)
}

/// Reads `q=0.5` (RFC 9110, section 12.4.2).
fn weight(parameter: &str) -> Option<f32> {
    let value = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="))?;
    let is_plain = value.starts_with(['0', '1'])
        && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    value.parse().ok().filter(|weight| is_plain && (0.0..=1.0).contains(weight))
}

/// Compresses an answer if the client prefers that, unless the answer is small or compressed already. `headers` are
/// those of the request.
pub(super) fn compress(response: &mut Response, headers: &HeaderMap) {
    let is_small = response.body().len() < COMPRESSED_FROM;
    if is_small || response.headers().contains_key(header::CONTENT_ENCODING) {
        return;
    }
    let vary = HeaderValue::from_static("accept-encoding");
    response.headers_mut().append(header::VARY, vary);
    if !prefers_gzip(headers) {
        return;
    }
    if let Ok(compressed) = compressed(response.body()) {
        *response.body_mut() = Bytes::from(compressed);
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(GZIP));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_accepted_by_name_and_weight() {
        for (value, expected) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("identity;q=0, gzip; q=1.0", true),
            ("zstd, gzip", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000, *", false),
            ("identity;q=0", false),
            ("*;q=0", false),
            ("br", false),
            ("", false),
            ("gzip;q", false),
            ("gzip;q=2", false),
            ("gzip;q=1e-1", false),
            ("identity, gzip;q=0.5", false),
            ("identity;q=0.5, gzip;q=0.5", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(prefers_gzip(&headers), expected, "{value}");
        }
        assert!(!prefers_gzip(&HeaderMap::new()));
    }

    #[test]
    fn bodies_are_read_back_up_to_the_limit() {
        let body = b"{\"age\": 25}".repeat(100);
        let compressed = compressed(&body).expect("memory takes everything");
        assert!(compressed.len() < body.len());
        let decompressed = decompress(&compressed, body.len()).ok();
        assert_eq!(decompressed.as_ref(), Some(&body));
        let cut = decompress(&compressed, 10).map(|cut| cut.len());
        assert_eq!(cut.ok(), Some(11));
        let twice = decompress(&[&*compressed, &*compressed].concat(), 2 * body.len());
        assert_eq!(twice.ok(), Some(body.repeat(2)));
        assert!(decompress(&[&*compressed, b"more"].concat(), body.len()).is_err());
        assert!(decompress(&compressed[..compressed.len() - 1], body.len()).is_err());
    }
}
