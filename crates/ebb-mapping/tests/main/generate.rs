//! Random mappings and events: every directive, odd types and nesting, options missing and wrong.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Words for text: of several alphabets, of other types' looks, with what templates and patterns
/// treat specially.
const TEXTS: &[&str] = &[
    "",
    " ",
    "Hello World",
    "hello",
    "a",
    "x,y",
    "12",
    "0",
    "1.50",
    "-3",
    "true",
    "null",
    "A@B.co",
    "Straße",
    "ΑΣ ΟΔΟΣ",
    "İstanbul",
    "naïve",
    "日本",
    "🙂 ok",
    "{{a.b}}",
    "$&",
    "a-b_c.d",
    "[x]",
    "{\"a\":1}",
    "[1,2,{\"z\":null}]",
    "{bad",
    "\"quoted\"",
    "line\nbreak",
    "tab\t",
    "<b>&amp;</b>",
    "2020-01-02",
    "2020-01-02T03:04:05Z",
    "1e3",
    "ſK",
    "\u{feff}bom",
    "$.a",
    "a.b",
    "😀😀",
];
const KEYS: &[&str] = &[
    "a",
    "b",
    "x",
    "y",
    "s",
    "n",
    "list",
    "0",
    "2",
    "10",
    "k space",
    "a.b",
    "",
    "properties",
    "email",
];
const PATHS: &[&str] = &[
    "$.a",
    "$.b",
    "$.a.b",
    "a.b",
    "$.s",
    "$.n",
    "$.list",
    "$.list[0]",
    "$.list[1].x",
    "$.list.0",
    "$.list.length",
    "$.s.length",
    "$.s[0]",
    "$.s.1",
    "$.",
    "$",
    "",
    ".",
    "$.properties",
    "$.properties.email",
    "$.properties['k space']",
    "$.properties[\"k space\"]",
    "$.properties.k space",
    "$.a[0][1]",
    "$.['a']",
    "['a'].b",
    "$.missing",
    "$.missing.x",
    "$.a.b.c.d",
    "a$.b",
    "$.a..b",
    "$.list[-1]",
    "$.list[01]",
    "$.2",
    "$.x.10",
    "$.list[0]]",
    "[a]",
    "$.a.'b'",
    "$.n.x",
    "$.y.0.x",
];

/// Cases as lines of JSON text: a mapping with an event, or with several. Keys are in random order.
/// Some cases in a row share their event, so that the recorded file stays small.
pub(crate) fn lines(random: &mut Rng, count: usize) -> String {
    let mut out = String::new();
    let mut shared = String::new();
    for place in 0..count {
        if place % 5 == 0 {
            shared.clear();
            write(&event(random), random, &mut shared);
        }
        let events = if random.u8(..25) == 0 {
            let events: Vec<_> = (0..random.usize(..4)).map(|_| event(random)).collect();
            format!("\"payloads\":{}", Value::from(events))
        } else {
            format!("\"payload\":{shared}")
        };
        out.extend(["{", &*events, ",\"mapping\":"]);
        write(&mapping(random), random, &mut out);
        out.push_str("}\n");
    }
    out
}

fn write(value: &Value, random: &mut Rng, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                write(item, random, out);
            }
            out.push(']');
        }
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            random.shuffle(&mut entries);
            out.push('{');
            for (place, (key, value)) in entries.into_iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                write(&Value::from(key.as_str()), random, out);
                out.push(':');
                write(value, random, out);
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            *out += &value.to_string();
        }
    }
}

fn one<'t>(random: &mut Rng, of: &[&'t str]) -> &'t str {
    of[random.usize(..of.len())]
}

fn event(random: &mut Rng) -> Value {
    if random.u8(..60) == 0 {
        return value(random, 1);
    }
    let mut event = Map::new();
    for key in ["a", "b", "s", "n", "list", "properties", "x", "y", "2"] {
        if random.u8(..4) > 0 {
            let value = match key {
                "s" => Value::from(one(random, TEXTS)),
                "n" => number(random),
                "list" => (0..random.usize(..3)).map(|_| value(random, 2)).collect(),
                "properties" | "a" => object(random, 2),
                _ => value(random, 2),
            };
            event.insert(key.to_owned(), value);
        }
    }
    event.into()
}

