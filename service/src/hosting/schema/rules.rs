//! The rules of a compiled schema.

use std::collections::BTreeMap;

use super::pattern::Pattern;

/// Position of a schema among all schemas of a model.
pub(super) type Id = usize;

/// The rules of one schema.
pub(super) type Rules = Vec<Rule>;

/// A rule for a value. Most rules concern values of one type only.
#[derive(Debug)]
pub(super) enum Rule {
    /// Nothing is valid.
    Never,
    Types(Types),
    Options(Vec<Choice>),
    Number(NumberRule),
    Text(TextRule),
    Array(ArrayRule),
    Object(Box<ObjectRule>),
    Reference(Id),
    All(Vec<Id>),
    Any(Vec<Id>),
    One(Vec<Id>),
    Not(Id),
    If {
        condition: Id,
        then: Option<Id>,
        otherwise: Option<Id>,
    },
}

/// A valid value of `enum` or `const`.
#[derive(Debug)]
pub(super) struct Choice {
    /// The value as messages show it.
    pub(super) shown: String,
    /// The value, if it is text.
    pub(super) text: Option<String>,
    /// The text that all values equal to it have.
    pub(super) canonical: String,
}

/// Bounds of a number.
#[derive(Debug)]
pub(super) enum NumberRule {
    Minimum(String),
    ExclusiveMinimum(String),
    Maximum(String),
    ExclusiveMaximum(String),
    MultipleOf(String),
}

#[derive(Debug)]
pub(super) struct TextRule {
    pub(super) length: Range,
    pub(super) pattern: Option<Pattern>,
}

#[derive(Debug)]
pub(super) struct ArrayRule {
    pub(super) length: Range,
    pub(super) is_unique: bool,
    /// Schemas of the first items.
    pub(super) first: Vec<Id>,
    /// Schema of all other items.
    pub(super) items: Option<Id>,
    pub(super) contains: Option<(Id, Range)>,
    pub(super) unevaluated: Option<Id>,
}

#[derive(Debug)]
pub(super) struct ObjectRule {
    pub(super) length: Range,
    /// The members by name. Few strings are compared faster than one is hashed.
    pub(super) members: BTreeMap<String, Member>,
    pub(super) required: Vec<String>,
    pub(super) patterns: Vec<(Pattern, Id)>,
    /// Schema of all other members.
    pub(super) additional: Option<Id>,
    pub(super) names: Option<Id>,
    /// Names that another name requires.
    pub(super) dependent: Vec<(String, Vec<String>)>,
    /// Schemas that a name requires of the object.
    pub(super) dependent_schemas: Vec<(String, Id)>,
    pub(super) unevaluated: Option<Id>,
}

/// A member that `properties` or `required` name.
#[derive(Debug, Default)]
pub(super) struct Member {
    pub(super) schema: Option<Id>,
    pub(super) is_required: bool,
}

/// Limits of a number of characters, items or members.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Range {
    pub(super) least: Option<u64>,
    pub(super) most: Option<u64>,
}

/// A set of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const BOOLEAN: Self = Self(1);
    pub(super) const INTEGER: Self = Self(1 << 1);
    pub(super) const NUMBER: Self = Self(1 << 2);
    pub(super) const STRING: Self = Self(1 << 3);
    pub(super) const ARRAY: Self = Self(1 << 4);
    pub(super) const OBJECT: Self = Self(1 << 5);
    pub(super) const NULL: Self = Self(1 << 6);
    /// In the order of messages.
    const NAMES: [&str; 7] = ["boolean", "integer", "number", "string", "array", "object", "null"];

    /// Returns the type of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(Self(1 << Self::NAMES.iter().position(|known| *known == name)?))
    }

    pub(super) fn contains(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        (0..)
            .zip(Self::NAMES)
            .filter(move |(bit, _)| self.0 & (1 << bit) != 0)
            .map(|(_, name)| name)
    }
}

impl std::ops::BitOr for Types {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl ObjectRule {
    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.members.get(name)
    }
}
