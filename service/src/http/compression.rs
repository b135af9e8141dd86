//! Content codings: gzip and zstd, of bodies and of answers.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};

use super::response::Response;

/// Minimum size of a compressed answer in bytes.
const COMPRESSED_FROM: usize = 1024;

/// Maximum number of gzip members of a body: an empty one takes 20 bytes, and as long as a kilobyte of data.
const MOST_MEMBERS: usize = 1000;

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Coding {
    Gzip,
    Zstd,
}

impl Coding {
    /// Names of all codings, as in the header `accept-encoding`.
    pub(super) const NAMES: &str = "gzip, zstd";

    /// Returns the coding of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            _ if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => {
                Some(Self::Gzip)
            }
            _ if name.eq_ignore_ascii_case("zstd") => Some(Self::Zstd),
            _ => None,
        }
    }

    fn name(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }

    /// Decompresses a body, which may have several members (RFC 1952, section 2.2) or frames (RFC 8878,
    /// section 3.1). Returns at most `limit` bytes and one more.
    ///
    /// # Errors
    ///
    /// Fails if the body is corrupt or incomplete, or if something else follows its last member.
    pub(super) fn decompress(self, body: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        let mut decompressed = Vec::new();
        let limit = limit as u64 + 1;
        match self {
            Self::Gzip => {
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
                return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
            }
            Self::Zstd => {
                zstd::Decoder::with_buffer(body)?.take(limit).read_to_end(&mut decompressed)?
            }
        };
        Ok(decompressed)
    }

    fn compress(self, body: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(body)?;
                encoder.finish()
            }
            Self::Zstd => zstd::encode_all(body, zstd::DEFAULT_COMPRESSION_LEVEL),
        }
    }
}

/// Returns the coding that a client prefers, `None` for an answer without compression.
fn preferred_coding(headers: &HeaderMap) -> Option<Coding> {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let items = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    // `None` is `identity`: at equal weights compression wins.
    let accepted = items.filter_map(|item| {
        let (name, weight) = item
            .split_once(';')
            .map_or((item, Some(1.0)), |(name, parameter)| (name, weight(parameter.trim())));
        let weight = weight.filter(|weight| *weight > 0.0)?;
        match name.trim() {
            name if name.eq_ignore_ascii_case("identity") => Some((weight, None)),
            name => Some((weight, Some(Coding::of(name)?))),
        }
    });
    accepted.max_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)))?.1
}

/// Reads `q=0.5` (RFC 9110, section 12.4.2).
fn weight(parameter: &str) -> Option<f32> {
    let value = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="))?;
    let is_plain = value.starts_with(['0', '1'])
        && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    value.parse().ok().filter(|weight| is_plain && (0.0..=1.0).contains(weight))
}

/// Compresses an answer with the coding that the client prefers, unless the answer is small or compressed
/// already. `headers` are those of the request.
pub(super) fn compress(response: &mut Response, headers: &HeaderMap) {
    let is_small = response.body().len() < COMPRESSED_FROM;
    if is_small || response.headers().contains_key(header::CONTENT_ENCODING) {
        return;
    }
    let vary = HeaderValue::from_static("accept-encoding");
    response.headers_mut().append(header::VARY, vary);
    let Some(coding) = preferred_coding(headers) else { return };
    if let Ok(compressed) = coding.compress(response.body()) {
        *response.body_mut() = Bytes::from(compressed);
        response.headers_mut().insert(header::CONTENT_ENCODING, coding.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_accepted_by_name_and_weight() {
        for (value, expected) in [
            ("gzip", Some(Coding::Gzip)),
            ("br, GZIP;q=0.5", Some(Coding::Gzip)),
            ("identity;q=0, zstd; q=1.0", Some(Coding::Zstd)),
            ("zstd;q=0.5, gzip", Some(Coding::Gzip)),
            ("gzip, zstd", Some(Coding::Zstd)),
            ("gzip;q=0", None),
            ("gzip;q=0.000, *", None),
            ("identity;q=0", None),
            ("*;q=0", None),
            ("br", None),
            ("", None),
            ("gzip;q", None),
            ("gzip;q=2", None),
            ("gzip;q=1e-1", None),
            ("identity, gzip;q=0.5", None),
            ("identity;q=0.5, gzip;q=0.5", Some(Coding::Gzip)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(preferred_coding(&headers), expected, "{value}");
        }
        assert_eq!(preferred_coding(&HeaderMap::new()), None);
    }

    #[test]
    fn bodies_are_read_back_up_to_the_limit() {
        let body = b"{\"age\": 25}".repeat(100);
        for coding in [Coding::Gzip, Coding::Zstd] {
            let compressed = coding.compress(&body).expect("memory takes everything");
            assert!(compressed.len() < body.len());
            let decompressed = coding.decompress(&compressed, body.len()).ok();
            assert_eq!(decompressed.as_ref(), Some(&body));
            let cut = coding.decompress(&compressed, 10).map(|cut| cut.len());
            assert_eq!(cut.ok(), Some(11));
            let twice = coding.decompress(&[&*compressed, &*compressed].concat(), 2 * body.len());
            assert_eq!(twice.ok(), Some(body.repeat(2)));
            let more = coding.decompress(&[&*compressed, b"more"].concat(), body.len());
            assert!(more.is_err(), "{coding:?}");
            let torn = coding.decompress(&compressed[..compressed.len() - 1], body.len());
            assert!(torn.is_err(), "{coding:?}");
        }
    }
}
