//! Environment variables that override parts of a tree.

use std::sync::Arc;

use crate::{
    Place, Problems,
    problems::{Problem, shortened},
    tree::{Item, Step, Tree, Value},
};

const SEPARATOR: &str = "__";

const ITEMS_BELONG_IN_THE_FILE: &str =
    "write its items in the file, because variables cannot add items";

pub(crate) fn apply(
    tree: &mut Tree,
    prefix: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(), Problems> {
    let mut variables: Vec<_> = variables
        .into_iter()
        .filter(|(name, _)| {
            name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(SEPARATOR))
        })
        .collect();
    // The environment has no order; sorting makes the result deterministic.
    variables.sort();
    let mut problems = Problems::new();
    for (name, value) in variables {
        let keys = &name[prefix.len() + SEPARATOR.len()..];
        if let Err((path, message)) = set(tree, &name, keys, &value) {
            let place = Some(Place::Variable(name.into()));
            problems.push(Problem::new(&tree.name, place, message).with_path(path));
        }
    }
    problems.into_result(())
}

/// Sets one value. An error consists of a path and a message.
fn set(tree: &mut Tree, variable: &str, keys: &str, text: &str) -> Result<(), (String, String)> {
    let place = Place::Variable(variable.into());
    let mut at = Target::Existing(0);
    // The tree is changed only after the whole name has been resolved.
    let mut added: Vec<Arc<str>> = Vec::new();
    let is_index = |key: &str| key.bytes().all(|byte| byte.is_ascii_digit());
    for key in keys.split(SEPARATOR) {
        if key.is_empty() {
            return Err((String::new(), "a key between two `__` is missing".to_owned()));
        }
        match at {
            // A number is meant for a list, which the file does not have.
            Target::New(item) if is_index(key) => {
                let list = [tree.path(item)].into_iter().filter(|path| !path.is_empty());
                let list: Vec<_> = list.chain(added.iter().map(|key| shortened(key))).collect();
                let list = list.join(".");
                return Err((
                    String::new(),
                    format!("the file has no list `{list}`; {ITEMS_BELONG_IN_THE_FILE}"),
                ));
            }
            Target::Existing(item) if is_index(key) && tree.items[item].value.is_null() => {
                return Err((
                    tree.path(item),
                    format!("this list is empty in the file; {ITEMS_BELONG_IN_THE_FILE}"),
                ));
            }
            Target::Existing(item) => match descend(tree, item, key) {
                Ok(Some(child)) => at = Target::Existing(child),
                Ok(None) => {
                    added.push(key.to_lowercase().into());
                    at = Target::New(item);
                }
                Err(message) => return Err((tree.path(item), message)),
            },
            Target::New(_) => added.push(key.to_lowercase().into()),
        }
    }
    match at {
        Target::Existing(item) => {
            replace(tree, item, text, place).map_err(|message| (tree.path(item), message))
        }
        Target::New(item) => {
            add(tree, item, added, text, &place);
            Ok(())
        }
    }
}

#[derive(Clone, Copy)]
enum Target {
    /// An item of the document.
    Existing(usize),
    /// An item that is to be added, at any depth, below this one.
    New(usize),
}

/// Returns the child that a key names; `None` if it is to be added.
fn descend(tree: &Tree, item: usize, key: &str) -> Result<Option<usize>, String> {
    match &tree.items[item].value {
        Value::Mapping(children) => {
            let lower = key.to_lowercase();
            let fits = |child: &usize| match &tree.items[*child].step {
                Step::Key(own) => own.to_lowercase() == lower,
                Step::Root | Step::Index(_) => false,
            };
            let mut fitting = children.iter().copied().filter(fits);
            match (fitting.next(), fitting.next()) {
                (Some(_), Some(_)) => Err(format!(
                    "several keys differ from `{}` only in upper and lower case; rename them",
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
            Err(format!("this is a single value and has no key `{}`", shortened(key)))
        }
    }
}

fn replace(tree: &mut Tree, item: usize, text: &str, place: Place) -> Result<(), String> {
    let item = &mut tree.items[item];
    match (&item.value, &item.place) {
        (Value::List(_), _) => {
            return Err("this is a list; set its items, as in `…__0`".to_owned());
        }
        (Value::Mapping(_), _) => {
            return Err("this is a mapping; set its keys, as in `…__KEY`".to_owned());
        }
        (Value::Scalar { .. }, Place::Variable(other)) => {
            return Err(format!("the variable {other} sets this value too; remove one of them"));
        }
        (Value::Scalar { .. }, Place::Line(_)) => {}
    }
    item.value = Value::Scalar { text: text.into(), plain: true };
    item.place = place;
    Ok(())
}

/// Adds one mapping per key, each inside the previous one, and the value in the last one.
fn add(tree: &mut Tree, item: usize, keys: Vec<Arc<str>>, text: &str, place: &Place) {
    let mut parent = item;
    for key in keys {
        let child = tree.items.len();
        match &mut tree.items[parent].value {
            Value::Mapping(children) => children.push(child),
            value => *value = Value::Mapping(vec![child]),
        }
        tree.items.push(Item {
            parent: Some(parent),
            step: Step::Key(key),
            place: place.clone(),
            value: Value::null(),
        });
        parent = child;
    }
    tree.items[parent].value = Value::Scalar { text: text.into(), plain: true };
}
