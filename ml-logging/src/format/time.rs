//! Formats of times: `strftime` directives in a time zone.
//!
//! Python's default format in UTC needs none of this, see `record/clock.rs`. Any other format is split
//! at set-up into text that stays the same for a whole second, and digits of the fraction.

use std::sync::Arc;

use jiff::fmt::{StdFmtWrite, strtime::BrokenDownTime};

use super::{error::FormatError, escape::Escaped, time_zone::TimeZone};

/// Default format of Python's `logging`, for time zones other than UTC.
pub(super) const PYTHON: &str = "%Y-%m-%d %H:%M:%S,%3f";

/// Format of times in a time zone.
#[derive(Debug)]
pub(crate) struct TimeFormat {
    source: String,
    zone: TimeZone,
    pieces: Vec<Piece>,
}

impl PartialEq for TimeFormat {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.zone == other.zone
    }
}

/// Part of a format.
#[derive(Debug)]
enum Piece {
    /// `strftime` directives and text that stay the same for a whole second.
    Second(String),
    /// Number of digits of the fraction of the second.
    Fraction(usize),
}

/// Directives that `jiff` formats. Those that depend on a locale are in [`EXPANDED`].
const DIRECTIVES: &str = "aAbBhdejmyYCGgVuUwWHIklMSpPzZsDFTR";

/// Directives that depend on a locale, expanded as in the C locale.
const EXPANDED: [(char, &str); 5] = [
    ('c', "%a %b %e %H:%M:%S %Y"),
    ('x', "%m/%d/%y"),
    ('X', "%H:%M:%S"),
    ('r', "%I:%M:%S %p"),
    ('D', "%m/%d/%y"),
];

impl TimeFormat {
    /// Parses a `strftime` format as Python documents it. `%f` is the microsecond, `%3f` the millisecond.
    pub(crate) fn new(source: &str, zone: TimeZone) -> Result<Arc<Self>, FormatError> {
        if is_other_pattern(source) {
            return Err(FormatError::Time {
                directive: source.to_owned(),
                column: 1,
                problem: "has no directive of `strftime`; write for example `%Y-%m-%d %H:%M:%S`",
            });
        }
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(start) = rest.find('%') {
            text.push_str(&rest[..start]);
            let column = source[..source.len() - rest.len() + start].chars().count() + 1;
            let after = &rest[start + 1..];
            let (directive, length) = directive(after).map_err(|problem| {
                let end = after.chars().next().map_or(0, char::len_utf8);
                FormatError::Time { directive: format!("%{}", &after[..end]), column, problem }
            })?;
            match directive {
                Directive::Fraction(digits) => {
                    pieces.push(Piece::Second(std::mem::take(&mut text)));
                    pieces.push(Piece::Fraction(digits));
                }
                Directive::Expanded(directives) => text.push_str(directives),
                Directive::AsItIs => text.push_str(&rest[start..=start + length]),
            }
            rest = &after[length..];
        }
        text.push_str(rest);
        pieces.push(Piece::Second(text));
        Ok(Arc::new(Self { source: source.to_owned(), zone, pieces }))
    }
}

/// Returns whether a text without directives is probably a pattern such as `YYYY-MM-DD` or `Y-m-d`. Any other one is
/// shown instead of the time.
fn is_other_pattern(source: &str) -> bool {
    let mut letters = source.chars().filter(|c| c.is_alphabetic()).peekable();
    !source.contains('%')
        && letters.peek().is_some()
        && letters.all(|letter| "YyMmDdHhSsTZ".contains(letter))
}

enum Directive {
    Fraction(usize),
    Expanded(&'static str),
    AsItIs,
}

/// Parses the directive after `%`, and returns its length.
fn directive(text: &str) -> Result<(Directive, usize), &'static str> {
    for (spelling, digits) in [("f", 6), ("3f", 3), ("6f", 6)] {
        if text.starts_with(spelling) {
            return Ok((Directive::Fraction(digits), spelling.len()));
        }
    }
    if text.starts_with('%') {
        return Ok((Directive::AsItIs, 1));
    }
    if text.starts_with(":z") {
        return Ok((Directive::AsItIs, 2));
    }
    let unflagged = text.trim_start_matches(['-', '_', '0', '^']);
    let flags = text.len() - unflagged.len();
    let Some(letter) = unflagged.chars().next() else {
        return Err("is not complete; write a percent sign as `%%`");
    };
    if let (Some((_, expanded)), 0) = (EXPANDED.iter().find(|(own, _)| *own == letter), flags) {
        return Ok((Directive::Expanded(expanded), 1));
    }
    if flags <= 1 && DIRECTIVES.contains(letter) {
        return Ok((Directive::AsItIs, flags + 1));
    }
    Err(
        "is not a directive of `strftime`; write for example `%Y-%m-%dT%H:%M:%S.%f%z`, and a percent \
         sign as `%%`",
    )
}

