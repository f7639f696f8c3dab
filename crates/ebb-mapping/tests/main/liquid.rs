//! Random Liquid templates: every tag and filter, odd arguments, things that are not quite right.

use fastrand::Rng;

const VALUES: &[&str] = &[
    "a",
    "b",
    "s",
    "n",
    "x",
    "y",
    "list",
    "list[0]",
    "list.first",
    "list.last.x",
    "list.size",
    "s.size",
    "properties",
    "properties.email",
    "properties['k space']",
    "properties[\"a.b\"]",
    "a.b",
    "a.b.c",
    "missing",
    "missing.deep",
    "\"Hello World\"",
    "'a,b,,c,'",
    "\"  pad ded  \"",
    "'<b>Tom & \"Jo\"</b>'",
    "'q\\'s'",
    "'tab\\tx\\u0041'",
    "12",
    "-3",
    "1.5",
    "0",
    "007",
    "true",
    "false",
    "nil",
    "empty",
    "blank",
    "(1..4)",
    "(1..n)",
    "'ünï çödé ß'",
    "'2020-01-02T03:04:05Z'",
    "'Mar 5 2021 4:05 PM'",
    "1700000000",
    "'1700000000'",
    "'not a date'",
    "'日本 go'",
    "\"a+b%20c\"",
    "'aGk='",
    "v",
    "w",
    "''",
    "list[n]",
    "list[-1]",
    "a[s]",
    "s[0]",
    "n.x",
    "true.x",
    "2",
    "['s']",
    "a.size",
    "'x' ",
];
const FILTERS: &[&str] = &[
    "escape",
    "xml_escape",
    "escape_once",
    "strip_html",
    "abs",
    "ceil",
    "floor",
    "round",
    "round: 1",
    "round: -1",
    "at_least: 5",
    "at_most: 2",
    "plus: 2",
    "minus: n",
    "times: 1.5",
    "modulo: 3",
    "divided_by: 4",
    "divided_by: 4, true",
    "divided_by: 0",
    "plus",
    "url_encode",
    "url_decode",
    "cgi_escape",
    "uri_escape",
    "slugify",
    "slugify: 'pretty'",
    "slugify: 'ascii'",
    "slugify: 'latin', true",
    "slugify: 'raw'",
    "slugify: 'none'",
    "join",
    "join: ', '",
    "first",
    "last",
    "size",
    "sum",
    "sum: 'x'",
    "compact",
    "push: 'z'",
    "unshift: n",
    "pop",
    "shift",
    "slice: 1",
    "slice: -2, 2",
    "slice: 0, 3",
    "where: 'x'",
    "where: 'x', 1",
    "date: '%Y-%m-%d %H:%M:%S'",
    "date: '%a %A %b %B %-d %e %j %y %p'",
    "date: '%I:%M %P %z %U %W %u %w %s %L %N %q %C'",
    "date",
    "date: '%^a %#b %_d %05Y %Q %%'",
    "date: '%F', -120",
    "date: '%H:%M %z', 330",
    "date_to_xmlschema",
    "date_to_rfc822",
    "date_to_string",
    "date_to_long_string: 'ordinal', 'US'",
    "date_to_string: 'ordinal'",
    "append: '!'",
    "prepend: s",
    "append",
    "lstrip",
    "rstrip",
    "strip",
    "strip: 'H ad'",
    "downcase",
    "upcase",
    "remove: 'l'",
    "remove_first: 'l'",
    "remove_last: 'l'",
    "split: ','",
    "split: ''",
    "strip_newlines",
    "capitalize",
    "replace: 'l', 'L'",
    "replace_first: 'l', '$&'",
    "replace_last: 'l', ''",
    "replace: '', '-'",
    "truncate: 5",
    "truncate: 7, '…'",
    "truncate",
    "truncatewords: 1",
    "truncatewords: 2, '--'",
    "normalize_whitespace",
    "number_of_words",
    "number_of_words: 'cjk'",
    "number_of_words: 'auto'",
    "base64_encode",
    "base64_decode",
    "default: 'none'",
    "default: 'none', allow_false: true",
    "json",
    "jsonify",
    "inspect",
    "json: 2",
    "to_integer",
    "raw",
    "nope",
    "nope: 1",
    "default",
    "default: n",
    "split: ' ' | join: '+'",
    "split: ',' | size",
    "append: n | upcase",
    "size | plus: 1",
];
const ODD: &[&str] = &[
    "map: 'x'",
    "sort",
    "uniq",
    "reverse",
    "concat: list",
    "type",
    "append 'x'",
    ": 'x'",
    "append: 'x' 'y'",
    "append: 'x', 'y'",
    "has: 'x'",
    "newline_to_br",
    "default:",
    "slice: 'x'",
];
const TESTS: &[&str] = &[
    "a",
    "missing",
    "s == 'Hello World'",
    "n > 1",
    "n <= 2.5",
    "n != 0 and s",
    "x or y",
    "not a",
    "s contains 'l'",
    "list contains 1",
    "list == empty",
    "s == blank",
    "missing == nil",
    "x == false",
    "'a' < 'b'",
    "s < n",
    "a and missing or s",
    "n == 1 or n == 0 and a",
    "list.size > 1",
    "nil == missing",
    "a == blank",
    "x",
    "s contains n",
    "empty == s",
    "n >= '1'",
    "not n == 1",
    "y == y",
    "x > nil",
    "list == list",
];

