// The tables of sources with their columns, as the server tells them: asked for once a page.

const known = new Map();

/** The tables of a source; fails if it does not tell them. `anew` has the source asked again. */
export function tablesOf(source, anew = false) {
  if (!source) return Promise.resolve([]);
  if (anew) known.delete(source);
  if (!known.has(source)) {
    const asked = fetch(`/api/v1/sources/${encodeURIComponent(source)}/tables?refresh=${anew}`)
      .then((answer) => answer.json().then((told) => (answer.ok ? told.items : Promise.reject(new Error(told.detail)))));
    asked.catch(() => known.delete(source));
    known.set(source, asked);
  }
  return known.get(source);
}

/** The field of a form that names the source. */
export const sourceField = (form) => form?.elements.namedItem("source");
