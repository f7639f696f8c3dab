//! The compiled form of a mapping.

mod compile;
mod evaluate;
mod reads;

pub(crate) use compile::{Compiler, root};
pub(crate) use evaluate::evaluate_root;
pub use reads::References;

use ebb_core::Value;

use crate::{directive::Template, liquid::Liquid, scope::Source};

/// One step of a mapping: what it gives for a record.
#[derive(Debug)]
pub(crate) enum Node {
    /// The same for every record.
    Constant(Value<'static>),
    /// An object with keys that differ.
    Object(Vec<(Box<str>, Self)>),
    /// A list.
    Array(Vec<Self>),
    /// `@path`.
    Path(Source),
    /// `@path` whose path depends on the record.
    PathOf(Box<Self>),
    /// `@template`.
    Template(Template),
    /// `@template` whose template depends on the record.
    TemplateOf(Box<Self>),
    /// `@if`.
    If(Box<If>),
    /// `@case`.
    Case(Box<Case>),
    /// `@replace`.
    Replace(Box<Replace>),
    /// `@arrayPath` with a shape for each item.
    Each(Box<Each>),
    /// `@flatten`.
    Flatten(Box<Flatten>),
    /// `@json` that writes.
    JsonEncode(Box<Self>),
    /// `@json` that reads.
    JsonDecode(Box<Self>),
    /// `@merge`.
    Merge(Box<Merge>),
    /// `@transform`.
    Transform(Box<Transform>),
    /// `@excludeWhenNull`.
    ExcludeNull(Box<Self>),
    /// `@liquid`.
    Liquid(Box<Liquid>),
    /// What fails on every record that gets here, with the reason.
    Fail(Box<str>),
}

impl Node {
    /// The value, if it is the same for every record.
    pub(crate) fn constant(&self) -> Option<&Value<'static>> {
        if let Self::Constant(value) = self { Some(value) } else { None }
    }
}

/// `@if`.
#[derive(Debug)]
pub(crate) struct If {
    /// The value that is looked at.
    pub(crate) value: Node,
    /// Whether it must be filled, or only be there.
    pub(crate) filled: bool,
    /// The result if so.
    pub(crate) then: Node,
    /// The result if not.
    pub(crate) otherwise: Node,
}

/// `@case`.
#[derive(Debug)]
pub(crate) struct Case {
    /// The value.
    pub(crate) value: Node,
    /// What becomes of text.
    pub(crate) operator: CaseOperator,
}

/// What `@case` does to text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CaseOperator {
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
    /// An operator that does not exist: any text fails.
    Unknown,
}

/// `@replace`.
#[derive(Debug)]
pub(crate) struct Replace {
    /// The value.
    pub(crate) value: Node,
    /// What is looked for, and what is put there; one or two pairs.
    pub(crate) pairs: Vec<(Box<str>, Box<str>)>,
    /// Why a text fails: a pair that is too long.
    pub(crate) refuses: Option<&'static str>,
    /// Whether the options are usable at all: otherwise the result is the empty text.
    pub(crate) usable: bool,
    /// Without regard to case.
    pub(crate) ignore_case: bool,
    /// Everywhere, not only at the first place.
    pub(crate) everywhere: bool,
}

/// `@arrayPath`.
#[derive(Debug)]
pub(crate) struct Each {
    /// The list, or an object that stands for a list of one.
    pub(crate) items: Node,
    /// What is made of each item.
    pub(crate) shape: Node,
}

/// `@flatten`.
#[derive(Debug)]
pub(crate) struct Flatten {
    /// The value.
    pub(crate) value: Node,
    /// What joins keys.
    pub(crate) separator: Node,
    /// Whether lists stay lists.
    pub(crate) keep_lists: bool,
}

/// `@merge`.
#[derive(Debug)]
pub(crate) struct Merge {
    /// The objects.
    pub(crate) objects: Vec<Node>,
    /// `left` lets the earlier objects win.
    pub(crate) direction: Node,
}

/// `@transform`.
#[derive(Debug)]
pub(crate) struct Transform {
    /// What makes the new event.
    pub(crate) apply: Node,
    /// What is made of it.
    pub(crate) mapping: Node,
}
