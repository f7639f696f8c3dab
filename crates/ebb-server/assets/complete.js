// What the SQL editor suggests: tables and columns of the source, and words of SQL. Pure of the page: it takes
// a text and a place in it, and gives a list.

/** Words of SQL, in the order of a query. */
export const KEYWORDS = (
  "select distinct from join inner left right full outer cross lateral natural on using where group by having " +
  "order limit offset union intersect except with recursive as and or not in is null like between exists case " +
  "when then else end cast asc desc nulls first last over partition rows range preceding following unbounded " +
  "row table values true false interval current_date current_timestamp qualify window within unnest into all any"
).split(" ");

// Comments, texts, quoted names, numbers, words.
export const PIECE =
  /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|('(?:[^']|'')*'?)|("(?:[^"]|"")*"?|`[^`]*`?)|(\b\d+(?:\.\d+)?\b)|([A-Za-z_]\w*)/g;

const NAME = String.raw`(?:"(?:[^"]|"")+"|\`[^\`]+\`|\[[^\]]+\]|[A-Za-z_][\w$]*)`;
/** Tables that a query reads, each with the name that the query gives it. */
const READ = new RegExp(String.raw`(?:\bfrom|\bjoin|,)\s+(${NAME}(?:\s*\.\s*${NAME})*)(?:\s+(?:as\s+)?(${NAME}))?`, "gi");
/** What a table's own name would be if these words followed it. */
const NO_ALIAS = new Set(
  "where join inner left right full outer cross natural on using group order having limit offset union intersect except qualify window lateral tablesample".split(" "),
);
const MOST = 40;

/** A name without its quotes, as it is compared. */
const bare = (name) => name.replace(/^["`[]|["`\]]$/g, "").replace(/""/g, '"').toLowerCase();
/** The last name of a path. */
const last = (path) => bare(path.match(new RegExp(NAME, "g")).pop());

/** A text without its comments and texts, at the same length; `null` if a place lies within one of them. */
function code(text, place) {
  let plain = text;
  for (const found of text.matchAll(PIECE)) {
    const [piece, comment, literal] = found;
    if (!comment && !literal) continue;
    const [start, end] = [found.index, found.index + piece.length];
    const open = comment ? piece.startsWith("--") || !piece.endsWith("*/") : !/^'(?:[^']|'')*'$/.test(piece);
    if (place > start && (place < end || (open && place === end))) return null;
    plain = plain.slice(0, start) + " ".repeat(piece.length) + plain.slice(end);
  }
  return plain;
}

/** The tables that a query reads, with the names by which it calls them. */
function read(plain, tables) {
  const found = [];
  for (const [, path, alias] of plain.matchAll(READ)) {
    const name = last(path);
    const table = tables.find((one) => bare(one.sql) === bare(path) || bare(one.name) === name);
    if (!table) continue;
    const called = alias && !NO_ALIAS.has(alias.toLowerCase()) ? bare(alias) : name;
    found.push({ called, table });
  }
  return found;
}

const column = (one) => ({ text: one.sql, label: one.name, kind: "column", detail: one.native });
const table = (one) => ({ text: one.sql, label: one.name, kind: "table", detail: one.schema });

/**
 * What could stand at a place of a query: `from` and `to` are what is replaced, `options` what by. Nothing is
 * given within comments and texts, and where nothing begins as what is written does.
 */
export function suggest(text, place, tables) {
  const plain = code(text, place);
  if (plain === null) return null;
  const before = plain.slice(0, place);
  const word = /[A-Za-z_]?[\w$]*$/.exec(before)[0];
  const from = place - word.length;
  const owner = new RegExp(String.raw`(${NAME})\s*\.\s*$`).exec(before.slice(0, from))?.[1];
  const known = read(plain, tables);
  let options = [];
  if (owner) {
    const called = bare(owner);
    const columns = known.find((one) => one.called === called)?.table
      ?? tables.find((one) => bare(one.name) === called);
    options = columns
      ? columns.columns.map(column)
      : tables.filter((one) => one.schema.toLowerCase() === called)
          .map((one) => ({ ...table(one), text: one.sql.match(new RegExp(NAME, "g")).pop() }));
  } else {
    const wantsTable = /(?:\bfrom|\bjoin)\s+$|\bfrom\s+[^()]*,\s*$/i.test(before.slice(0, from));
    const upper = /[A-Z]/.test(word) && word === word.toUpperCase();
    const words = KEYWORDS.map((one) => ({ text: upper ? one.toUpperCase() : one, label: one, kind: "word", detail: "" }));
    const columns = known.flatMap((one) => one.table.columns.map(column));
    // Who has typed nothing looks for names; a word that is typed is more often one of SQL.
    const named = tables.map(table);
    options = wantsTable || word === "" ? [...(wantsTable ? [] : columns), ...named, ...words] : [...columns, ...words, ...named];
  }
  const asked = word.toLowerCase();
  const rank = (one) => {
    const label = one.label.toLowerCase();
    if (label === asked) return -1;
    const at = label.indexOf(asked);
    return at < 0 ? 3 : Math.min(at, 1) + (one.kind === "word" && at > 0 ? 3 : 0);
  };
  const seen = new Set();
  const fitting = options
    .map((one) => ({ ...one, rank: rank(one) }))
    .filter((one) => one.rank < 3 && !seen.has(one.text) && seen.add(one.text))
    .sort((one, other) => one.rank - other.rank)
    .slice(0, MOST);
  return fitting.length === 0 ? null : { from, to: place, word, after: Boolean(owner), options: fitting };
}