fn number(random: &mut Rng) -> Value {
    match random.u8(..12) {
        0 | 1 => json!(0),
        2 | 3 => json!(1),
        4 => json!(-7),
        5 => json!(2.5),
        6 => json!(1e21),
        7 => json!(1.5e-9),
        8 => json!(123_456_789_012_345_i64),
        9 => json!(0.1),
        10 => json!(-0.25),
        _ => json!(42),
    }
}

fn object(random: &mut Rng, depth: u8) -> Value {
    let mut object = Map::new();
    for _ in 0..random.usize(..4) {
        object.insert(one(random, KEYS).to_owned(), value(random, depth));
    }
    object.into()
}

fn value(random: &mut Rng, depth: u8) -> Value {
    match random.u8(..if depth == 0 { 8 } else { 12 }) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 | 3 => number(random),
        4..8 => one(random, TEXTS).into(),
        8 | 9 => (0..random.usize(..4)).map(|_| value(random, depth - 1)).collect(),
        _ => object(random, depth - 1),
    }
}

fn mapping(random: &mut Rng) -> Value {
    match random.u8(..40) {
        0 => return node(random, 2),
        1 => return value(random, 1),
        2 | 3 => {
            let root = if random.bool() {
                json!({ "@transform": { "apply": fields(random, 1) } })
            } else {
                node(random, 2)
            };
            let mut mapping = fields(random, 2);
            mapping["__segment_internal_directive"] = root;
            return mapping;
        }
        _ => {}
    }
    fields(random, 3)
}

fn fields(random: &mut Rng, depth: u8) -> Value {
    let mut object = Map::new();
    for _ in 0..random.usize(1..4) {
        object.insert(one(random, KEYS).to_owned(), node(random, depth));
    }
    object.into()
}

/// A value, a directive, or an object or list of them.
fn node(random: &mut Rng, depth: u8) -> Value {
    if depth == 0 {
        return if random.bool() { path(random, 0) } else { value(random, 1) };
    }
    match random.u8(..16) {
        0 => value(random, 1),
        1 => fields(random, depth - 1),
        2 => (0..random.usize(..3)).map(|_| node(random, depth - 1)).collect(),
        3 if random.u8(..6) == 0 => odd(random, depth),
        _ => directive(random, depth - 1),
    }
}

/// What is not quite a directive.
fn odd(random: &mut Rng, depth: u8) -> Value {
    match random.u8(..5) {
        0 => json!({ "@path": "$.a", "@template": "{{a.b}}" }),
        1 => json!({ "@path": "$.a", "x": 1 }),
        2 => json!({ "@nope": node(random, depth - 1) }),
        3 => json!({ "@path": "$.a.b", "_metadata": { "label": "x" } }),
        _ => json!([{ "@path": "$.a", "x": node(random, depth - 1) }, { "@nope": 1 }]),
    }
}

fn path(random: &mut Rng, depth: u8) -> Value {
    if depth > 0 && random.u8(..12) == 0 {
        return json!({ "@path": node(random, depth - 1) });
    }
    json!({ "@path": one(random, PATHS) })
}

fn template(random: &mut Rng, depth: u8) -> Value {
    if depth > 0 && random.u8(..12) == 0 {
        return json!({ "@template": node(random, depth - 1) });
    }
    let mut text = String::new();
    for _ in 0..random.usize(1..4) {
        let inner = one(random, PATHS);
        let inner = if random.bool() { inner.replacen("$.", "", 1) } else { inner.to_owned() };
        match random.u8(..10) {
            0..5 => text.extend(["{{", &inner, "}}"]),
            5 => text.extend(["{{ ", &inner, " }}"]),
            6 => text.extend(["{{{", &inner, "}}}"]),
            7 => {
                text += one(random, &["{{", "}}", "{", "{{}}", "{{ }}", "{{{", "}}}", "{{{{s}}}}"]);
            }
            _ => text += one(random, TEXTS),
        }
    }
    json!({ "@template": text })
}

