// The SQL editor: a real text area over its own text in colours. Without this script the text area is
// all there is, and works.

import { KEYWORDS, PIECE } from "./complete.js";
import { suggestions } from "./suggestions.js";
import { browse } from "./tables.js";

const WORDS = new Set(KEYWORDS);

/** Draws SQL into an element. Text is set as text: nothing in it is ever read as HTML. */
function draw(sql, element) {
  const drawn = document.createDocumentFragment();
  const add = (text, kind) => {
    if (!kind) return drawn.append(text);
    const span = document.createElement("span");
    span.className = kind;
    span.textContent = text;
    drawn.append(span);
  };
  let end = 0;
  for (const found of sql.matchAll(PIECE)) {
    const [text, comment, literal, , number, word] = found;
    drawn.append(sql.slice(end, found.index));
    end = found.index + text.length;
    if (comment) add(text, "c");
    else if (literal || number) add(text, "s");
    else if (word && WORDS.has(word.toLowerCase())) add(text, "k");
    else if (word && /^\s*\(/.test(sql.slice(end, end + 8))) add(text, "f");
    else add(text);
  }
  // A last empty line has a height too.
  drawn.append(sql.slice(end), "\n");
  element.replaceChildren(drawn);
}

/** Makes an editor of its element, once. */
function begin(editor) {
  if (editor.classList.contains("live")) return;
  const area = editor.querySelector("textarea");
  const layer = editor.querySelector("pre");
  const numbers = editor.querySelector(".gut");
  editor.classList.add("live");

  const show = () => {
    draw(area.value, layer);
    const lines = Math.max(area.value.split("\n").length, 12);
    numbers.textContent = Array.from({ length: lines }, (_, line) => line + 1).join("\n");
  };
  area.addEventListener("input", show);
  const suggested = suggestions(area, layer);
  area.addEventListener("keydown", (event) => {
    if (suggested(event)) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      document.getElementById("run")?.click();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      indent(event, area);
    }
  });
  show();
  browse(area);
}

/** A new line begins below the first word of the one before. Tab is left alone: it leaves the editor. */
function indent(event, area) {
  const before = area.value.slice(0, area.selectionStart);
  const space = /(?:^|\n)([ \t]*)[^\n]*$/.exec(before)?.[1];
  if (!space) return;
  event.preventDefault();
  // Unlike setting the value, this can be undone.
  document.execCommand("insertText", false, `\n${space}`);
}

const all = (root) => root.querySelectorAll("[data-editor]").forEach(begin);
all(document);
document.addEventListener("htmx:load", (event) => all(event.detail.elt.parentNode ?? document));
