//! Reading the whole schema.

use ml_configuration::{Mapping, Node, Problems};
use tracing::level_filters::LevelFilter;

use super::{
    class,
    filters::Filters,
    formatters,
    handlers::{self, ExtraClass, HandlerKeys},
    level,
    provided::{self, FilterEntry, FormatterEntry, HandlerEntry},
    python,
};
use crate::{
    config::{Configuration, Logger},
    filter::{HandlerSet, TargetName},
    format::BUILT_IN,
};

/// Reads a configuration. `None` if there are mistakes, which are reported.
pub(crate) fn read(
    node: Node<'_>,
    filters: &Filters,
    extra_classes: &[ExtraClass],
    problems: &mut Problems,
) -> Option<Configuration> {
    let mut own = Problems::new();
    let resolved = python::resolve(node, &mut own);
    let (node, referenced) = match &resolved {
        Some((document, keys)) => (document.root(), keys.as_slice()),
        None => (node, &[][..]),
    };
    python::refuse_objects(node, &mut own);
    let configuration = configuration(node, referenced, filters, extra_classes, &mut own);
    let correct = own.is_empty();
    problems.extend(own);
    configuration.filter(|_| correct)
}

/// Reports the file of a service, which has the configuration below its `logging:`.
pub(crate) fn refuse_service(node: Node<'_>, problems: &mut Problems) {
    let Some(mut root) = node.mapping(&mut Problems::new()) else { return };
    let service = ["logging", "models", "server", "service_title"];
    if let Some(key) = service.into_iter().find_map(|key| root.get(key)) {
        key.report(
            problems,
            "this is the file of a service, which `Service::main` reads; write what is below its `logging:` to a file \
             of its own",
        );
    }
}

/// Reads the sections. Keys that are `referenced` may have any name.
fn configuration(
    node: Node<'_>,
    referenced: &[String],
    known: &Filters,
    extra_classes: &[ExtraClass],
    problems: &mut Problems,
) -> Option<Configuration> {
    let mut root = node.mapping(problems)?;
    for key in referenced {
        root.get(key);
    }
    match root.get("version") {
        Some(version) => _ = version.integer(1..=1_u8, problems),
        None => node.report(problems, "the key `version` is missing; write `version: 1`"),
    }
    // In Python this turns off loggers that exist already. Here none do.
    python::ignored_truth(&mut root, "disable_existing_loggers", problems);
    if let Some(incremental) = root.optional("incremental")
        && python::truth(incremental, problems) == Some(true)
    {
        incremental.report(problems, "the logging is set up only once; remove the key");
    }

    let formatters = section(&mut root, "formatters", problems)
        .into_iter()
        .map(|(name, keys)| FormatterEntry { name, formatter: formatters::read(keys, problems) })
        .collect::<Vec<_>>();
    let filters = section(&mut root, "filters", problems)
        .into_iter()
        .map(|(name, keys)| filter(name, keys, known, problems))
        .collect::<Vec<_>>();
    let handlers = section(&mut root, "handlers", problems)
        .into_iter()
        .map(|(name, keys)| handler(name, keys, extra_classes, &formatters, &filters, problems))
        .collect::<Vec<_>>();
    if let Some(handler) = handlers.get(HandlerSet::MAX) {
        let message = format!("there are more than {} handlers; remove some", HandlerSet::MAX);
        handler.node.report(problems, message);
    }
    let loggers = loggers(&mut root, &handlers, problems);
    let flush_limit = root.optional("flush_limit_s").and_then(|node| node.duration_s(problems));
    root.finish(problems);

    let contexts = provided::resolve(&formatters, &filters, &handlers, problems);
    if problems.is_empty() && loggers.iter().all(|logger| logger.handlers.is_empty()) {
        let message = "no logger has a handler, nothing would be logged; add \
             `root: {level: INFO, handlers: [...]}` with one of the handlers";
        node.report(problems, message);
    }

    let mut configuration = Configuration::new();
    if let Some(limit) = flush_limit {
        configuration = configuration.flush_limit(limit);
    }
    for (entry, context) in handlers.into_iter().zip(contexts) {
        let mut handler = entry.handler?;
        handler.add_context(context);
        for index in entry.filters {
            handler.only.extend(filters[index].target.clone());
        }
        if let Some(index) = entry.formatter {
            let (_, formatter) = formatters[index].formatter.as_ref()?;
            handler = handler.formatter(formatter.clone());
        }
        configuration = configuration.handler(handler);
    }
    Some(loggers.into_iter().fold(configuration, Configuration::logger))
}

