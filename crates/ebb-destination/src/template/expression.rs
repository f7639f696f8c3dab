//! One expression: compiled from minijinja's syntax tree to what a manifest may say.

use std::borrow::Cow;

use ebb_core::{Object, Value, suggest};
use minijinja::{
    machinery::{ast, parse_expr},
    value::ValueKind,
};

use super::{
    filter::Filter,
    scope::{Names, Scope},
};

/// A compiled expression. Evaluating to `None` is "undefined".
#[derive(Debug, Clone)]
pub(crate) enum Expression {
    /// A value that was known at compile time.
    Constant(Value<'static>),
    /// What is never there.
    Undefined,
    /// A path into the payload; empty for the whole payload.
    Field(Vec<String>),
    /// The time in milliseconds.
    Now,
    /// A random identifier.
    RandomId,
    /// The item, in a request's body.
    Item,
    /// All items, in a request's body.
    Items,
    /// A filter on an input.
    Filter(Filter, Box<Self>, Vec<Self>),
    /// A list; what is undefined becomes null.
    List(Vec<Self>),
    /// An object; what is undefined is left out.
    Map(Vec<(String, Self)>),
}

/// A value that may still lie in the payload.
pub(crate) type Got<'v> = Option<Found<'v>>;

/// A borrowed or a made value.
#[derive(Debug)]
pub(crate) enum Found<'v> {
    /// Lies in the payload or in the manifest.
    There(&'v Value<'v>),
    /// Was made by a filter.
    Made(Value<'v>),
}

impl<'v> Found<'v> {
    /// The value, to look at.
    pub(crate) fn get(&self) -> &Value<'v> {
        match self {
            Self::There(value) => value,
            Self::Made(value) => value,
        }
    }

    /// The value, to keep; text that lies elsewhere stays there.
    pub(crate) fn into_value(self) -> Value<'v> {
        match self {
            Self::There(value) => value.borrowed(),
            Self::Made(value) => value,
        }
    }
}

impl Expression {
    /// Compiles the text between `{{` and `}}`. The error is one sentence.
    pub(crate) fn compile(source: &str, names: &Names) -> Result<Self, String> {
        let tree = parse_expr(source)
            .map_err(|error| format!("`{}` is not an expression: {error}", source.trim()))?;
        Self::from_tree(&tree, names)
    }

    fn from_tree(tree: &ast::Expr<'_>, names: &Names) -> Result<Self, String> {
        match tree {
            ast::Expr::Const(constant) => Ok(Self::Constant(constant_value(&constant.value)?)),
            ast::Expr::Var(_) | ast::Expr::GetAttr(_) | ast::Expr::GetItem(_) => {
                let mut path = Vec::new();
                path_of(tree, &mut path)?;
                Self::from_path(path, names)
            }
            ast::Expr::Filter(filter) => {
                let named = Filter::named(filter.name).ok_or_else(|| {
                    let known = Filter::ALL.iter().map(|(name, _)| *name);
                    format!(
                        "`{}` is not a filter. {}",
                        filter.name,
                        suggest::allowed(filter.name, known)
                    )
                })?;
                let input = filter.expr.as_ref().ok_or("a filter needs a value before it")?;
                let input = Self::from_tree(input, names)?;
                let arguments: Vec<Self> = arguments(&filter.args).and_then(|list| {
                    list.into_iter().map(|it| Self::from_tree(it, names)).collect()
                })?;
                named.check(&arguments)?;
                Ok(Self::Filter(named, Box::new(input), arguments).folded())
            }
            ast::Expr::List(list) => {
                let items = list.items.iter().map(|item| Self::from_tree(item, names));
                Ok(Self::List(items.collect::<Result<_, _>>()?).folded())
            }
            ast::Expr::Map(map) => {
                let entries = map.keys.iter().zip(&map.values).map(|(key, value)| {
                    let ast::Expr::Const(key) = key else {
                        return Err("the keys of an object must be plain text".to_owned());
                    };
                    let key = key.value.as_str().ok_or("the keys of an object must be text")?;
                    Ok((key.to_owned(), Self::from_tree(value, names)?))
                });
                Ok(Self::Map(entries.collect::<Result<_, _>>()?).folded())
            }
            ast::Expr::Slice(_)
            | ast::Expr::UnaryOp(_)
            | ast::Expr::BinOp(_)
            | ast::Expr::Compare(_)
            | ast::Expr::IfExpr(_)
            | ast::Expr::Test(_)
            | ast::Expr::Call(_)
            | ast::Expr::Tuple(_) => Err(format!(
                "a leaf is a name with filters, nothing else: no {}",
                tree.description()
            )),
        }
    }

