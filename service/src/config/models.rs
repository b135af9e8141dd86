//! `models:`: which of the registered models are hosted, and how.

use ml_configuration::{Kind, Node, Problems, nearest};
use ml_model_core::decorators::logging::{self, LoggedField, LoggedFields, LoggingOptions, Policy};
use ml_model_core::{Execution, ModelMetadata};

use super::decorators;
use super::names::last_segment;
use crate::hosting::loading::ChosenModel;
use crate::hosting::options::HostingOptions;
use crate::hosting::registered::{DecoratorRegistration, Layer, ModelRegistration};

/// Chooses all models with their own decorators and options, as without `models:`.
pub(super) fn all(known: Vec<ModelRegistration>, problems: &mut Problems) -> Vec<ChosenModel> {
    known
        .into_iter()
        .filter_map(|model| {
            report_unmarked(&model, problems);
            let name = &*model.metadata.qualified_name;
            let execution = model.execution;
            let options = HostingOptions { execution, concurrency_limit: None, has_endpoint: true };
            let logged_fields = model.logged_fields;
            let load = (model.configure)(None, None, problems)?;
            Some(ChosenModel { name, options, layers: None, logged_fields, load })
        })
        .collect()
}

/// Reports sensitive values whose schema allows messages to quote them.
fn report_unmarked(model: &ModelRegistration, problems: &mut Problems) {
    for field in (model.unmarked_sensitive)() {
        problems.add(format!(
            "`{field}` in the input of `{}` is `Sensitive`, but its schema is not, so that messages would quote the \
             value: remove `#[schemars(with = \"...\")]` or `schema_with` from the field, or add \
             `#[schemars(extend(\"x-sensitive\" = true))]`",
            model.metadata.qualified_name
        ));
    }
}

/// Reports hashed fields of these models if there is no key to hash them with.
pub(crate) fn check_hash_key(models: &[ChosenModel], problems: &mut Problems) {
    let Err(error) = logging::check_hash_key() else { return };
    let is_hashed = |field: &&LoggedField| field.policy() == Some(Policy::Hashed);
    for ChosenModel { name, layers, logged_fields, .. } in models {
        let message = |field: &LoggedField| format!("`{name}` logs `{field}`, but {error}");
        match layers {
            None => {
                let LoggedFields { input, output, .. } = logged_fields();
                let hashed = input.iter().chain(&output).filter(is_hashed);
                hashed.for_each(|field| problems.add(message(field)));
            }
            Some(layers) => {
                for layer in layers {
                    let Layer::Logging(options) = layer else { continue };
                    let LoggingOptions { file, line, input_fields, output_fields, .. } = options;
                    for field in input_fields.iter().chain(output_fields).filter(is_hashed) {
                        problems.add(format!("{file}:{line}: {}", message(field)));
                    }
                }
            }
        }
    }
}

/// A model that is listed already.
struct Chosen {
    type_name: &'static str,
    metadata: &'static ModelMetadata,
    /// Key path of the value that names it.
    path: String,
}

/// Chooses the models in `list`.
pub(super) fn read(
    list: Vec<Node<'_>>,
    file: &str,
    mut known: Vec<ModelRegistration>,
    known_decorators: &[DecoratorRegistration],
    problems: &mut Problems,
) -> Vec<ChosenModel> {
    let mut chosen: Vec<Chosen> = Vec::new();
    let mut models = Vec::new();
    for node in list {
        if node.kind() == Kind::Text {
            let message =
                "expected a mapping, found text; write `- qualified_name: ` before the name";
            node.report(problems, message);
            continue;
        }
        let Some(mut mapping) = node.mapping(problems) else { continue };
        let class_path = mapping.optional("class_path");
        let qualified_name = mapping.optional("qualified_name");
        let other_name = ["name", "model", "model_name"].into_iter().find_map(|key| {
            let given = node.mapping(&mut Problems::new())?.optional(key)?;
            mapping.refuse(key, "did you mean `qualified_name`?", problems);
            Some(given)
        });
        let qualified_name = qualified_name.or(other_name);
        let create_endpoint = mapping.optional("create_endpoint");
        let configuration = mapping.optional("configuration");
        let list = mapping.optional("decorators");
        let execution = mapping.optional("execution");
        let concurrency_limit = mapping.optional("concurrency_limit");
        mapping.finish(problems);

        let has_endpoint = create_endpoint.is_none_or(|node| node.boolean(problems) != Some(false));
        let execution = execution.and_then(|node| node.choice("execution", EXECUTIONS, problems));
        let concurrency_limit =
            concurrency_limit.and_then(|node| node.integer(1..=1_000_000_usize, problems));
        let found = find(node, class_path, qualified_name, &known, &chosen, problems);
        let model = found.map(|(by, index)| (by, known.remove(index)));
        if let Some((by, model)) = &model {
            let ModelRegistration { type_name, metadata, .. } = *model;
            chosen.push(Chosen { type_name, metadata, path: by.path() });
        }
        let layers = list.and_then(|node| node.list(problems)).map(|list| {
            let model = model.as_ref().map(|(_, model)| model);
            decorators::read(list, file, model, known_decorators, problems)
        });
        let Some((_, model)) = model else { continue };
        report_unmarked(&model, problems);
        let name = &*model.metadata.qualified_name;
        let execution = execution.unwrap_or(model.execution);
        let options = HostingOptions { execution, concurrency_limit, has_endpoint };
        let logged_fields = model.logged_fields;
        if let Some(load) = (model.configure)(Some(node), configuration, problems) {
            models.push(ChosenModel { name, options, layers, logged_fields, load });
        }
    }
    models
}

