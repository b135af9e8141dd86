//! Reads one YAML file so that every mistake in it can be reported at once, each with its file, its
//! line, its key path and what was probably meant.
//!
//! This crate knows YAML and environment variables, and nothing of what a file is for. Whoever does
//! walks from the [root](Document::root) down and passes on the same [`Problems`] everywhere:
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
//! One document, UTF-8. Scalars are those of YAML 1.2's core schema; [`Node::boolean`] also takes
//! `yes`, `no`, `on` and `off`, as PyYAML does, and integers that begin with 0 are refused, because
//! the two versions of YAML disagree about them. Anchors, aliases and merge keys (`<<`) work. Keys
//! are text, and none stands twice.
//!
//! # Secrets
//!
//! Messages do not show values, only keys, kinds and words that should have been one of a closed list
//! ([`Node::choice`]). Of values from environment variables they show nothing at all; whoever makes a message
//! of a value asks [`Node::is_variable`] before. Where keys themselves may be secrets in the wrong place,
//! [`Mapping::hiding_unknown_keys`] leaves them out.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod deserialize;
mod document;
mod mapping;
mod nearest;
mod node;
mod problems;
mod scalar;
mod tree;
mod variables;

pub use document::Document;
pub use mapping::Mapping;
pub use nearest::nearest;
pub use node::{Kind, Node};
pub use problems::{Place, Problem, Problems};