fn one<'t>(random: &mut Rng, of: &[&'t str]) -> &'t str {
    of[random.usize(..of.len())]
}

/// A template.
pub(crate) fn template(random: &mut Rng) -> String {
    let mut out = String::new();
    for _ in 0..random.usize(1..4) {
        part(random, 2, &mut out);
    }
    out
}

fn expression(random: &mut Rng) -> String {
    let mut text = one(random, VALUES).to_owned();
    for _ in 0..random.usize(..3) {
        let filter = if random.u8(..25) == 0 { one(random, ODD) } else { one(random, FILTERS) };
        text.extend([" | ", filter]);
    }
    text
}

fn dash(random: &mut Rng) -> &'static str {
    if random.u8(..6) == 0 { "-" } else { "" }
}

fn tag(random: &mut Rng, inner: &str, out: &mut String) {
    out.extend(["{%", dash(random), " ", inner, " ", dash(random), "%}"]);
}

#[expect(clippy::too_many_lines, reason = "one line or few for each tag")]
fn part(random: &mut Rng, depth: u8, out: &mut String) {
    let inner = |random: &mut Rng, out: &mut String| {
        if depth > 0 {
            part(random, depth - 1, out);
        }
    };
    match random.u8(..32) {
        0..12 => {
            let value = expression(random);
            out.extend(["{{", dash(random), " ", &*value, " ", dash(random), "}}"]);
        }
        12..15 => out.push_str(one(random, &[" text ", "\n", " - ", "}}", "%}", "{", "é"])),
        15 | 16 => {
            let value = expression(random);
            let name = one(random, &["v", "w", "s"]);
            tag(random, &format!("assign {name} = {value}"), out);
        }
        17 => {
            let name = one(random, &["capture v", "capture 'w'"]);
            tag(random, name, out);
            inner(random, out);
            tag(random, "endcapture", out);
        }
        18..23 => {
            let name = one(random, &["if", "if", "if", "unless"]);
            let test = one(random, TESTS);
            tag(random, &format!("{name} {test}"), out);
            inner(random, out);
            if random.u8(..3) == 0 {
                let test = one(random, TESTS);
                tag(random, &format!("elsif {test}"), out);
                inner(random, out);
            }
            if random.bool() {
                tag(random, "else", out);
                inner(random, out);
            }
            tag(random, &format!("end{name}"), out);
        }
        23 => {
            let name =
                one(random, &["increment c", "decrement c", "increment v", "increment missing"]);
            tag(random, name, out);
        }
        24 => {
            let name = one(random, &["cycle 'one', 'two'", "cycle s: n, 2", "cycle 0, ''"]);
            tag(random, name, out);
        }
        25 => {
            tag(random, "comment", out);
            inner(random, out);
            tag(random, "endcomment", out);
        }
        26 => {
            tag(random, "raw", out);
            out.push_str(" {{ a }} {% if %} ");
            tag(random, "endraw", out);
        }
        27 => {
            let value = expression(random);
            tag(random, &format!("echo {value}"), out);
        }
        28 => {
            let (test, value) = (one(random, TESTS), one(random, VALUES));
            let lines = format!("liquid\n assign v = {value}\n if {test}\n echo v\n endif\n");
            tag(random, &lines, out);
        }
        29 => tag(random, "# a comment", out),
        30 => {
            let odd = [
                "for i in list",
                "break",
                "endif",
                "else",
                "nope",
                "if",
                "assign v",
                "case n",
                "render 'x'",
                "block x",
                "cycle",
                "echo",
                "assign = 1",
                "if a else",
                "continue",
                "#x\n y",
            ];
            let odd = one(random, &odd);
            tag(random, odd, out);
        }
        _ => out.push_str(one(
            random,
            &[
                "{{ }}",
                "{{ a b }}",
                "{{ a",
                "{{ a | }}",
                "{% %}",
                "{{ @ }}",
                "{{ 'x }}",
                "{{ a.}}",
                "{{ a[0 }}",
                "{{-}}",
                "{{ a..b }}",
            ],
        )),
    }
}