/// Reads the entries of a mapping of mappings. An absent mapping is empty.
fn section<'d>(
    root: &mut Mapping<'d>,
    key: &str,
    problems: &mut Problems,
) -> Vec<(&'d str, Mapping<'d>)> {
    let Some(mut section) = root.optional(key).and_then(|node| node.mapping(problems)) else {
        return Vec::new();
    };
    let entries = section.entries();
    entries.filter_map(|(name, node)| Some((name, node.mapping(problems)?))).collect()
}

fn filter<'d>(
    name: &'d str,
    mut keys: Mapping<'d>,
    known: &Filters,
    problems: &mut Problems,
) -> FilterEntry<'d> {
    python::refuse_attributes(&mut keys, problems);
    let is_empty =
        || keys.node().mapping(&mut Problems::new())?.entries().next().is_none().then_some(());
    let is_empty = is_empty().is_some();
    let class = match class::class(&mut keys, problems) {
        // Python's own filter needs no class.
        Some(None) if is_empty || keys.get("name").is_some() => Some((keys.node(), "Filter")),
        Some(None) => class::required(&mut keys, "HostnameFilter", problems),
        class => class.flatten(),
    };
    let (fields, target) = match class {
        None => (None, None),
        Some((_, "Filter")) if known.get("Filter").is_none() => {
            let logger = keys.optional("name").and_then(|node| node.string(problems));
            keys.finish(problems);
            (Some(Vec::new()), logger.map(TargetName::of_target))
        }
        Some(class) => (context_fields(class, keys, known, problems), None),
    };
    FilterEntry { name, fields, target }
}

