//! From tokens to nodes.

use std::collections::VecDeque;

use super::{
    cursor::Cursor,
    syntax::{Branch, Node},
    tokens::{Tag, Token, lines},
};

/// Tags that the mapping language does without.
const DISABLED: [&str; 6] = ["case", "for", "include", "layout", "render", "tablerow"];

/// The nodes of all tokens.
pub(super) fn parse(tokens: Vec<Token>) -> Result<Vec<Node>, String> {
    let mut tokens = VecDeque::from(tokens);
    let mut nodes = Vec::new();
    while let Some(token) = tokens.pop_front() {
        nodes.push(node(token, &mut tokens)?);
    }
    Ok(nodes)
}

fn node(token: Token, rest: &mut VecDeque<Token>) -> Result<Node, String> {
    match token {
        Token::Text(text) => Ok(Node::Text(text.into_iter().collect())),
        Token::Output(content) => Ok(Node::Output(Cursor::new(&content).filtered()?)),
        Token::Tag(tag) => tag_node(&tag, rest),
    }
}

fn tag_node(tag: &Tag, rest: &mut VecDeque<Token>) -> Result<Node, String> {
    let mut cursor = Cursor::new(&tag.arguments);
    match &*tag.name {
        "assign" => {
            let name = cursor.name();
            cursor.skip_blank();
            if name.is_empty() || cursor.take() != Some('=') {
                return Err("`assign` is written `assign name = value`".to_owned());
            }
            Ok(Node::Assign(name, cursor.filtered()?))
        }
        "capture" => {
            let name = cursor.name();
            let name = if name.is_empty() { cursor.quoted() } else { Some(name) };
            let name = name.ok_or("`capture` needs a name")?;
            Ok(Node::Capture(name, until("endcapture", rest)?))
        }
        "block" => Ok(Node::Block(until("endblock", rest)?)),
        "comment" => {
            skip_to("endcomment", rest)?;
            Ok(Node::Nothing)
        }
        "raw" => Ok(Node::Text(skip_to("endraw", rest)?)),
        "if" => if_node(cursor, rest),
        "unless" => unless_node(cursor, rest),
        "increment" => Ok(Node::Count { name: cursor.name(), up: true }),
        "decrement" => Ok(Node::Count { name: cursor.name(), up: false }),
        "cycle" => cycle(cursor),
        "echo" => {
            cursor.skip_blank();
            if cursor.at_end() { Ok(Node::Nothing) } else { Ok(Node::Output(cursor.filtered()?)) }
        }
        "liquid" => Ok(Node::Block(parse(lines(&tag.arguments)?)?)),
        "#" => {
            let text: String = tag.arguments.iter().collect();
            let mut lines = text.split('\n').skip(1).map(str::trim_start);
            // Blank lines belong to the line that follows them.
            if lines.any(|line| !line.is_empty() && !line.starts_with('#')) {
                return Err("every line of a `#` comment must start with `#`".to_owned());
            }
            Ok(Node::Nothing)
        }
        "break" | "continue" => Ok(Node::Stop),
        name if DISABLED.contains(&name) => Err(format!("the tag `{name}` is disabled")),
        name => Err(format!("there is no tag `{name}`")),
    }
}

fn is_tag(token: &Token, name: &str) -> bool {
    matches!(token, Token::Tag(tag) if tag.name == name)
}

fn until(end: &str, rest: &mut VecDeque<Token>) -> Result<Vec<Node>, String> {
    let mut nodes = Vec::new();
    while let Some(token) = rest.pop_front() {
        if is_tag(&token, end) {
            return Ok(nodes);
        }
        nodes.push(node(token, rest)?);
    }
    Err(format!("`{end}` is missing"))
}

