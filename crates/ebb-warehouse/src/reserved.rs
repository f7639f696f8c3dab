//! Words that no query takes for a name.

/// Those that one engine or another reserves, in order.
const RESERVED: &[&str] = &[
    "all", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "between", "both", "by", "case", "cast",
    "check", "collate", "column", "condition", "constraint", "create", "cross", "cube", "current",
    "current_catalog", "current_date", "current_role", "current_schema", "current_time", "current_timestamp",
    "current_user", "database", "default", "deferrable", "delete", "desc", "describe", "distinct", "do", "drop",
    "else", "end", "except", "exists", "explain", "false", "fetch", "following", "for", "foreign",
    "freeze", "from", "full", "function", "grant", "group", "grouping", "groups", "having", "if",
    "ignore", "ilike", "in", "index", "initially", "inner", "insert", "intersect", "interval", "into", "is",
    "join", "key", "lateral", "leading", "left", "like", "limit", "localtime", "localtimestamp",
    "merge", "minus", "natural", "new", "no", "not", "null", "nulls", "of", "offset", "old", "on", "only",
    "open", "or", "order", "outer", "over", "overlaps", "partition", "percent", "pivot", "placing",
    "preceding", "primary", "procedure", "qualify", "range", "read", "recursive", "references",
    "regexp", "respect", "returning", "right", "rlike", "rollup", "row", "rows", "rule", "sample", "schema",
    "select", "session_user", "set", "similar", "some", "start", "struct", "symmetric", "system", "table",
    "tablesample", "then", "to", "top", "trailing", "transaction", "treat", "trigger", "true", "try_cast",
    "unbounded", "union", "unique", "unnest", "unpivot", "update", "user", "using", "values", "variadic",
    "verbose", "view", "when", "whenever", "where", "window", "with", "within",
];

/// Whether a name must be quoted because it is a word of SQL.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.binary_search(&name.to_lowercase().as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{RESERVED, is_reserved};

    #[test]
    fn words_are_found_in_any_case() {
        assert!(RESERVED.is_sorted());
        assert!(is_reserved("Order") && is_reserved("user") && is_reserved("WITH"));
        assert!(!is_reserved("email") && !is_reserved("customers"));
    }
}
