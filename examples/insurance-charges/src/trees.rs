//! The trained trees: how they answer, and the text format that carries them from `train` to the service.
//!
//! An own format rather than the training library's: it keeps that library out of the service, lets a reviewer
//! read a model in a diff, and is the same to the last byte for the same data. A whole artefact looks like this,
//! with each tree written parent first, then its `<=` branch, then the other one:
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
//! The base and what the trees add to it make a sum, here 100 for anyone who does not smoke. It is counted in the
//! unit, here the root of dollars, so it stands for 100², which the line turns into 250 + 1.02 × 100² dollars.

use std::fmt;

use thiserror::Error;

use crate::features::{Feature, Features};
use crate::scale::{Scale, Unit};

const HEADER: &str = "insurance-charges-trees 2";

/// Numbers in an artefact may not be larger: no charge comes near it, and what is made of such numbers stays finite.
const LARGEST_NUMBER: f64 = 1e9;

/// Why an artefact could not be read.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum LoadError {
    #[error("the artefact ends early: {expected} is missing")]
    EndsEarly { expected: &'static str },
    #[error("line {line} of the artefact: expected {expected}, found {found:?}")]
    Unexpected { line: usize, expected: &'static str, found: String },
    #[error("line {line} of the artefact: {found:?} is not a number of a sensible size")]
    Number { line: usize, found: String },
    #[error("line {line} of the artefact: there is no unit called {found:?}")]
    Unit { line: usize, found: String },
    #[error("line {line} of the artefact: the model has no feature called {found:?}")]
    Feature { line: usize, found: String },
    #[error("line {line} of the artefact: the tree is incomplete")]
    Incomplete { line: usize },
    #[error("line {line} of the artefact: the tree goes on after its last leaf")]
    Overlong { line: usize },
    #[error("line {line} of the artefact: the floor must be above zero")]
    Floor { line: usize },
    #[error("the artefact announces {announced} trees but holds {held}")]
    Count { announced: usize, held: usize },
}

/// A decision tree, as it is built before it joins an ensemble.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// What the tree adds to the sum.
    Leaf(f64),
    Split {
        feature: Feature,
        threshold: f64,
        /// Where values up to and including the threshold go.
        low: Box<Tree>,
        high: Box<Tree>,
    },
}

/// One node of the flattened trees.
///
/// Nodes are stored parent first, so the `<=` child is always the next one and needs no index.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Node {
    /// The threshold of a split, or what a leaf adds.
    value: f64,
    /// Index of the other child; 0, which can be nobody's child, marks a leaf.
    high: u32,
    feature: Feature,
}

/// Trees whose answers are added up.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeEnsemble {
    scale: Scale,
    base: f64,
    roots: Vec<usize>,
    nodes: Vec<Node>,
}

impl TreeEnsemble {
    /// An ensemble without trees, whose sum is `base`.
    pub fn new(base: f64, scale: Scale) -> Self {
        Self { scale, base, roots: Vec::new(), nodes: Vec::new() }
    }

    /// Changes how the sum becomes an answer.
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

    /// The number of trees.
    pub fn len(&self) -> usize {
        self.roots.len()
    }

    /// Whether there are no trees.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// The number of leaves of all trees together.
    pub fn leaves(&self) -> usize {
        self.nodes.iter().filter(|node| node.high == 0).count()
    }

    /// The answer in US dollars.
    pub fn predict(&self, features: &Features) -> f64 {
        let sum = self.roots.iter().fold(self.base, |sum, &root| sum + self.answer(root, features));
        self.scale.dollars(sum)
    }

    /// What the base and the first one, two, three … trees add up to.
    pub fn sums<'a>(&'a self, features: &'a Features) -> impl Iterator<Item = f64> + 'a {
        self.roots.iter().scan(self.base, |sum, &root| {
            *sum += self.answer(root, features);
            Some(*sum)
        })
    }

    /// What the tree that starts at `at` adds.
    fn answer(&self, mut at: usize, features: &Features) -> f64 {
        loop {
            let node = &self.nodes[at];
            if node.high == 0 {
                return node.value;
            }
            let low = features[node.feature as usize] <= node.value;
            at = if low { at + 1 } else { node.high as usize };
        }
    }

    /// Reads an artefact.
    ///
    /// # Errors
    /// When anything is missing, unknown, left over or not a sensible number; the error names the line.
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
            let announced =
                found.parse().map_err(|_| LoadError::Number { line, found: found.to_owned() })?;
            if announced != ensemble.len() {
                return Err(LoadError::Count { announced, held: ensemble.len() });
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

    /// Reads one tree and adds it. Keeps its own stack: a damaged artefact must not exhaust the program's.
    fn parse_tree(&mut self, line: usize, text: &str) -> Result<(), LoadError> {
        self.roots.push(self.nodes.len());
        // The splits whose second child is still to come.
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

/// Writes the artefact. Rust prints the shortest digits that read back as the same number, so none is lost.
impl fmt::Display for TreeEnsemble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scale { unit, intercept, slope, floor } = self.scale;
        writeln!(f, "{HEADER}\nunit {}\nintercept {intercept}", unit.name())?;
        writeln!(f, "slope {slope}\nfloor {floor}\nbase {}", self.base)?;
        // Nodes are kept in the order in which they are written, tree after tree.
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
    // The feature of a leaf is never looked at.
    Node { value, high: 0, feature: Feature::Age }
}

fn index(place: usize) -> u32 {
    u32::try_from(place).expect("an ensemble has fewer than four billion nodes: they fill 64 GiB")
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
