//! Lengths of messages that quote a request: a request may be large, its answer and records stay small.

use std::borrow::Cow;

use ml_model_core::Violation;

/// Maximum number of messages in an answer.
pub(crate) const MOST_MESSAGES: usize = 100;

/// Maximum length of a message in characters. It may list all valid values of an enum.
pub(crate) const LONGEST_MESSAGE: usize = 1000;

/// Maximum length of a name, a path or a header value in characters.
const LONGEST_NAME: usize = 200;

/// Space for messages in the answer to one request, all rows of a batch together.
#[derive(Debug)]
pub(crate) struct MessageSpace {
    bytes: usize,
}

impl Default for MessageSpace {
    fn default() -> Self {
        Self { bytes: 64 * 1024 }
    }
}

impl MessageSpace {
    /// Takes the space for a message. Without enough space for it, there is none for the following ones
    /// either.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let rest = self.bytes.checked_sub(bytes);
        self.bytes = rest.unwrap_or(0);
        rest.is_some()
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.bytes == 0
    }
}

/// Returns the message that counts the messages left out after the first `shown` ones.
pub(crate) fn left_out(shown: usize, count: usize) -> String {
    match shown {
        0 => {
            let messages = if count == 1 { "message" } else { "messages" };
            format!("{count} {messages} left out, others fill the answer: send the row alone")
        }
        _ => format!("and {count} more"),
    }
}

/// Renders violations as messages. Counts those beyond [`MOST_MESSAGES`] in the last message.
pub(crate) fn messages(violations: &[Violation]) -> Vec<String> {
    // The input schema reports at most one more than the limit, and a header may add another one.
    if violations.len() <= MOST_MESSAGES + 2 {
        return violations.iter().map(message).collect();
    }
    let more = violations.len() - MOST_MESSAGES;
    let first = violations.iter().take(MOST_MESSAGES).map(message);
    first.chain([left_out(MOST_MESSAGES, more)]).collect()
}

fn message(violation: &Violation) -> String {
    let Violation { path, message } = violation;
    let message = cut(message, LONGEST_MESSAGE);
    if path.is_empty() { message.into_owned() } else { format!("{}: {message}", shortened(path)) }
}

/// Cuts a name, a path or a header value of a request.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    cut(text, LONGEST_NAME)
}

/// Keeps the first characters of a text and marks the cut with `…`.
pub(crate) fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}