/// Drops tokens up to a tag; the text that they were.
fn skip_to(end: &str, rest: &mut VecDeque<Token>) -> Result<String, String> {
    let mut skipped = String::new();
    while let Some(token) = rest.pop_front() {
        if is_tag(&token, end) {
            return Ok(skipped);
        }
        match token {
            Token::Text(text) => skipped.extend(text),
            Token::Tag(tag) => skipped.extend(tag.text),
            Token::Output(_) => {}
        }
    }
    Err(format!("`{end}` is missing"))
}

fn if_node(mut cursor: Cursor<'_>, rest: &mut VecDeque<Token>) -> Result<Node, String> {
    let mut branches = vec![Branch { test: Some((cursor.filtered()?, true)), nodes: Vec::new() }];
    let in_else = |branches: &[Branch]| branches.last().is_some_and(|last| last.test.is_none());
    let no_arguments = |tag: &Tag| match tag.arguments.as_slice() {
        [] => Ok(()),
        _ => Err(format!("`{}` takes no arguments", tag.name)),
    };
    while let Some(token) = rest.pop_front() {
        match token {
            Token::Tag(tag) if tag.name == "elsif" => {
                if in_else(&branches) {
                    return Err("`elsif` comes after `else`".to_owned());
                }
                let test = Cursor::new(&tag.arguments).filtered()?;
                branches.push(Branch { test: Some((test, true)), nodes: Vec::new() });
            }
            Token::Tag(tag) if tag.name == "else" => {
                no_arguments(&tag)?;
                if in_else(&branches) {
                    return Err("`else` comes twice".to_owned());
                }
                branches.push(Branch { test: None, nodes: Vec::new() });
            }
            Token::Tag(tag) if tag.name == "endif" => {
                no_arguments(&tag)?;
                return Ok(Node::Branches(branches));
            }
            token @ (Token::Text(_) | Token::Output(_) | Token::Tag(_)) => {
                let node = node(token, rest)?;
                if let Some(branch) = branches.last_mut() {
                    branch.nodes.push(node);
                }
            }
        }
    }
    Err("`endif` is missing".to_owned())
}

fn unless_node(mut cursor: Cursor<'_>, rest: &mut VecDeque<Token>) -> Result<Node, String> {
    let mut branches = vec![Branch { test: Some((cursor.filtered()?, false)), nodes: Vec::new() }];
    // After a second `else`, or an `elsif` after `else`, nothing more is kept.
    let mut otherwise = Vec::new();
    let (mut elses, mut dropped) = (0, false);
    while let Some(token) = rest.pop_front() {
        match token {
            Token::Tag(tag) if tag.name == "elsif" => {
                if elses > 0 {
                    dropped = true;
                    continue;
                }
                let test = Cursor::new(&tag.arguments).filtered()?;
                branches.push(Branch { test: Some((test, true)), nodes: Vec::new() });
            }
            Token::Tag(tag) if tag.name == "else" => {
                elses += 1;
                dropped = false;
            }
            Token::Tag(tag) if tag.name == "endunless" => {
                branches.push(Branch { test: None, nodes: otherwise });
                return Ok(Node::Branches(branches));
            }
            token @ (Token::Text(_) | Token::Output(_) | Token::Tag(_)) => {
                let node = node(token, rest)?;
                match (elses, branches.last_mut()) {
                    (0, Some(branch)) => branch.nodes.push(node),
                    (1, _) if !dropped => otherwise.push(node),
                    _ => {}
                }
            }
        }
    }
    Err("`endunless` is missing".to_owned())
}

fn cycle(mut cursor: Cursor<'_>) -> Result<Node, String> {
    let mut group = None;
    let mut candidates = Vec::new();
    if let Some(first) = cursor.value()? {
        cursor.skip_blank();
        if cursor.peek() == Some(':') {
            cursor.take();
            group = Some(first);
        } else {
            candidates.push(first);
        }
    }
    while !cursor.at_end() {
        candidates.extend(cursor.value()?);
        cursor.skip_past(',');
    }
    if candidates.is_empty() {
        return Err("`cycle` needs values".to_owned());
    }
    Ok(Node::Cycle { group, candidates })
}