/// Text of a second with the positions of the digits of its fraction.
#[derive(Default)]
struct Rendered {
    /// Escaped for a JSON string.
    text: Vec<u8>,
    /// Position and number of digits.
    fractions: Vec<(usize, usize)>,
}

/// Texts that a thread has cached, each with its format and second.
#[derive(Default)]
pub(crate) struct TimeTexts(Vec<(Arc<TimeFormat>, u64, Rendered)>);

impl TimeTexts {
    /// Number of cached formats, more than a program uses at a time.
    const KEPT: usize = 8;

    /// Writes a time, escaped for a JSON string.
    pub(crate) fn write(
        &mut self,
        out: &mut Vec<u8>,
        format: &Arc<TimeFormat>,
        (second, micros): (u64, u32),
    ) {
        let index = match self.0.iter().position(|(own, ..)| Arc::ptr_eq(own, format)) {
            Some(index) => index,
            None => {
                self.0.truncate(Self::KEPT - 1);
                self.0.insert(0, (Arc::clone(format), u64::MAX, Rendered::default()));
                0
            }
        };
        let (_, shown, rendered) = &mut self.0[index];
        if *shown != second {
            *shown = second;
            rendered.render(format, second);
        }
        let start = out.len();
        out.extend_from_slice(&rendered.text);
        for (position, digits) in &rendered.fractions {
            let divisors = [100_000, 10_000, 1_000, 100, 10, 1];
            for (digit, divisor) in out[start + position..].iter_mut().zip(&divisors[..*digits]) {
                *digit = b'0' + (micros / divisor % 10) as u8;
            }
        }
    }
}

