//! Environment variables that override parts of a document.

use std::sync::Arc;

use crate::{
    Document, Place, Problems,
    document::{Item, Origin, Step, Value, shortened},
    problems::Problem,
};

const SEPARATOR: &str = "__";

pub(crate) fn apply(
    document: &mut Document,
    prefix: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(), Problems> {
    let mut variables: Vec<_> = variables
        .into_iter()
        .filter(|(name, _)| {
            name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(SEPARATOR))
        })
        .collect();
    // The order of an environment means nothing.
    variables.sort();
    let mut problems = Problems::new();
    for (name, value) in variables {
        let keys = &name[prefix.len() + SEPARATOR.len()..];
        if let Err((path, message)) = set(document, &name, keys, &value) {
            let place = Some(Place::Variable(name));
            problems.push(Problem::new(&document.name, place, message).with_path(path));
        }
    }
    problems.into_result(())
}

/// Sets one value; the error is a path and a message.
fn set(
    document: &mut Document,
    variable: &str,
    keys: &str,
    text: &str,
) -> Result<(), (String, String)> {
    let origin = Origin::Variable(variable.into());
    let mut at = Target::There(0);
    // Nothing is changed before it is known that all of the name fits.
    let mut added: Vec<Arc<str>> = Vec::new();
    let is_index = |key: &str| key.bytes().all(|byte| byte.is_ascii_digit());
    for key in keys.split(SEPARATOR) {
        if key.is_empty() {
            return Err((String::new(), "a key between two `__` is missing".to_owned()));
        }
        match at {
            // It may be meant for a list, which the file does not have.
            Target::Below(item) if is_index(key) => {
                let list = [document.path(item)].into_iter().filter(|path| !path.is_empty());
                let list: Vec<_> = list.chain(added.iter().map(|key| shortened(key))).collect();
                return Err((
                    String::new(),
                    format!(
                        "the file has no list `{}`; list its items there first, variables cannot \
                         add any",
                        list.join(".")
                    ),
                ));
            }
            Target::There(item) if is_index(key) && document.items[item].value.is_null() => {
                return Err((
                    document.path(item),
                    "this list is empty in the file; list its items there first, variables cannot \
                     add any"
                        .to_owned(),
                ));
            }
            Target::There(item) => match descend(document, item, key) {
                Ok(Some(child)) => at = Target::There(child),
                Ok(None) => {
                    added.push(key.to_lowercase().into());
                    at = Target::Below(item);
                }
                Err(message) => return Err((document.path(item), message)),
            },
            Target::Below(_) => added.push(key.to_lowercase().into()),
        }
    }
    match at {
        Target::There(item) => {
            replace(document, item, text, origin).map_err(|message| (document.path(item), message))
        }
        Target::Below(item) => {
            add(document, item, added, text, &origin);
            Ok(())
        }
    }
}

#[derive(Clone, Copy)]
enum Target {
    /// This item.
    There(usize),
    /// Something that is not there yet, in this item.
    Below(usize),
}

/// The item below another one that a key means; `None` if it is to be added.
fn descend(document: &Document, item: usize, key: &str) -> Result<Option<usize>, String> {
    match &document.items[item].value {
        Value::Mapping(children) => {
            let lower = key.to_lowercase();
            let fits = |child: &usize| match &document.items[*child].step {
                Step::Key(own) => own.to_lowercase() == lower,
                Step::Root | Step::Index(_) => false,
            };
            let mut fitting = children.iter().copied().filter(fits);
            match (fitting.next(), fitting.next()) {
                (Some(_), Some(_)) => Err(format!(
                    "several keys differ from `{}` in upper and lower case only; rename them",
                    shortened(&lower)
                )),
                (child, _) => Ok(child),
            }
        }
        Value::List(children) => {
            let index: Option<usize> = key.parse().ok();
            match index.and_then(|index| children.get(index)) {
                Some(child) => Ok(Some(*child)),
                None => Err(format!(
                    "there is no item `{}` in this list: {}",
                    shortened(key),
                    match children.len() {
                        0 => "it is empty".to_owned(),
                        1 => "its only item is 0".to_owned(),
                        len => format!("its items are 0 to {}", len - 1),
                    }
                )),
            }
        }
        value if value.is_null() => Ok(None),
        Value::Scalar { .. } => {
            Err(format!("this is a single value, it has no key `{}`", shortened(key)))
        }
    }
}

fn replace(document: &mut Document, item: usize, text: &str, origin: Origin) -> Result<(), String> {
    let item = &mut document.items[item];
    match (&item.value, &item.origin) {
        (Value::List(_), _) => {
            return Err("this is a list; set its items, as in `…__0`".to_owned());
        }
        (Value::Mapping(_), _) => {
            return Err("this is a mapping; set its keys, as in `…__KEY`".to_owned());
        }
        (Value::Scalar { .. }, Origin::Variable(other)) => {
            return Err(format!("the variable {other} has set this already; remove one of them"));
        }
        (Value::Scalar { .. }, Origin::Line(_)) => {}
    }
    item.value = Value::Scalar { text: text.into(), plain: true };
    item.origin = origin;
    Ok(())
}

/// Adds mappings in mappings, and in the last one the value.
fn add(document: &mut Document, item: usize, keys: Vec<Arc<str>>, text: &str, origin: &Origin) {
    let mut parent = item;
    for key in keys {
        let child = document.items.len();
        match &mut document.items[parent].value {
            Value::Mapping(children) => children.push(child),
            value => *value = Value::Mapping(vec![child]),
        }
        document.items.push(Item {
            parent: Some(parent),
            step: Step::Key(key),
            origin: origin.clone(),
            value: Value::null(),
        });
        parent = child;
    }
    document.items[parent].value = Value::Scalar { text: text.into(), plain: true };
}
