//! The columns that a template names.

use std::collections::BTreeSet;

use ebb_core::Value;

use super::syntax::{Argument, Branch, Expression, Filtered, Node, Operand, Term};

/// The variable that holds a record's columns.
const COLUMNS: &str = "properties";

/// The columns that a template reads as `properties.<column>`. What it works out while it is rendered is
/// not among them.
#[derive(Debug, Default)]
pub(super) struct Columns {
    named: BTreeSet<String>,
    /// Whether the template makes a variable of that name itself.
    hidden: bool,
}

impl Columns {
    /// Reads all nodes.
    pub(super) fn of(nodes: &[Node]) -> BTreeSet<String> {
        let mut columns = Self::default();
        columns.nodes(nodes);
        if columns.hidden { BTreeSet::new() } else { columns.named }
    }

    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Text(_) | Node::Nothing | Node::Stop => {}
                Node::Output(value) => self.filtered(value),
                Node::Assign(name, value) => {
                    self.made(name);
                    self.filtered(value);
                }
                Node::Capture(name, nodes) => {
                    self.made(name);
                    self.nodes(nodes);
                }
                Node::Branches(branches) => {
                    for Branch { test, nodes } in branches {
                        if let Some((value, _)) = test {
                            self.filtered(value);
                        }
                        self.nodes(nodes);
                    }
                }
                Node::Count { name, up: _ } => self.made(name),
                Node::Cycle { group, candidates } => {
                    group.iter().chain(candidates).for_each(|operand| self.operand(operand));
                }
                Node::Block(nodes) => self.nodes(nodes),
            }
        }
    }

    fn made(&mut self, name: &str) {
        self.hidden |= name == COLUMNS;
    }

    fn filtered(&mut self, value: &Filtered) {
        let Filtered { initial: Expression(terms), filters } = value;
        for term in terms {
            match term {
                Term::Operand(operand) => self.operand(operand),
                Term::Operator(_) => {}
            }
        }
        for argument in filters.iter().flat_map(|call| &call.arguments) {
            match argument {
                Argument::Positional(operand) | Argument::Named(_, Some(operand)) => {
                    self.operand(operand);
                }
                Argument::Named(_, None) => {}
            }
        }
    }

    fn operand(&mut self, operand: &Operand) {
        match operand {
            Operand::Constant(_) | Operand::Nil | Operand::Empty | Operand::Blank => {}
            Operand::Range(first, last) => {
                self.operand(first);
                self.operand(last);
            }
            Operand::Access { start, steps } => {
                if let Some(start) = start {
                    self.operand(start);
                }
                match (start, steps.as_slice()) {
                    (None, [first, column, ..]) if text(first) == Some(COLUMNS) => {
                        self.named.extend(text(column).map(str::to_owned));
                    }
                    _ => {}
                }
                for step in steps {
                    self.operand(step);
                }
            }
        }
    }
}

fn text(operand: &Operand) -> Option<&str> {
    if let Operand::Constant(value) = operand { Value::as_str(value) } else { None }
}
