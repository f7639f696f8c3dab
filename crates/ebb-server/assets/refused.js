// What htmx asked for and did not get is told in a notice that stays. Nothing that was typed is touched.
const place = document.getElementById("refused");

// Events by which people ask. Everything else asks by itself, again and again.
const WISHES = ["click", "submit", "change", "keydown"];
const wished = (asked) => WISHES.includes(asked.requestConfig?.triggeringEvent?.type);

// What was told last of parts that ask by themselves: they say it once, closed or not.
let before = "";

const strong = (textContent) => Object.assign(document.createElement("b"), { textContent });
const line = () => document.createElement("br");

function tell(asked, said) {
  const notice = document.getElementById("refusal").content.firstElementChild.cloneNode(true);
  notice.querySelector(".grow").append(...said);
  if (!wished(asked)) {
    if (notice.textContent === before) return;
    before = notice.textContent;
    notice.dataset.byItself = "";
  }
  place.replaceChildren(notice);
}

function signedOut() {
  const href = "/sign-in";
  const link = Object.assign(document.createElement("a"), { href, target: "_blank", textContent: "Sign in in another tab" });
  return [strong("You are signed out."), line(), link, ", then try again. What you typed stays here."];
}

// Somebody signed in again meanwhile: forms bear the mark of that session from now on.
function renewed(answer) {
  const mark = answer.querySelector("[name=csrf]")?.value;
  const own = document.querySelectorAll("[name=csrf]");
  if (!mark || [...own].every((field) => field.value === mark)) return false;
  document.body.setAttribute("hx-headers", answer.body.getAttribute("hx-headers"));
  for (const field of own) field.value = mark;
  return true;
}

// What an answer says: a problem document, or the notices of a page.
function saidBy(xhr) {
  const { status, responseText } = xhr;
  if (status === 401) return signedOut();
  if (xhr.getResponseHeader("content-type")?.startsWith("application/problem+json")) {
    const { detail, remedy } = JSON.parse(responseText);
    return [strong(detail), line(), remedy];
  }
  const answer = new DOMParser().parseFromString(responseText, "text/html");
  if (status === 403 && renewed(answer)) {
    return [strong("You signed in anew, and the form was of the session before."), line(), "Try again. What you typed stays here."];
  }
  const said = [...answer.querySelectorAll("main [role=alert] .grow")].flatMap((part) => [...part.childNodes, line()]);
  return said.length > 0 ? said : [strong(`The server answered with ${status}.`), line(), "Try again. What you typed stays here."];
}

document.addEventListener("htmx:responseError", ({ detail }) => tell(detail, saidBy(detail.xhr)));
document.addEventListener("htmx:sendError", ({ detail }) => {
  tell(detail, [strong("The server cannot be reached."), line(), "Try again once it can. What you typed stays here."]);
});

// What was refused was done after all.
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.successful) return;
  if (!wished(detail)) before = "";
  if (wished(detail) || place.querySelector("[data-by-itself]")) place.replaceChildren();
});

place.addEventListener("click", ({ target }) => {
  if (target.closest("button")) place.replaceChildren();
});