const EXECUTIONS: &[(&str, Execution)] =
    &[("inline", Execution::Inline), ("blocking", Execution::Blocking)];

/// Finds the index of the model that an item names, and the value that names it.
fn find<'d>(
    node: Node<'d>,
    class_path: Option<Node<'d>>,
    qualified_name: Option<Node<'d>>,
    known: &[ModelRegistration],
    chosen: &[Chosen],
    problems: &mut Problems,
) -> Option<(Node<'d>, usize)> {
    // Older files of Python services have both: the class path must match the name.
    let (by, name, position) = if let Some(by) = qualified_name {
        let name = by.string(problems)?;
        (by, name, known.iter().position(|model| model.metadata.qualified_name == name))
    } else if let Some(by) = class_path {
        let name = last_segment(by.string(problems)?);
        let mut positions = (0..known.len()).filter(|i| known[*i].type_name == name);
        let position = positions.next();
        if positions.next().is_some() {
            let message =
                format!("several models are a `{name}`: choose one by its `qualified_name`");
            by.report(problems, message);
            return None;
        }
        (by, name, position)
    } else {
        node.report(problems, "which model? Give its `qualified_name` or its `class_path`");
        return None;
    };
    if let Some(position) = position {
        if let (Some(class_path), Some(_)) = (class_path, qualified_name)
            && let Some(path) = class_path.string(problems)
            && last_segment(path) != known[position].type_name
        {
            let type_name = known[position].type_name;
            class_path.report(problems, format!("the type of `{name}` is `{type_name}`, not this"));
        }
        return Some((by, position));
    }
    let is_name = qualified_name.is_some();
    let own_name = |metadata: &'static ModelMetadata, type_name: &'static str| match is_name {
        true => &*metadata.qualified_name,
        false => type_name,
    };
    if let Some(Chosen { path: first, .. }) =
        chosen.iter().find(|chosen| own_name(chosen.metadata, chosen.type_name) == name)
    {
        by.report(problems, format!("`{name}` is listed twice, first as {first}: remove one"));
        return None;
    }
    // The nearest name may be that of a model that is listed already.
    let left = || known.iter().map(|model| own_name(model.metadata, model.type_name));
    let meant = nearest(
        name,
        left().chain(chosen.iter().map(|chosen| own_name(chosen.metadata, chosen.type_name))),
    );
    let listed =
        chosen.iter().find(|chosen| Some(own_name(chosen.metadata, chosen.type_name)) == meant);
    let word = if by.is_variable() { String::new() } else { format!(" `{name}`") };
    if let Some(Chosen { metadata, type_name, path }) = listed {
        let meant = own_name(metadata, type_name);
        let message = format!(
            "unknown model{word}; did you mean `{meant}`? That is listed already, as {path}: \
             remove one"
        );
        by.report(problems, message);
    } else if known.is_empty() {
        let others = if chosen.is_empty() {
            "this program has no models"
        } else {
            "all models of this program are listed already"
        };
        by.report(problems, format!("unknown model{word}; {others}"));
    } else {
        by.report_unknown(problems, "model", name, left());
    }
    None
}
