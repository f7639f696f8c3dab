// What pages need of the browser beyond links, forms and htmx.

// Keys: "/" goes to the search field of the page.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const search = document.querySelector('input[type="search"]');
  if (!search) return;
  event.preventDefault();
  search.focus();
});

// Enter in such a field presses the button that it names, not the form's own.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !event.target.matches("[data-enter]")) return;
  event.preventDefault();
  document.getElementById(event.target.dataset.enter).click();
});

// Selects of filters send their form at once.
document.addEventListener("change", (event) => {
  const field = event.target.closest("[data-submit]");
  if (field) field.form.requestSubmit();
});

// Copies the text of the element that a button names.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).textContent;
  await navigator.clipboard.writeText(text);
  say("Copied");
});

// A link to be sent to somebody: whoever makes it reaches the server at the address that it needs.
for (const shown of document.querySelectorAll(".once")) {
  if (shown.textContent.startsWith("/")) shown.textContent = new URL(shown.textContent, location.href).href;
}

// Dialogs: a button names the one it opens.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog).showModal();
  const closer = event.target.closest("[data-close]");
  if (closer) closer.closest("dialog").close();
});

// A running sync tells how far it is; the part of the page that shows it loads itself anew.
const streams = new Map();
function follow() {
  for (const [part, stream] of streams) {
    if (part.isConnected) continue;
    stream.close();
    streams.delete(part);
  }
  for (const part of document.querySelectorAll("[data-progress]")) {
    if (streams.has(part)) continue;
    const stream = new EventSource(part.dataset.progress);
    stream.addEventListener("progress", () => htmx.trigger(part, "progress"));
    stream.addEventListener("error", () => stream.close());
    streams.set(part, stream);
  }
}
document.addEventListener("DOMContentLoaded", follow);
document.addEventListener("htmx:afterSettle", follow);
follow();

// Tells people who listen to the page.
export function say(text) {
  document.getElementById("live").textContent = text;
}

// A status that changes by itself is told to them; the counters beside it are not.
const statuses = new Map();
function compare() {
  const changes = [];
  for (const part of document.querySelectorAll("[data-told]")) {
    const [whose, status] = [part.dataset.told, part.textContent.trim()];
    if ((statuses.get(whose) ?? status) !== status) changes.push(`${whose}: ${status}`);
    statuses.set(whose, status);
  }
  if (changes.length > 0) say(changes.join(", "));
}
document.addEventListener("htmx:afterSettle", compare);
compare();

// What people opened or closed stays so when the part of the page around it is replaced.
document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  for (const details of detail.target.querySelectorAll("details[id]")) {
    const same = detail.fragment.querySelector(`#${CSS.escape(details.id)}`);
    if (same) same.open = details.open;
  }
});
let opened = [];
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  opened = [...detail.target.querySelectorAll("details[id][open]")].map((details) => details.id);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of opened.splice(0)) document.getElementById(id)?.setAttribute("open", "");
});

// A form that came back with something wrong in it: to the first field that is.
document.addEventListener("htmx:afterSettle", (event) => {
  const form = event.target.closest?.("[data-errors]") ?? document.querySelector("[data-errors]");
  if (event.detail.requestConfig?.verb !== "post" || event.target !== form) return;
  const wrong = form.querySelector('[aria-invalid="true"], [role="alert"]');
  if (!wrong) return;
  wrong.closest("details")?.setAttribute("open", "");
  if (wrong.matches("[role=alert]")) wrong.scrollIntoView({ block: "center" });
  else wrong.focus();
});

// What was wrong with a value is not said of what takes its place.
document.addEventListener("input", ({ target: field }) => {
  if (!field.matches('[aria-invalid="true"]')) return;
  field.removeAttribute("aria-invalid");
  const told = `${field.id}-wrong`;
  document.getElementById(told)?.remove();
  const others = (field.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id !== told);
  field.setAttribute("aria-describedby", others.join(" "));
});

// A test tells its steps while it works: what has come so far is shown.
document.addEventListener("htmx:beforeSend", ({ detail: { xhr, target } }) => {
  if (!target.matches("[data-streams]")) return;
  xhr.addEventListener("progress", () => {
    if (xhr.status !== 200) return;
    const part = new DOMParser().parseFromString(xhr.responseText, "text/html").getElementById(target.id);
    if (part) target.replaceChildren(...part.childNodes);
  });
});
