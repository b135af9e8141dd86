//! The trained trees, their evaluation and their text format.
//!
//! The format keeps the training library out of the service, makes a model readable in a diff, and is deterministic.
//! Each tree is written in preorder: a parent, its `<=` branch, its other branch. A whole artefact:
//!
//! ```text
//! insurance-charges-trees 2
//! unit root
//! intercept 250
//! slope 1.02
//! floor 1100
//! base 105
//! tree smoker<=0.5 =-5 bmi<=30.1 =9.5 =21
//! end 1
//! ```
//!
//! A prediction starts with the sum of the base and one leaf of each tree, here 100 for a non-smoker. The unit `root`
//! makes that 100² dollars, and the line makes it 250 + 1.02 × 100² dollars.

use std::fmt;

use thiserror::Error;

use crate::features::{Feature, Features};
use crate::scale::{Scale, Unit};

const HEADER: &str = "insurance-charges-trees 2";

/// Largest magnitude of a number in an artefact. It is far above any charge and keeps all results finite.
const LARGEST_NUMBER: f64 = 1e9;

/// Failure to parse an artefact.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum LoadError {
    #[error("the artefact ends early: {expected} is missing")]
    EndsEarly { expected: &'static str },
    #[error("line {line} of the artefact: expected {expected}, found {found:?}")]
    Unexpected { line: usize, expected: &'static str, found: String },
    #[error("line {line} of the artefact: {found:?} is not a number from -1e9 to 1e9")]
    Number { line: usize, found: String },
    #[error("line {line} of the artefact: there is no unit called {found:?}")]
    Unit { line: usize, found: String },
    #[error("line {line} of the artefact: the model has no feature called {found:?}")]
    Feature { line: usize, found: String },
    #[error("line {line} of the artefact: the tree is incomplete")]
    Incomplete { line: usize },
    #[error("line {line} of the artefact: the tree continues after its last leaf")]
    Overlong { line: usize },
    #[error("line {line} of the artefact: the floor must be above zero")]
    Floor { line: usize },
    #[error("the artefact declares {declared} trees but contains {found}")]
    Count { declared: usize, found: usize },
}

/// A decision tree that is not yet part of an ensemble.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// Value that is added to the sum.
    Leaf(f64),
    Split {
        feature: Feature,
        threshold: f64,
        /// Branch for values up to and including the threshold.
        low: Box<Tree>,
        high: Box<Tree>,
    },
}

/// One node of the flattened trees.
///
/// Nodes are stored in preorder, so the `<=` child is always the next node and needs no index.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Node {
    /// Threshold of a split, or value of a leaf.
    value: f64,
    /// Index of the other child. The first node is a child of no node, so 0 marks a leaf.
    high: u32,
    feature: Feature,
}

/// Trees whose leaf values are added up.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeEnsemble {
    scale: Scale,
    base: f64,
    roots: Vec<usize>,
    nodes: Vec<Node>,
}

impl TreeEnsemble {
    /// Creates an ensemble without trees, whose sum is `base`.
    pub fn new(base: f64, scale: Scale) -> Self {
        Self { scale, base, roots: Vec::new(), nodes: Vec::new() }
    }

    /// Sets the conversion of sums to predictions.
    pub fn set_scale(&mut self, scale: Scale) {
        self.scale = scale;
    }

    /// Adds a tree.
    pub fn push(&mut self, tree: &Tree) {
        self.roots.push(self.nodes.len());
        self.flatten(tree);
    }

    fn flatten(&mut self, tree: &Tree) {
        match tree {
            Tree::Leaf(value) => self.nodes.push(leaf(*value)),
            Tree::Split { feature, threshold, low, high } => {
                let parent = self.nodes.len();
                self.nodes.push(Node { value: *threshold, high: 0, feature: *feature });
                self.flatten(low);
                self.nodes[parent].high = index(self.nodes.len());
                self.flatten(high);
            }
        }
    }

    /// Returns the number of trees.
    pub fn len(&self) -> usize {
        self.roots.len()
    }

    /// Returns whether there are no trees.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// Returns the number of leaves of all trees.
    pub fn leaves(&self) -> usize {
        self.nodes.iter().filter(|node| node.high == 0).count()
    }

    /// Predicts charges in US dollars.
    pub fn predict(&self, features: &Features) -> f64 {
        let leaves = self.roots.iter().map(|&root| self.leaf_value(root, features));
        self.scale.dollars(leaves.fold(self.base, |sum, leaf| sum + leaf))
    }

    /// Returns the sums of the base and the first 1, 2, 3, … trees.
    pub fn sums<'a>(&'a self, features: &'a Features) -> impl Iterator<Item = f64> + 'a {
        self.roots.iter().scan(self.base, |sum, &root| {
            *sum += self.leaf_value(root, features);
            Some(*sum)
        })
    }

    /// Returns the leaf value of the tree whose root is at `at`.
    fn leaf_value(&self, mut at: usize, features: &Features) -> f64 {
        loop {
            let node = &self.nodes[at];
            if node.high == 0 {
                return node.value;
            }
            let low = features[node.feature as usize] <= node.value;
            at = if low { at + 1 } else { node.high as usize };
        }
    }