    fn from_path(path: Vec<String>, names: &Names) -> Result<Self, String> {
        let mut parts = path.into_iter();
        let root = parts.next().unwrap_or_default();
        let rest: Vec<String> = parts.collect();
        let first = rest.first().map(String::as_str);
        match (root.as_str(), first) {
            ("field", None) if names.fields.is_some() => Ok(Self::Field(rest)),
            ("field", Some(name)) => match &names.fields {
                Some(known) if known.iter().any(|key| key == name) => Ok(Self::Field(rest)),
                Some(known) => Err(undeclared("field", name, known.iter().map(String::as_str))),
                None => Err(format!("`field.{name}` cannot be used here: no record is at hand")),
            },
            ("settings", Some(name)) if rest.len() == 1 => {
                if names.hidden.iter().any(|hidden| hidden == name) {
                    return Err(format!(
                        "`settings.{name}` is secret and may be used in `auth` alone"
                    ));
                }
                if let Some(value) = names.settings.get(name) {
                    return Ok(Self::Constant(value.clone()));
                }
                if names.unset.iter().any(|unset| unset == name) {
                    return Ok(Self::Undefined);
                }
                let known = names.settings.keys().chain(names.unset.iter().map(String::as_str));
                Err(undeclared("settings", name, known.collect::<Vec<_>>()))
            }
            ("run", Some("now")) => Ok(Self::Now),
            ("run", Some("random_id")) => Ok(Self::RandomId),
            ("run", Some("sync_mode")) => Ok(names
                .sync_mode
                .as_ref()
                .map_or(Self::Undefined, |mode| Self::Constant(mode.clone().into()))),
            ("hook", Some(name)) => {
                let found = names.hooks.get(name);
                let found =
                    rest.iter().skip(1).fold(found, |found, key| found?.as_object()?.get(key));
                Ok(found.map_or(Self::Undefined, |value| Self::Constant(value.clone())))
            }
            ("item", None) if names.items => Ok(Self::Item),
            ("items", None) if names.items => Ok(Self::Items),
            (_, Some(name)) => Err(format!("`{root}.{name}` is not declared")),
            (_, None) => Err(undeclared_root(&root, names)),
        }
    }

    /// What needs no record is worked out once.
    fn folded(self) -> Self {
        match self {
            Self::Filter(filter, input, arguments)
                if input.is_constant() && arguments.iter().all(Self::is_constant) =>
            {
                let input_value = input.constant().cloned();
                let values = arguments.iter().map(|it| it.constant().cloned()).collect::<Vec<_>>();
                match filter.apply(input_value, values) {
                    Some(value) => Self::Constant(value.into_owned()),
                    None => Self::Undefined,
                }
            }
            Self::List(items) if items.iter().all(Self::is_constant) => Self::Constant(
                items
                    .iter()
                    .map(|it| it.constant().cloned().unwrap_or_default())
                    .collect::<Vec<_>>()
                    .into(),
            ),
            Self::Map(entries) if entries.iter().all(|(_, value)| value.is_constant()) => {
                let entries = entries
                    .into_iter()
                    .filter_map(|(key, value)| Some((Cow::Owned(key), value.constant()?.clone())));
                Self::Constant(Value::Object(entries.collect::<Object<'static>>()))
            }
            other @ (Self::Constant(_)
            | Self::Undefined
            | Self::Field(_)
            | Self::Now
            | Self::RandomId
            | Self::Item
            | Self::Items
            | Self::Filter(..)
            | Self::List(_)
            | Self::Map(_)) => other,
        }
    }

    /// Whether the value is the same for every record.
    pub(crate) const fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_) | Self::Undefined)
    }

    /// The value, if it is the same for every record and there is one.
    pub(crate) const fn constant(&self) -> Option<&Value<'static>> {
        if let Self::Constant(value) = self { Some(value) } else { None }
    }

    /// The value for a record; `None` is undefined.
    pub(crate) fn evaluate<'v>(&'v self, scope: Scope<'v>) -> Got<'v> {
        match self {
            Self::Constant(value) => Some(Found::There(value)),
            Self::Undefined | Self::Item | Self::Items => None,
            Self::Field(path) => scope.field.at(path),
            Self::Now => Some(Found::Made(scope.run.now().into())),
            Self::RandomId => Some(Found::Made(scope.run.random_id().into())),
            Self::Filter(filter, input, arguments) => {
                let input = input.evaluate(scope);
                // The second choice is not asked for when the first is there: chance moves on.
                if filter.is_settled(input.as_ref().map(Found::get)) {
                    return input;
                }
                let arguments = arguments
                    .iter()
                    .map(|it| it.evaluate(scope).map(Found::into_value))
                    .collect::<Vec<_>>();
                filter.apply(input.map(Found::into_value), arguments).map(Found::Made)
            }
            Self::List(items) => {
                let items = items
                    .iter()
                    .map(|it| it.evaluate(scope).map(Found::into_value).unwrap_or_default());
                Some(Found::Made(Value::Array(items.collect())))
            }
            Self::Map(entries) => {
                let mut object = Object::with_capacity(entries.len());
                for (key, value) in entries {
                    if let Some(value) = value.evaluate(scope) {
                        object.insert(key.as_str(), value.into_value());
                    }
                }
                Some(Found::Made(object.into()))
            }
        }
    }
}

