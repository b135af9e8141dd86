//! Reads a YAML configuration file and reports all its mistakes at once, each with its file, line,
//! key path and a suggestion.
//!
//! A [`Document`] holds the values of the file and of the environment variables that override it. A
//! reader walks from its [root](Document::root) down and collects all mistakes in one [`Problems`]:
//!
//! ```
//! use ml_configuration::{Document, Problems};
//!
//! let mut document = Document::parse(
//!     "rest_config.yaml",
//!     "service_title: Insurance\n\
//!      models:\n\
//!      - qualified_name: insurance_charges_model\n  \
//!        create_endpoint: maybe\n  \
//!        decoraters: []\n",
//! )?;
//! document.override_from("ML_SERVICE", [("ML_SERVICE__SERVICE_TITLE".into(), "Test".into())])?;
//!
//! let mut problems = Problems::new();
//! if let Some(mut root) = document.root().mapping(&mut problems) {
//!     let title = root.required("service_title", &mut problems);
//!     assert_eq!(title.and_then(|title| title.string(&mut problems)), Some("Test"));
//!
//!     let models = root.get("models").and_then(|models| models.list(&mut problems));
//!     for model in models.unwrap_or_default() {
//!         let Some(mut model) = model.mapping(&mut problems) else { continue };
//!         let _name = model.required("qualified_name", &mut problems);
//!         let _create = model.get("create_endpoint").map(|node| node.boolean(&mut problems));
//!         let _decorators = model.get("decorators");
//!         model.finish(&mut problems);
//!     }
//!     root.finish(&mut problems);
//! }
//! assert_eq!(
//!     problems.to_string(),
//!     "rest_config.yaml:4: models[0].create_endpoint: expected true or false, found text\n\
//!      rest_config.yaml:5: models[0]: unknown key `decoraters`; did you mean `decorators`?",
//! );
//! # Ok::<(), Problems>(())
//! ```
//!
//! # YAML
//!
//! The file is one YAML document in UTF-8. Scalars are those of YAML 1.2's core schema.
//! [`Node::boolean`] also accepts `yes`, `no`, `on` and `off`, and numbers may have groups of digits,
//! `10_485_760`, as in PyYAML. Integers with a leading zero are refused, because YAML 1.1 and 1.2
//! disagree about them. Anchors, aliases and
//! merge keys (`<<`) are supported. Keys must be text and unique.
//!
//! # Secrets
//!
//! Messages show keys, types and words that should have been one of a closed list
//! ([`Node::choice`]), but no other values. Values from environment variables are never shown: check
//! [`Node::is_variable`] before you put a value in a message. Where a secret may have been written
//! as a key, [`Mapping::hiding_unknown_keys`] hides the keys too.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod deserialize;
mod did_you_mean;
mod document;
mod file;
mod mapping;
mod node;
mod parse;
mod problems;
mod references;
mod scalar;
mod tree;
mod variables;

pub use did_you_mean::nearest;
pub use document::Document;
pub use file::read_file;
pub use mapping::Mapping;
pub use node::{Kind, Node};
pub use problems::{Place, Problem, Problems};

/// Tests the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
