//! Leaf expressions and request trees of manifests: parsed once, then evaluated per record.
//!
//! A manifest has no control flow: a leaf is a value, or one expression with filters of a closed
//! list over a closed set of names. minijinja's parser reads the expressions; evaluation is our
//! own, so that numbers keep their digits, objects their order, and a plain `{{ field.x }}` costs
//! one look-up.

mod expression;
mod filter;
mod node;
mod scope;
mod text;

pub(crate) use expression::Expression;
pub(crate) use node::{Node, Tree};
pub(crate) use scope::{Names, Payload, Run, Scope};
pub(crate) use text::{is_truthy, text_of};
