//! What a template is made of.

use ebb_core::Value;

use super::filters::Filter;

/// A part of a template.
#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Output(Filtered),
    /// `echo` without a value, comments.
    Nothing,
    Assign(String, Filtered),
    Capture(String, Vec<Self>),
    /// The first branch whose test holds; the last one may have none.
    Branches(Vec<Branch>),
    /// Counts up or down and shows the number before, or after.
    Count {
        name: String,
        up: bool,
    },
    Cycle {
        group: Option<Operand>,
        candidates: Vec<Operand>,
    },
    Block(Vec<Self>),
    /// `break` or `continue` outside of a loop: nothing after it is rendered.
    Stop,
}

/// One branch of `if` or `unless`.
#[derive(Debug)]
pub(super) struct Branch {
    /// The value, and whether it must be true; `None` for `else`.
    pub(super) test: Option<(Filtered, bool)>,
    pub(super) nodes: Vec<Node>,
}

/// An expression and the filters that it goes through.
#[derive(Debug)]
pub(super) struct Filtered {
    pub(super) initial: Expression,
    pub(super) filters: Vec<Call>,
}

/// Operands and operators in the order in which a stack evaluates them.
#[derive(Debug)]
pub(super) struct Expression(pub(super) Vec<Term>);

#[derive(Debug)]
pub(super) enum Term {
    Operand(Operand),
    Operator(Operator),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Contains,
    Not,
    And,
    Or,
}

impl Operator {
    /// Every operator as it is written; a longer one before its beginning.
    pub(super) const ALL: [(&'static str, Self); 10] = [
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        (">=", Self::GreaterOrEqual),
        ("<=", Self::LessOrEqual),
        (">", Self::Greater),
        ("<", Self::Less),
        ("contains", Self::Contains),
        ("not", Self::Not),
        ("and", Self::And),
        ("or", Self::Or),
    ];

    pub(super) fn precedence(self) -> u8 {
        match self {
            Self::Equal
            | Self::NotEqual
            | Self::Greater
            | Self::Less
            | Self::GreaterOrEqual
            | Self::LessOrEqual
            | Self::Contains => 2,
            Self::Not => 1,
            Self::And | Self::Or => 0,
        }
    }
}

/// A value in an expression.
#[derive(Debug)]
pub(super) enum Operand {
    Constant(Value<'static>),
    Nil,
    Empty,
    Blank,
    Range(Box<Self>, Box<Self>),
    /// Steps from another operand, or from a variable: then the first step is its name.
    Access {
        start: Option<Box<Self>>,
        steps: Vec<Self>,
    },
}

/// A filter with its arguments.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) filter: Filter,
    pub(super) arguments: Vec<Argument>,
}

#[derive(Debug)]
pub(super) enum Argument {
    Positional(Operand),
    Named(String, Option<Operand>),
}
