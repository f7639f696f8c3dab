// The list of suggestions below the caret of the SQL editor. It opens while a name is typed and on Ctrl-Space;
// arrows choose, Enter and Tab take, Escape closes. Where nothing is chosen, all keys do what they always do.

import { say } from "./ebb.js";
import { suggest } from "./complete.js";
import { sourceField, tablesOf } from "./source-tables.js";

/** The rectangle of a letter in the text that lies below the text area. */
function placeOf(layer, offset) {
  const walk = document.createTreeWalker(layer, NodeFilter.SHOW_TEXT);
  let rest = offset;
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (rest < node.length) {
      const range = document.createRange();
      range.setStart(node, rest);
      range.setEnd(node, rest + 1);
      return range.getBoundingClientRect();
    }
    rest -= node.length;
  }
  return layer.getBoundingClientRect();
}

const part = (kind, text) => {
  const span = document.createElement("span");
  span.className = kind;
  span.textContent = text;
  return span;
};

/** Gives a text area its suggestions. What it gives is asked about each key first: true if the key was taken. */
export function suggestions(area, layer) {
  const list = document.createElement("ul");
  list.id = `${area.id}-suggestions`;
  list.className = "suggestions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  list.popover = "manual";
  area.closest(".editor").append(list);
  area.setAttribute("aria-autocomplete", "list");

  let tables = [];
  let shown = null;
  let chosen = -1;

  const source = () => sourceField(area.form)?.value ?? "";
  const load = async () => {
    const asked = source();
    // Words of SQL are suggested all the same where the source does not answer.
    const told = await tablesOf(asked).catch(() => []);
    if (asked === source()) tables = told;
  };

  const close = () => {
    if (!shown) return;
    shown = null;
    list.hidePopover();
    area.removeAttribute("aria-controls");
    area.removeAttribute("aria-activedescendant");
  };
  const choose = (number) => {
    chosen = number;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === number)));
    const item = list.children[number];
    if (!item) return area.removeAttribute("aria-activedescendant");
    area.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  };
  const take = (number) => {
    const { from, to, options } = shown;
    area.setSelectionRange(from, to);
    close();
    // Unlike setting the value, this can be undone.
    document.execCommand("insertText", false, options[number].text);
    close();
  };

  /** Below the beginning of what is replaced, or above it where there is no room. */
  const lay = () => {
    const letter = placeOf(layer, shown.from);
    const left = Math.min(letter.left, innerWidth - list.offsetWidth - 8);
    const below = letter.bottom + 4 + list.offsetHeight <= innerHeight;
    list.style.left = `${Math.max(left, 8)}px`;
    list.style.top = `${below ? letter.bottom + 4 : Math.max(letter.top - list.offsetHeight - 4, 8)}px`;
  };
  const open = (wanted) => {
    list.replaceChildren(
      ...wanted.options.map((option, number) => {
        const item = document.createElement("li");
        item.id = `${list.id}-${number}`;
        item.setAttribute("role", "option");
        item.append(part(`kind ${option.kind}`, option.kind), part("name", option.label), part("detail", option.detail));
        item.addEventListener("click", () => take(number));
        return item;
      }),
    );
    const before = shown;
    shown = wanted;
    list.showPopover();
    lay();
    area.setAttribute("aria-controls", list.id);
    // A name that is whole already is not taken in place of a new line.
    choose(wanted.options[0].label.toLowerCase() === wanted.word.toLowerCase() ? -1 : 0);
    if (!before) say(`${wanted.options.length} suggestions`);
  };
  const look = (asked) => {
    const place = area.selectionStart;
    const wanted = place === area.selectionEnd ? suggest(area.value, place, tables) : null;
    const whole = wanted?.options.length === 1 && wanted.options[0].text === wanted.word;
    if (wanted && !whole && (asked || wanted.word || wanted.after)) open(wanted);
    else close();
  };

  area.addEventListener("focus", load);
  sourceField(area.form)?.addEventListener("change", load);
  area.addEventListener("input", (event) => {
    const typed = event.inputType === "insertText" || event.inputType === "deleteContentBackward";
    if (typed && document.activeElement === area) look(false);
    else close();
  });
  area.addEventListener("blur", close);
  area.addEventListener("click", close);
  addEventListener("scroll", (event) => event.target !== list && close(), true);
  addEventListener("resize", () => shown && lay());
  list.addEventListener("mousedown", (event) => event.preventDefault());

  const keys = {
    ArrowDown: () => choose((chosen + 1) % shown.options.length),
    ArrowUp: () => choose((Math.max(chosen, 0) - 1 + shown.options.length) % shown.options.length),
    Enter: () => chosen >= 0 && (take(chosen), true),
    Tab: () => chosen >= 0 && (take(chosen), true),
    Escape: close,
  };
  return (event) => {
    if (event.isComposing) return false;
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      load().then(() => look(true));
      return true;
    }
    if (!shown) return false;
    const does = Object.hasOwn(keys, event.key) && !event.ctrlKey && !event.metaKey && !event.shiftKey ? keys[event.key] : null;
    if (!does || does() === false) {
      if (!["Shift", "Control", "Alt", "Meta", "Backspace"].includes(event.key) && event.key.length > 1) close();
      return false;
    }
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
}