/// Reads the fields of a filter that adds some.
fn context_fields(
    (class_node, class): (Node<'_>, &str),
    mut keys: Mapping<'_>,
    known: &Filters,
    problems: &mut Problems,
) -> Option<Vec<(String, String)>> {
    let node = keys.node();
    let Some(make) = known.get(class) else {
        let classes = known.classes().chain(["Filter"]);
        class_node.report_unknown(problems, "filter class", class, classes);
        return None;
    };
    let fields = make(&mut keys, problems);
    keys.finish(problems);
    let fields = fields?;
    for (index, (name, _)) in fields.iter().enumerate() {
        if BUILT_IN.contains(&name.as_str()) {
            let message = format!("the filter provides `{name}`, which is built in");
            node.report(problems, message);
        } else if fields[..index].iter().any(|(other, _)| other == name) {
            node.report(problems, format!("the filter provides `{name}` twice"));
        }
    }
    Some(fields)
}

/// Lowest limit for the length of a record. The context and the names of the fields need some room.
const MIN_RECORD_BYTES: usize = 1024;

fn handler<'d>(
    name: &'d str,
    mut keys: Mapping<'d>,
    extra_classes: &[ExtraClass],
    formatters: &[FormatterEntry<'d>],
    filters: &[FilterEntry<'d>],
    problems: &mut Problems,
) -> HandlerEntry<'d> {
    let node = keys.node();
    let level = keys.optional("level").and_then(|node| level::read(node, problems)).flatten();
    let formatter = keys.optional("formatter").and_then(|node| {
        let names: Vec<_> = formatters.iter().map(|entry| entry.name).collect();
        index_of(node, "formatter", &names, problems)
    });
    let record_bytes = keys
        .optional("record_bytes")
        .and_then(|node| node.integer(MIN_RECORD_BYTES..=usize::MAX, problems));
    let names: Vec<_> = filters.iter().map(|entry| entry.name).collect();
    let filters_node = keys.optional("filters").unwrap_or(node);
    let filters = indices_of(keys.optional("filters"), "filter", &names, problems);

    python::refuse_attributes(&mut keys, problems);
    let class = class::required(&mut keys, "logging.StreamHandler", problems);
    let handler = class.and_then(|(class_node, class)| {
        let used = formatter.and_then(|index| formatters[index].formatter.as_ref());
        let mut keys = HandlerKeys {
            name,
            class: class_node,
            keys: &mut keys,
            formatter: used.map(|(_, formatter)| formatter),
        };
        handlers::read(class, &mut keys, extra_classes, problems)
    });
    // The valid keys depend on the class.
    if handler.is_some() {
        keys.finish(problems);
    }
    let handler = handler.flatten().map(|mut handler| {
        if let Some(bytes) = record_bytes {
            handler = handler.record_bytes(bytes);
        }
        handler.level(level.unwrap_or(LevelFilter::TRACE))
    });
    HandlerEntry { name, node, formatter, filters, filters_node, handler }
}

fn loggers(
    root: &mut Mapping<'_>,
    handlers: &[HandlerEntry<'_>],
    problems: &mut Problems,
) -> Vec<Logger> {
    let mut sections = section(root, "loggers", problems);
    if let Some(mut keys) = root.optional("root").and_then(|node| node.mapping(problems)) {
        // Nothing is above the root.
        python::ignored_truth(&mut keys, "propagate", problems);
        sections.push(("root", keys));
    }
    let names: Vec<_> = handlers.iter().map(|entry| entry.name).collect();
    let mut loggers: Vec<Logger> = Vec::new();
    for (name, mut keys) in sections {
        if let Some(problem) = TargetName::problem(name) {
            keys.node().report(problems, problem);
        }
        let mut logger = Logger::new(name);
        let target = logger.target();
        if let Some(other) = loggers.iter().find(|other| other.target() == target) {
            let message = format!("this is the same logger as `{}`; merge them", other.name);
            keys.node().report(problems, message);
        }
        logger.level = keys.optional("level").and_then(|node| {
            let unset = target.is_root().then_some(LevelFilter::TRACE);
            level::read(node, problems)?.or(unset)
        });
        let propagate = keys.optional("propagate");
        logger.propagate = propagate.and_then(|node| python::truth(node, problems)).unwrap_or(true);
        for index in indices_of(keys.optional("handlers"), "handler", &names, problems) {
            logger = logger.handler(names[index]);
        }
        if let Some(filters) = keys.optional("filters")
            && filters.list(problems).is_some_and(|filters| !filters.is_empty())
        {
            filters
                .report(problems, "filters belong to handlers; name them there and remove the key");
        }
        // Files that were made for Python's older `fileConfig` repeat the name of the logger.
        keys.optional("qualname").and_then(|node| node.string(problems));
        keys.finish(problems);
        loggers.push(logger);
    }
    loggers
}

/// Returns the index of the name that a node contains.
fn index_of(node: Node<'_>, what: &str, names: &[&str], problems: &mut Problems) -> Option<usize> {
    let name = node.string(problems)?;
    let index = names.iter().position(|other| *other == name);
    if index.is_none() {
        node.report_unknown(problems, what, name, names.iter().copied());
    }
    index
}

fn indices_of(
    node: Option<Node<'_>>,
    what: &str,
    names: &[&str],
    problems: &mut Problems,
) -> Vec<usize> {
    let nodes = node.and_then(|node| node.list(problems)).unwrap_or_default();
    nodes.into_iter().filter_map(|node| index_of(node, what, names, problems)).collect()
}