fn directive(random: &mut Rng, depth: u8) -> Value {
    let (name, mut options) = match random.u8(..28) {
        0..5 => return path(random, depth),
        5..8 => return template(random, depth),
        8 | 9 => {
            let key = if random.bool() { "exists" } else { "blank" };
            let mut options = json!({ "then": node(random, depth), "else": node(random, depth) });
            options[key] = node(random, depth);
            ("@if", options)
        }
        10 | 11 => {
            let operator = one(random, &["lower", "upper", "lower", "upper", "UPPER", "title"]);
            ("@case", json!({ "operator": operator, "value": node(random, depth) }))
        }
        12 | 13 => ("@replace", replace(random, depth)),
        14 | 15 => ("@arrayPath", array_path(random, depth)),
        16 | 17 => {
            let separator = one(random, &[".", "_", "", "::", "/"]);
            let lists = random.bool();
            (
                "@flatten",
                json!({ "separator": separator, "omitArrays": lists, "value": node(random, depth) }),
            )
        }
        18 | 19 => {
            let mode = one(random, &["encode", "decode", "encode", "decode", "Encode", "x"]);
            ("@json", json!({ "mode": mode, "value": node(random, depth) }))
        }
        20 | 21 => {
            let objects: Vec<_> =
                (0..random.usize(1..4))
                    .map(|_| {
                        if random.bool() {
                            fields(random, depth.min(1))
                        } else {
                            node(random, depth)
                        }
                    })
                    .collect();
            let direction = one(random, &["left", "right", "left", "right", "Left", "up"]);
            ("@merge", json!({ "direction": direction, "objects": objects }))
        }
        22 => (
            "@transform",
            json!({ "apply": fields(random, depth.min(1)), "mapping": node(random, depth) }),
        ),
        23 => ("@excludeWhenNull", node(random, depth)),
        24 => ("@literal", node(random, depth)),
        _ => ("@liquid", crate::liquid::template(random).into()),
    };
    if let Value::Object(options) = &mut options
        && random.u8(..12) == 0
    {
        spoil(random, options);
    }
    json!({ name: options })
}

/// Removes an option, or gives it another value.
fn spoil(random: &mut Rng, options: &mut Map<String, Value>) {
    let keys: Vec<_> = options.keys().cloned().collect();
    if keys.is_empty() {
        return;
    }
    let key = &keys[random.usize(..keys.len())];
    if random.bool() {
        options.remove(key);
    } else {
        options.insert(key.clone(), value(random, 1));
    }
}

fn replace(random: &mut Rng, depth: u8) -> Value {
    const PATTERNS: &[&str] = &[
        "a",
        "o",
        "l",
        ".",
        "$",
        " ",
        "L",
        "[",
        "(x",
        "12345678901",
        "é",
        "s",
        "k",
        "ß",
        "\\",
        "b.",
        "1",
    ];
    const WITH: &[&str] =
        &["", "_", "$&", "$$", "$`", "$'", "$1", "$<a>", "<$&$&>", "12345678901", "é", "$"];
    let mut options = json!({ "pattern": one(random, PATTERNS), "value": node(random, depth) });
    if random.u8(..4) > 0 {
        options["replacement"] = one(random, WITH).into();
    }
    if random.u8(..3) == 0 {
        options["pattern2"] = one(random, PATTERNS).into();
        if random.bool() {
            options["replacement2"] = one(random, WITH).into();
        }
    }
    for key in ["ignorecase", "global"] {
        if random.u8(..3) == 0 {
            options[key] = random.bool().into();
        }
    }
    options
}

fn array_path(random: &mut Rng, depth: u8) -> Value {
    let from = if random.u8(..3) > 0 { one(random, PATHS).into() } else { node(random, depth) };
    match random.u8(..6) {
        0 => json!([from]),
        1 => json!([from, {}]),
        2 => json!([from, node(random, depth)]),
        _ => json!([from, fields(random, depth.min(1))]),
    }
}
