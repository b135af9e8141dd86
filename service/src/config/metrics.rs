//! `metrics:`, with the keys of the Python services.

use ml_configuration::{Kind, Node, Problems};

use crate::metrics::MetricsSettings;

/// Keys that the Python services accept and that have no effect here, each with the message to log.
const IGNORED: [(&str, &str); 2] = [
    (
        "should_group_untemplated",
        "`metrics.should_group_untemplated` stays on: requests that match no route are counted as \
         handler `none`, because clients choose the paths.",
    ),
    ("body_handlers", "`metrics.body_handlers` has no effect: no metric reads bodies."),
];

/// Reads the settings. Returns the messages to log about keys without effect too.
pub(super) fn read(
    node: Node<'_>,
    problems: &mut Problems,
) -> (MetricsSettings, Vec<&'static str>) {
    let mut settings = MetricsSettings::default();
    let mut notes = Vec::new();
    if node.kind() != Kind::Mapping {
        let found = node.kind();
        node.report(
            problems,
            format!("expected a mapping, as in `{{enabled: true}}`, found {found}"),
        );
        return (settings, notes);
    }
    let Some(mut mapping) = node.mapping(problems) else { return (settings, notes) };
    let switches = [
        ("enabled", &mut settings.enabled),
        ("should_group_status_codes", &mut settings.should_group_status_codes),
        ("should_ignore_untemplated", &mut settings.should_ignore_untemplated),
        ("should_round_latency_decimals", &mut settings.should_round_latency_decimals),
        ("should_respect_env_var", &mut settings.should_respect_env_var),
        (
            "should_instrument_requests_inprogress",
            &mut settings.should_instrument_requests_inprogress,
        ),
        ("inprogress_labels", &mut settings.inprogress_labels),
    ];
    for (key, switch) in switches {
        if let Some(given) = mapping.optional(key).and_then(|node| node.boolean(problems)) {
            *switch = given;
        }
    }
    let texts = [
        ("env_var_name", &mut settings.env_var_name),
        ("inprogress_name", &mut settings.inprogress_name),
    ];
    for (key, text) in texts {
        if let Some(given) = mapping.optional(key).and_then(|node| node.string(problems)) {
            *text = given.to_owned();
        }
    }
    let listed = mapping.optional("excluded_handlers").and_then(|node| node.list(problems));
    // An item of another type keeps its index, so that mistakes in the others name the right one.
    let text = |node: Node<'_>| node.string(problems).unwrap_or_default().to_owned();
    settings.excluded_handlers = listed.unwrap_or_default().into_iter().map(text).collect();
    for (key, note) in IGNORED {
        // `true` and an empty list describe the behaviour of the service.
        let is_default = |node: Node<'_>| match node.kind() {
            Kind::List => node.list(&mut Problems::new()).is_some_and(|items| items.is_empty()),
            _ => node.boolean(&mut Problems::new()) == Some(true),
        };
        if mapping.optional(key).is_some_and(|node| !is_default(node)) {
            notes.push(note);
        }
    }
    if let Some(given) = mapping
        .optional("round_latency_decimals")
        .and_then(|node| node.integer(0..=u32::from(u8::MAX), problems))
    {
        settings.round_latency_decimals = given;
    }
    for error in settings.problems() {
        let mut at = mapping.get(error.key()).unwrap_or(node);
        if let Some(index) = error.index()
            && let Some(item) = at.list(problems).and_then(|items| items.get(index).copied())
        {
            at = item;
        }
        at.report(problems, error.problem());
    }
    mapping.finish(problems);
    (settings, notes)
}