    /// Parses an artefact.
    ///
    /// # Errors
    /// Fails on missing, unknown and surplus parts and on numbers out of range. The error contains the line.
    pub fn parse(artefact: &str) -> Result<Self, LoadError> {
        let mut lines = artefact.lines().enumerate().map(|(index, text)| (index + 1, text));
        let mut next = |expected| lines.next().ok_or(LoadError::EndsEarly { expected });

        let (line, header) = next("the first line")?;
        if header != HEADER {
            return Err(LoadError::Unexpected { line, expected: HEADER, found: header.to_owned() });
        }
        let (line, text) = next("the unit")?;
        let name = after(line, text, "unit ")?;
        let unit = Unit::ALL.into_iter().find(|unit| unit.name() == name);
        let unit = unit.ok_or_else(|| LoadError::Unit { line, found: name.to_owned() })?;
        let mut field = |expected, key| {
            let (line, text) = next(expected)?;
            Ok((line, number(line, after(line, text, key)?)?))
        };
        let (_, intercept) = field("the intercept", "intercept ")?;
        let (_, slope) = field("the slope", "slope ")?;
        let (line, floor) = field("the floor", "floor ")?;
        if floor <= 0.0 {
            return Err(LoadError::Floor { line });
        }
        let (_, base) = field("the base", "base ")?;

        let scale = Scale { unit, intercept, slope, floor };
        let mut ensemble = Self::new(base, scale);
        loop {
            let (line, text) = next("the end line")?;
            if let Some(tree) = text.strip_prefix("tree ") {
                ensemble.parse_tree(line, tree)?;
                continue;
            }
            let found = after(line, text, "end ")?;
            let declared =
                found.parse().map_err(|_| LoadError::Number { line, found: found.to_owned() })?;
            if declared != ensemble.len() {
                return Err(LoadError::Count { declared, found: ensemble.len() });
            }
            break;
        }
        match lines.next() {
            None => Ok(ensemble),
            Some((line, text)) => {
                let expected = "nothing after the end line";
                Err(LoadError::Unexpected { line, expected, found: text.to_owned() })
            }
        }
    }

    /// Parses one tree and adds it. The explicit stack keeps a damaged artefact from overflowing the thread's.
    fn parse_tree(&mut self, line: usize, text: &str) -> Result<(), LoadError> {
        self.roots.push(self.nodes.len());
        // The splits whose second child has not been read.
        let mut open = Vec::new();
        let mut complete = false;
        for token in text.split(' ') {
            if complete {
                return Err(LoadError::Overlong { line });
            }
            if let Some(value) = token.strip_prefix('=') {
                self.nodes.push(leaf(number(line, value)?));
                match open.pop() {
                    Some(parent) => {
                        let high = index(self.nodes.len());
                        let parent: &mut Node = &mut self.nodes[parent];
                        parent.high = high;
                    }
                    None => complete = true,
                }
            } else if let Some((name, threshold)) = token.split_once("<=") {
                let feature = Feature::from_name(name)
                    .ok_or_else(|| LoadError::Feature { line, found: name.to_owned() })?;
                open.push(self.nodes.len());
                self.nodes.push(Node { value: number(line, threshold)?, high: 0, feature });
            } else {
                let expected = "a split or a leaf";
                return Err(LoadError::Unexpected { line, expected, found: token.to_owned() });
            }
        }
        if complete { Ok(()) } else { Err(LoadError::Incomplete { line }) }
    }
}

/// Writes the artefact. Rust prints floats with the digits that parse to the same number.
impl fmt::Display for TreeEnsemble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scale { unit, intercept, slope, floor } = self.scale;
        writeln!(f, "{HEADER}\nunit {}\nintercept {intercept}", unit.name())?;
        writeln!(f, "slope {slope}\nfloor {floor}\nbase {}", self.base)?;
        // The nodes are stored in the order of the text.
        let mut roots = self.roots.iter().peekable();
        for (at, node) in self.nodes.iter().enumerate() {
            if roots.next_if_eq(&&at).is_some() {
                f.write_str(if at == 0 { "tree" } else { "\ntree" })?;
            }
            if node.high == 0 {
                write!(f, " ={}", node.value)?;
            } else {
                write!(f, " {}<={}", node.feature.name(), node.value)?;
            }
        }
        if !self.nodes.is_empty() {
            f.write_str("\n")?;
        }
        writeln!(f, "end {}", self.len())
    }
}

fn leaf(value: f64) -> Node {
    // The feature of a leaf is not used.
    Node { value, high: 0, feature: Feature::Age }
}

fn index(node: usize) -> u32 {
    u32::try_from(node).expect("four billion nodes would need 64 GiB")
}

fn after<'a>(line: usize, text: &'a str, key: &'static str) -> Result<&'a str, LoadError> {
    text.strip_prefix(key).ok_or_else(|| LoadError::Unexpected {
        line,
        expected: key.trim_end(),
        found: text.to_owned(),
    })
}

fn number(line: usize, text: &str) -> Result<f64, LoadError> {
    text.parse()
        .ok()
        .filter(|value: &f64| value.abs() <= LARGEST_NUMBER)
        .ok_or_else(|| LoadError::Number { line, found: text.to_owned() })
}
