// The tables of the source beside the SQL editor: searched by name, opened to their columns, written into the
// query where the caret stands.

import { sourceField, tablesOf } from "./source-tables.js";

/** More are found by searching. */
const MOST = 50;

const element = (name, className, ...content) => {
  const made = document.createElement(name);
  made.className = className;
  made.append(...content);
  return made;
};

/** Fills the list beside an editor's text area. */
export function browse(area) {
  const card = area.form?.querySelector("[data-tables]");
  const source = sourceField(area.form);
  if (!card || !source) return;
  const [search, list, said] = ["input", "ul", "p"].map((name) => card.querySelector(name));
  let tables = [];

  const write = (text) => {
    area.focus();
    // Unlike setting the value, this can be undone.
    document.execCommand("insertText", false, text);
  };
  const button = (text, label) => {
    const made = element("button", "name", label);
    made.type = "button";
    made.title = `Write ${text} into the query`;
    made.addEventListener("click", () => write(text));
    return made;
  };
  const line = (table) => {
    const columns = table.columns.map((column) =>
      element("li", "", button(column.sql, column.name), element("span", "detail", column.native)));
    return element("li", "", element("details", "", element("summary", "", table.sql), element("ul", "", ...columns),
      button(table.sql, "Write the table’s name")));
  };
  const show = () => {
    const asked = search.value.trim().toLowerCase();
    const fits = (name) => name.toLowerCase().includes(asked);
    const found = tables.filter((table) => fits(table.sql) || table.columns.some((column) => fits(column.name)));
    list.replaceChildren(...found.slice(0, MOST).map(line));
    const more = found.length - MOST;
    said.textContent = found.length === 0 ? "No table or column is called so." : more > 0 ? `${more} more: search for them.` : "";
  };
  const load = async (anew) => {
    card.hidden = source.value === "";
    const asked = source.value;
    tables = [];
    list.replaceChildren();
    said.textContent = "Asking the source…";
    try {
      const told = await tablesOf(asked, anew);
      if (asked !== source.value) return;
      tables = told;
      show();
    } catch (error) {
      if (asked === source.value) said.textContent = error.message;
    }
  };
  search.addEventListener("input", show);
  card.querySelector("[data-refresh]").addEventListener("click", () => load(true));
  source.addEventListener("change", () => load(false));
  load(false);
}