impl Rendered {
    fn render(&mut self, format: &TimeFormat, second: u64) {
        self.text.clear();
        self.fractions.clear();
        let moment = BrokenDownTime::from(&format.zone.at(second));
        for piece in &format.pieces {
            match piece {
                // The format has been checked. Only `%y` fails, for years outside of its range.
                Piece::Second(text) => {
                    let _ = moment.format(text, StdFmtWrite(Escaped(&mut self.text)));
                }
                Piece::Fraction(digits) => {
                    self.fractions.push((self.text.len(), *digits));
                    self.text.resize(self.text.len() + digits, b'0');
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn written(format: &str, zone: &str, moment: (u64, u32)) -> String {
        let format = TimeFormat::new(format, zone.parse().unwrap()).unwrap();
        let mut out = Vec::new();
        TimeTexts::default().write(&mut out, &format, moment);
        String::from_utf8(out).unwrap()
    }

    /// 2022-06-12 18:09:45.971234 UTC, a Sunday.
    const MOMENT: (u64, u32) = (1_655_057_385, 971_234);

    #[test]
    fn the_directives_that_python_documents() {
        // From Python: `time.strftime(d, time.gmtime(1655057385))` in the C locale. But `%f` is from its
        // `datetime`, `%:z` only there, too, and `%Z` is GMT in C.
        for (directives, expected) in [
            ("%a %A %w %u", "Sun Sunday 0 7"),
            ("%d %e %b %B %h %m %y %Y %C %G %g", "12 12 Jun June Jun 06 22 2022 20 2022 22"),
            ("%H %I %k %l %p %M %S", "18 06 18  6 PM 09 45"),
            ("%j %U %W %V %s", "163 24 23 23 1655057385"),
            ("%c|%x|%X|%r", "Sun Jun 12 18:09:45 2022|06/12/22|18:09:45|06:09:45 PM"),
            ("%D %F %T %R", "06/12/22 2022-06-12 18:09:45 18:09"),
            ("%-d.%-m. %-H:%-M %^a 100 %%", "12.6. 18:9 SUN 100 %"),
            ("%z %:z %Z", "+0000 +00:00 UTC"),
            ("%f %3f %6f", "971234 971 971234"),
            ("", ""),
        ] {
            assert_eq!(written(directives, "UTC", MOMENT), expected, "{directives}");
        }
    }

    #[test]
    fn unknown_directives_are_refused_with_their_column() {
        for (format, directive, column) in [
            ("%Q", "%Q", 1),
            ("é %H%i", "%i", 5),
            ("%H %", "%", 4),
            ("%-é", "%-", 1),
            ("%--d", "%-", 1),
            ("%9f", "%9", 1),
            ("%n", "%n", 1),
            ("YYYY-MM-DD", "YYYY-MM-DD", 1),
            ("Y-m-d H:M:S", "Y-m-d H:M:S", 1),
        ] {
            let error = TimeFormat::new(format, TimeZone::UTC).unwrap_err();
            let FormatError::Time { directive: found, column: at, .. } = &error else {
                panic!("{error}");
            };
            assert_eq!((found.as_str(), *at), (directive, column), "{format}");
        }
    }

    #[test]
    fn time_zones_by_name_and_offset_with_their_summers() {
        let winter = (1_642_000_000, 0);
        let format = "%H:%M%z";
        assert_eq!(written(format, "+05:30", MOMENT), "23:39+0530");
        assert_eq!(written(format, "-08", MOMENT), "10:09-0800");
        assert_eq!(written(format, "utc", MOMENT), "18:09+0000");
        assert_eq!(written(PYTHON, "+02:00", MOMENT), "2022-06-12 20:09:45,971");
        assert_eq!(written("%H:%M %Z", "Europe/Berlin", MOMENT), "20:09 CEST");
        assert_eq!(written("%H:%M %Z", "Europe/Berlin", winter), "16:06 CET");
    }

    #[test]
    fn unknown_time_zones_come_with_a_remedy() {
        let error = "Europe/Berln".parse::<TimeZone>().unwrap_err().to_string();
        assert_eq!(error, "unknown time zone `Europe/Berln`; did you mean `Europe/Berlin`?");
        let error = "25:00".parse::<TimeZone>().unwrap_err().to_string();
        assert!(error.contains("an offset such as `+02:00`"), "{error}");
    }

    #[test]
    fn text_of_the_format_is_escaped() {
        assert_eq!(written("\"%H\"\n", "UTC", MOMENT), r#"\"18\"\n"#);
    }

    #[test]
    fn a_thread_caches_a_limited_number_of_formats() {
        let mut texts = TimeTexts::default();
        for _ in 0..3 {
            for offset in 0..12 {
                let zone: TimeZone = format!("+{offset:02}:00").parse().unwrap();
                let format = TimeFormat::new("%H", zone).unwrap();
                let mut out = Vec::new();
                texts.write(&mut out, &format, (0, 0));
                assert_eq!(String::from_utf8(out).unwrap(), format!("{offset:02}"));
            }
        }
        assert_eq!(texts.0.len(), TimeTexts::KEPT);
    }

    proptest! {
        #[test]
        fn no_format_makes_the_parser_panic(format in "[%a-zA-Z0-9:é_^-]{0,20}") {
            if let Ok(format) = TimeFormat::new(&format, TimeZone::UTC) {
                TimeTexts::default().write(&mut Vec::new(), &format, MOMENT);
            }
        }

        #[test]
        fn any_moment_reads_back(second in 0..253_300_000_000_u64, before in 0..253_300_000_000_u64, micros in 0..1_000_000_u32) {
            let format = TimeFormat::new("%Y-%m-%dT%H:%M:%S.%f%:z", "+05:30".parse().unwrap()).unwrap();
            let mut texts = TimeTexts::default();
            let mut out = Vec::new();
            texts.write(&mut out, &format, (before, 0));
            out.clear();
            texts.write(&mut out, &format, (second, micros));
            let read: Timestamp = String::from_utf8(out).unwrap().parse().unwrap();
            let expected = Timestamp::new(second as i64, micros as i32 * 1000).unwrap();
            prop_assert_eq!(read, expected);
        }
    }
}
