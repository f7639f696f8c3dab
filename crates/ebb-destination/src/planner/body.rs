//! A request's body: constants around the items, joined without parsing them again.

use bytes::Bytes;
use ebb_core::{Value, port};

use crate::{
    manifest::Encoding,
    template::{Expression, Node, text_of},
};

/// A compiled body.
#[derive(Debug)]
pub(crate) struct Body {
    encoding: Encoding,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    /// As it stands. For forms: an encoded name with its `=`, or a whole pair.
    Plain(Vec<u8>),
    /// The one item.
    Item,
    /// All items as a list.
    Items,
}

impl Body {
    /// Compiles a body. The error is one sentence.
    pub(crate) fn compile(node: &Node, encoding: Encoding) -> Result<Self, String> {
        let mut parts = Vec::new();
        match (encoding, node) {
            (Encoding::Json, node) => json_parts(node, &mut parts)?,
            (Encoding::Form, Node::Table(entries)) => {
                for (key, entry) in entries {
                    let name = key.name().ok_or("a form cannot spread an object")?;
                    let start = if parts.is_empty() { "" } else { "&" };
                    let name: String = format!("{start}{}=", form(name));
                    match entry {
                        Node::Leaf(Expression::Item) => {
                            parts.extend([Part::Plain(name.into_bytes()), Part::Item]);
                        }
                        Node::Leaf(Expression::Items) => {
                            parts.extend([Part::Plain(name.into_bytes()), Part::Items]);
                        }
                        Node::Leaf(_) | Node::Text(_) | Node::List(_) | Node::Table(_) => {
                            let text = entry.constant_text().ok_or(
                                "a form's values are constants, `{{ item }}` or `{{ items }}`",
                            )?;
                            parts.push(Part::Plain((name + &form(&text)).into_bytes()));
                        }
                    }
                }
            }
            (Encoding::Form, _) => return Err("the body of a form is a table".to_owned()),
            (Encoding::Text, Node::Leaf(Expression::Item)) => parts.push(Part::Item),
            (Encoding::Text, _) => return Err("the body of text is `{{ item }}`".to_owned()),
        }
        Ok(Self { encoding, parts })
    }

    /// The body of these items. `expanded` items are lists whose elements are joined.
    pub(crate) fn write<'i>(
        &self,
        items: &(impl Iterator<Item = &'i [u8]> + Clone),
        expanded: bool,
    ) -> port::Body {
        if let [Part::Item] = self.parts.as_slice()
            && items.clone().all(<[u8]>::is_empty)
        {
            return port::Body::Empty;
        }
        let size = items.clone().map(|item| item.len() + 1).sum::<usize>() + 64;
        let mut out = Vec::with_capacity(size);
        for part in &self.parts {
            match part {
                Part::Plain(bytes) => out.extend_from_slice(bytes),
                Part::Item => self.write_one(items.clone().next().unwrap_or_default(), &mut out),
                Part::Items if self.encoding == Encoding::Form => {
                    let mut list = Vec::new();
                    write_list(items.clone(), expanded, &mut list);
                    out.extend(form(&String::from_utf8_lossy(&list)).bytes());
                }
                Part::Items => write_list(items.clone(), expanded, &mut out),
            }
        }
        let bytes = Bytes::from(out);
        match self.encoding {
            Encoding::Json => port::Body::Json(bytes),
            Encoding::Form => port::Body::Form(bytes),
            Encoding::Text => port::Body::Text(bytes),
        }
    }

    fn write_one(&self, item: &[u8], out: &mut Vec<u8>) {
        let item = if item.is_empty() { b"null" } else { item };
        match self.encoding {
            Encoding::Json => out.extend_from_slice(item),
            Encoding::Form => out.extend(form(&String::from_utf8_lossy(item)).bytes()),
            Encoding::Text => match Value::from_json(&String::from_utf8_lossy(item)) {
                Ok(value) => out.extend_from_slice(text_of(&value).as_bytes()),
                Err(_) => out.extend_from_slice(item),
            },
        }
    }

    /// The type that goes with the body.
    pub(crate) const fn content_type(&self) -> &'static str {
        match self.encoding {
            Encoding::Json => "application/json",
            Encoding::Form => "application/x-www-form-urlencoded;charset=UTF-8",
            Encoding::Text => "text/plain;charset=UTF-8",
        }
    }
}

/// Text as a form carries it.
pub(crate) fn form(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn write_list<'i>(items: impl Iterator<Item = &'i [u8]>, expanded: bool, out: &mut Vec<u8>) {
    out.push(b'[');
    let mut first = true;
    for item in items {
        let item = match item {
            [] => b"null",
            [b'[', inner @ .., b']'] if expanded => inner,
            item => item,
        };
        if item.is_empty() {
            continue;
        }
        if !first {
            out.push(b',');
        }
        first = false;
        out.extend_from_slice(item);
    }
    out.push(b']');
}

fn json_parts(node: &Node, parts: &mut Vec<Part>) -> Result<(), String> {
    match node {
        Node::Leaf(Expression::Item) => parts.push(Part::Item),
        Node::Leaf(Expression::Items) => parts.push(Part::Items),
        Node::Leaf(Expression::Constant(value)) => {
            let mut json = Vec::new();
            value.write_json(&mut json);
            plain(&json, parts);
        }
        Node::Leaf(Expression::Undefined) => plain(b"null", parts),
        Node::Leaf(_) | Node::Text(_) => {
            return Err("a body holds constants, `{{ item }}` and `{{ items }}`; the rest belongs in `item`".to_owned());
        }
        Node::List(items) => {
            plain(b"[", parts);
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    plain(b",", parts);
                }
                json_parts(item, parts)?;
            }
            plain(b"]", parts);
        }
        Node::Table(entries) => {
            plain(b"{", parts);
            let mut first = true;
            for (key, entry) in entries {
                if matches!(entry, Node::Leaf(Expression::Undefined)) {
                    continue;
                }
                let name = key.name().ok_or("a body cannot spread an object; `item` can")?;
                if !first {
                    plain(b",", parts);
                }
                first = false;
                plain(Value::from(name).to_json().as_bytes(), parts);
                plain(b":", parts);
                json_parts(entry, parts)?;
            }
            plain(b"}", parts);
        }
    }
    Ok(())
}

fn plain(bytes: &[u8], parts: &mut Vec<Part>) {
    match parts.last_mut() {
        Some(Part::Plain(last)) => last.extend_from_slice(bytes),
        Some(Part::Item | Part::Items) | None => parts.push(Part::Plain(bytes.to_vec())),
    }
}
