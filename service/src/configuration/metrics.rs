//! `metrics:`, in the words of the Python services.

use ml_configuration::{Kind, Node, Problems};

use crate::metrics::MetricsSettings;

pub(super) fn read(node: Node<'_>, problems: &mut Problems) -> MetricsSettings {
    let mut settings = MetricsSettings::default();
    if node.kind() != Kind::Mapping {
        let found = node.kind();
        node.report(
            problems,
            format!("expected a mapping, as in `{{enabled: true}}`, found {found}"),
        );
        return settings;
    }
    let Some(mut mapping) = node.mapping(problems) else { return settings };
    let switches = [
        ("enabled", &mut settings.enabled),
        ("should_group_status_codes", &mut settings.should_group_status_codes),
        ("should_ignore_untemplated", &mut settings.should_ignore_untemplated),
        ("should_group_untemplated", &mut settings.should_group_untemplated),
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
    let patterns = [
        ("excluded_handlers", &mut settings.excluded_handlers),
        ("body_handlers", &mut settings.body_handlers),
    ];
    for (key, patterns) in patterns {
        let listed = mapping.optional(key).and_then(|node| node.list(problems));
        // One that is no text keeps its place, so that the others are found at theirs.
        let text = |node: Node<'_>| node.string(problems).unwrap_or_default().to_owned();
        *patterns = listed.unwrap_or_default().into_iter().map(text).collect();
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
    settings
}