fn path_of(tree: &ast::Expr<'_>, path: &mut Vec<String>) -> Result<(), String> {
    match tree {
        ast::Expr::Var(variable) => path.push(variable.id.to_owned()),
        ast::Expr::GetAttr(attribute) => {
            path_of(&attribute.expr, path)?;
            path.push(attribute.name.to_owned());
        }
        ast::Expr::GetItem(item) => {
            path_of(&item.expr, path)?;
            let ast::Expr::Const(key) = &item.subscript_expr else {
                return Err("a key in brackets must be plain text".to_owned());
            };
            path.push(key.value.as_str().ok_or("a key in brackets must be text")?.to_owned());
        }
        ast::Expr::Const(_)
        | ast::Expr::Slice(_)
        | ast::Expr::UnaryOp(_)
        | ast::Expr::BinOp(_)
        | ast::Expr::Compare(_)
        | ast::Expr::IfExpr(_)
        | ast::Expr::Filter(_)
        | ast::Expr::Test(_)
        | ast::Expr::Call(_)
        | ast::Expr::List(_)
        | ast::Expr::Tuple(_)
        | ast::Expr::Map(_) => {
            return Err("a path starts with `field`, `settings` or `run`".to_owned());
        }
    }
    Ok(())
}

fn arguments<'t, 's>(list: &'t [ast::CallArg<'s>]) -> Result<Vec<&'t ast::Expr<'s>>, String> {
    list.iter()
        .map(|argument| match argument {
            ast::CallArg::Pos(tree) => Ok(tree),
            ast::CallArg::Kwarg(..) | ast::CallArg::PosSplat(_) | ast::CallArg::KwargSplat(_) => {
                Err("a filter's arguments have no names".to_owned())
            }
        })
        .collect()
}

fn constant_value(value: &minijinja::Value) -> Result<Value<'static>, String> {
    let not_plain = || format!("`{value}` is not a plain value");
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other kind is written as a constant")]
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Ok(Value::Null),
        ValueKind::Bool => Ok(value.is_true().into()),
        ValueKind::String => Ok(value.as_str().unwrap_or_default().to_owned().into()),
        ValueKind::Number => match value.as_i64() {
            Some(number) if !value.to_string().contains('.') => Ok(number.into()),
            _ => value.to_string().parse::<f64>().map(Into::into).map_err(|_| not_plain()),
        },
        _ => Err(not_plain()),
    }
}

fn undeclared<'a>(
    root: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    format!("`{root}.{name}` is not declared. {}", suggest::allowed(name, known))
}

fn undeclared_root(root: &str, names: &Names) -> String {
    let mut known = vec!["settings", "run"];
    if names.fields.is_some() {
        known.push("field");
    }
    if names.items {
        known.extend(["item", "items"]);
    }
    format!("`{root}` is not declared. {}", suggest::allowed(root, known))
}
