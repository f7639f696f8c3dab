// What a new user does in the first half hour, in a real browser. Any error of the page, any violation of
// axe-core and any overflow fails the walk.
const assert = require("node:assert/strict");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { chromium } = require("playwright-core");

const [executablePath, told, tools, shots] = process.argv.slice(2);
const axe = fs.readFileSync(path.join(tools, "node_modules/axe-core/axe.min.js"), "utf8");
const printed = () => fs.readFileSync(told, "utf8");
const link = printed().match(/once, at (\S+)/)[1];
const receiver = printed().match(/webhook whose url is (\S+)\/by-hand/)[1];
const base = new URL(link).origin;
const toldOf = () =>
  [...printed().matchAll(/The CRM received (\d+) records/g)].reduce((sum, [, records]) => sum + Number(records), 0);
const story = toldOf();
/** Records that the receiver has told of since the demo's own syncs; it tells once a second. */
const arrived = () => toldOf() - story;
const PASSWORD = "correct horse battery";

const problems = [];
function watch(page) {
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => problems.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    // An answer that refuses something is no error of the page, nor is a question that a newer one takes the place of.
    if (message.type() === "error" && !/^(Failed to load resource|htmx:(afterRequest|sendAbort))/.test(message.text())) {
      problems.push(`${page.url()}: ${message.text()}`);
    }
  });
  return page;
}

/** Looks at a page as people may have it: wide and narrow, light and dark, and at what is between. */
async function look(page, name) {
  if (name.endsWith("-new")) await rests(page, name);
  const fits = async (width) => {
    const wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    if (wider > 0) problems.push(`${name} ${width}: ${wider} px wider than the window`);
  };
  for (const width of [768, 1100]) {
    await page.setViewportSize({ width, height: 900 });
    await fits(width);
  }
  for (const [width, colorScheme] of [[1440, "light"], [390, "dark"]]) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    const violations = await page.evaluate(`${axe}; axe.run(document).then((found) =>
      found.violations.map((one) => one.id + ": " + one.nodes.map((node) => node.target.join(" ")).join(" | ")))`);
    for (const violation of violations) problems.push(`${name} ${width}: ${violation}`);
    await fits(width);
    if (!shots) continue;
    // As high as the page, so that what sticks to the window's edge hides nothing; of what is endless, its beginning.
    const height = await page.evaluate("document.documentElement.scrollHeight");
    await page.setViewportSize({ width, height: Math.min(Math.max(900, height), 4000) });
    await page.screenshot({ path: path.join(shots, `${name}-${width}-${colorScheme}.png`), caret: "initial" });
  }
  await page.setViewportSize({ width: 1440, height: 1000 });
}

/** A page that nobody touches asks for nothing, once it has shown what was typed. */
async function rests(page, name) {
  await page.waitForTimeout(700);
  const asked = [];
  const hear = (request) => asked.push(new URL(request.url()).pathname);
  page.on("request", hear);
  await page.waitForTimeout(700);
  page.off("request", hear);
  if (asked.length > 0) problems.push(`${name} asks by itself: ${asked.join(", ")}`);
}

/** Waits until something holds. */
async function until(what, holds) {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`in vain: ${what}`);
}

/** A receiver that answers nothing until it is told to, and everything at once from then on. */
async function patientReceiver() {
  const waiting = [];
  let answers = false;
  const server = http.createServer((request, answer) => {
    request.resume().on("end", () => (answers ? answer.end() : waiting.push(answer)));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${server.address().port}/slow`,
    asked: () => waiting.length > 0,
    answer() {
      answers = true;
      for (const answer of waiting.splice(0)) answer.end();
    },
    close: () => server.close(),
  };
}

async function walk(browser) {
  const owner = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const page = watch(await owner.newPage());
  const main = page.locator("main");
  const go = (address) => page.goto(base + address);

  await page.goto(link);
  await look(page, "join");
  await page.fill("#email", "ada@example.com");
  await page.fill("#name", "Ada Lovelace");
  await page.fill("#password", PASSWORD);
  await page.click("text=Create the owner");
  await main.getByText("customers-to-crm").waitFor();
  await look(page, "overview");

  // 1. A source: its form, the test of its connection.
  await go("/sources/new");
  await main.getByText("SQLite", { exact: true }).click();
  await page.fill("[name=name]", "my-shop");
  await page.fill("[name=s-path]", "/etc/passwd");
  await main.getByRole("button", { name: "Create source" }).click();
  await main.getByText("is not a file of the project folder").first().waitFor();
  assert.equal(await page.inputValue("[name=name]"), "my-shop", "what was typed stays");
  await page.fill("[name=s-path]", "shop.db");
  assert.equal(await main.getByText("is not a file of the project folder").count(), 0, "said of what stood there before");
  await main.getByRole("button", { name: "Test", exact: false }).first().click();
  await main.locator(".checks li").nth(4).waitFor();
  await look(page, "source-new");
  await main.getByRole("button", { name: "Create source" }).click();
  await page.waitForURL(/\/sources\/my-shop/);
  await go("/sources");
  await look(page, "sources");

  // 2. A model: a query with a mistake, its preview, its identifier.
  await go("/models/new");
  await page.selectOption("[name=source]", "my-shop");
  const query = page.locator("[name=query]");
  const suggestions = page.locator(".suggestions");
  await query.focus();
  await page.keyboard.type("select ");
  await page.keyboard.press("Control+Space");
  await suggestions.getByRole("option", { name: "customers" }).first().waitFor();
  await page.keyboard.press("Escape");
  await suggestions.waitFor({ state: "hidden" });
  await page.keyboard.type("* from cust");
  await suggestions.getByRole("option", { name: "customers" }).waitFor();
  await page.keyboard.press("Enter");
  await page.keyboard.type(" c where c.ema");
  await suggestions.getByRole("option", { name: "email" }).waitFor();
  await look(page, "model-suggestions");
  await page.keyboard.press("Control+Space");
  await suggestions.getByRole("option", { name: "email" }).waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await query.inputValue(), "select * from customers c where c.email");
  await page.keyboard.press("Tab");
  assert.equal(await query.evaluate((field) => field === document.activeElement), false, "Tab leaves the editor");
  await main.getByRole("searchbox", { name: "Search tables and columns" }).fill("newsl");
  await main.locator(".tables summary", { hasText: "customers" }).click();
  await main.locator(".tables button", { hasText: "newsletter" }).click();
  assert.match(await query.inputValue(), /newsletter/);
  await page.fill("[name=query]", "select id, emial from customers");
  await page.press("[name=query]", "Control+Enter");
  await main.getByText("emial").first().waitFor();
  await main.locator(".notice.bad").first().waitFor();
  await page.fill("[name=query]", "select id, email, first_name, newsletter from customers where id <= 25");
  await page.press("[name=query]", "Control+Enter");
  await main.getByText("customer1@example.com").first().waitFor();
  await look(page, "model-new");
  await page.fill("[name=name]", "my-people");
  const identifier = main.locator("[name=id]");
  if ((await identifier.evaluate((field) => field.tagName)) === "SELECT") await identifier.selectOption("id");
  else await identifier.fill("id");
  await main.getByRole("button", { name: "Create model" }).click();
  await page.waitForURL(/\/models\/my-people/);
  await go("/models");
  await look(page, "models");

  // 3. A destination.
  await go("/destinations");
  await look(page, "destinations");
  await go("/destinations/new/webhook");
  await page.fill("[name=name]", "my-crm");
  await look(page, "destination-new");
  await main.getByRole("button", { name: "Create destination" }).click();
  await page.waitForURL(/\/destinations\/my-crm/);

  // 4. A mapping, with a test record.
  await go("/mappings/new?model=my-people&destination=my-crm&action=send");
  await rests(page, "mapping-new");
  // Two choices, the second before the first is answered: none is lost, and what was opened stays open.
  await page.getByText(/more fields, with/).click();
  const method = await page.inputValue('[name="k/method"]');
  await page.evaluate(() => {
    for (const [name, kind] of [["k/method", "template"], ["k/url", "case"]]) {
      const select = document.getElementsByName(name)[0];
      select.value = kind;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
  await page.locator('[name="k/url/0"]').waitFor();
  assert.equal(await page.inputValue('[name="k/method"]'), "template");
  await page.selectOption('[name="k/method"]', method);
  await main.locator('[name="v/method"]').waitFor({ state: "detached" });
  assert.equal(await page.locator("#more-fields").getAttribute("open"), "");
  // A function, parameter by parameter.
  await page.selectOption('[name="k/url/0"]', "template");
  await page.locator('input[name="v/url/0"]').fill(`${receiver}/By-Hand`);
  await page.selectOption('[name="v/url/1"]', "lower");
  await main.getByText(`"${receiver}/by-hand"`).first().waitFor();
  await look(page, "mapping-function");
  await page.selectOption('[name="k/url"]', "template");
  await page.fill('[name="v/url"]', `${receiver}/by-hand`);
  await page.press('[name="v/url"]', "Tab");
  await page.fill("[name=name]", "people-by-hand");
  await main.getByText(`"${receiver}/by-hand"`).first().waitFor();
  // Another model and back: what was typed stays, and so does the focus.
  const other = await page.locator("#end-model option:not([value=my-people])").first().getAttribute("value");
  for (const model of [other, "my-people"]) {
    await page.focus("#end-model");
    await page.selectOption("#end-model", model);
    await page.locator(`#form > [name=model][value="${model}"]`).waitFor({ state: "attached" });
    assert.equal(await page.inputValue("[name=name]"), "people-by-hand");
    assert.equal(await page.inputValue('[name="v/url"]'), `${receiver}/by-hand`);
    assert.equal(await page.evaluate("document.activeElement.id"), "end-model");
    assert.ok(page.url().includes(`model=${model}&`), page.url());
  }
  await main.getByText(`"${receiver}/by-hand"`).first().waitFor();
  // A record that is not among the first is found by what is in it.
  const found = main.locator("#records");
  for (const [text, shown] of [["nobody at all", "no record has"], ["CUSTOMER17@", "customer17@example.com"]]) {
    await page.fill("[name=search]", text);
    await page.press("[name=search]", "Enter");
    await found.getByText(shown, { exact: false }).first().waitFor({ state: "attached" });
  }
  await page.locator("#rendered").getByText("customer17@example.com").first().waitFor();
  await look(page, "mapping-new");
  await main.getByRole("button", { name: "Send test record" }).click();
  await main.getByText("The destination took the record").waitFor();
  await until("the test record arrives", () => arrived() === 1);
  await main.getByRole("button", { name: "Create mapping" }).click();
  await page.waitForURL(/\/mappings\/people-by-hand/);

  // A sync, and what arrived.
  await go("/mappings/people-by-hand");
  await main.getByRole("button", { name: "Look without sending" }).click();
  await main.getByText("A sync of people-by-hand now").waitFor();
  await main.getByRole("button", { name: "Sync now" }).click();
  await main.locator("tbody a").first().waitFor();
  await main.getByText("Succeeded").first().waitFor();
  await until("25 records arrive", () => arrived() === 1 + 25);
  await look(page, "mapping");
  await main.locator("tbody a").first().click();
  await main.getByText("Outcomes").waitFor();
  await look(page, "sync");
  await main.getByRole("button", { name: "Replay" }).click();
  await until("the replay arrives", () => arrived() === 1 + 25 + 25);

  // A sync that fails: the receiver knows no object, and nobody listens at the other address.
  await go("/mappings/people-by-hand/edit");
  await page.fill('[name="v/url"]', "http://127.0.0.1:9/nobody");
  await main.getByRole("button", { name: /Save|Change/ }).last().click();
  await main.getByText("25 records were sent before").waitFor();
  await look(page, "mapping-effect");
  await main.getByRole("button", { name: "Save only" }).click();
  await page.waitForURL((address) => address.pathname === "/mappings/people-by-hand");
  await go("/mappings/people-by-hand");
  await main.getByRole("button", { name: "Reset" }).click();
  await page.locator("dialog").getByRole("button", { name: "Reset" }).click();
  await page.waitForLoadState();
  await main.getByRole("button", { name: "Sync now" }).click();
  await until("the sync has failures", async () => {
    await go("/syncs?mapping=people-by-hand");
    return (await main.locator("tbody tr").first().getByText(/^(Partial|Failed)$/).count()) > 0;
  });
  await main.locator("tbody a").first().click();
  await main.getByText("What to do.").first().waitFor();
  await look(page, "sync-failed");
  await main.getByLabel("Identifier of a record").fill("1");
  await main.getByRole("button", { name: "Look up" }).click();
  await page.waitForURL(/\/journey/);
  await look(page, "record");

  // A sync that takes its time is canceled, with a reason.
  const patient = await patientReceiver();
  await go("/mappings/people-by-hand/edit");
  await page.fill('[name="v/url"]', patient.url);
  await main.getByRole("button", { name: /Save|Change/ }).last().click();
  await main.getByRole("button", { name: "Save only" }).click();
  await page.waitForURL((address) => address.pathname === "/mappings/people-by-hand");
  await main.getByRole("button", { name: "Sync now" }).click();
  await until("the sync is on its way", patient.asked);
  await go("/syncs?mapping=people-by-hand");
  await main.locator("tbody a").first().click();
  await look(page, "sync-running");
  await main.getByRole("button", { name: "Cancel…" }).click();
  const dialog = page.locator("dialog[open]");
  await dialog.getByLabel("Reason").fill("the wrong list");
  await look(page, "sync-cancel");
  await dialog.getByRole("button", { name: "Cancel sync" }).click();
  await main.getByText("It ends as soon as").waitFor();
  assert.equal(await main.getByRole("button", { name: "Cancel…" }).count(), 0, "once is enough");
  // The server looks for it twice a second; what is under way is answered after that.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  patient.answer();
  await main.getByText("Canceled by ada@example.com: the wrong list").waitFor();
  await main.locator("h1").getByText("Canceled").waitFor();
  await look(page, "sync-canceled");
  await go("/syncs?mapping=people-by-hand");
  await main.locator("tbody tr").first().getByText("canceled by ada@example.com: the wrong list").waitFor();
  patient.close();

  // What went wrong is told: in the page, and by a channel that a rule names.
  await until("an alert is open", async () => {
    await go("/alerts");
    return (await main.locator("tbody tr").count()) > 0;
  });
  await look(page, "alerts");
  await go("/alerts/channels/new/email");
  await page.fill("[name=name]", "ops");
  await page.fill("[name=s-host]", "127.0.0.1");
  await page.selectOption("[name=s-security]", "none");
  await page.fill("[name=s-port]", "9");
  await page.fill("[name=s-from]", "Ebb <ebb@example.com>");
  await page.fill("[name=s-to]", "ops@example.com");
  await main.getByRole("button", { name: "Send a test alert" }).click();
  await main.getByText("cannot be reached").first().waitFor();
  await look(page, "channel-new");
  await main.getByRole("button", { name: "Create channel" }).click();
  await page.waitForURL(/\/alerts\?done=channel/);
  await go("/alerts/rules/new");
  await page.fill("[name=name]", "by-hand");
  await main.getByLabel("Sync partial").check();
  await main.getByLabel("These alone").check();
  await main.getByLabel("people-by-hand").check();
  await main.getByLabel("ops", { exact: true }).check();
  await page.fill("[name=late_after]", "soon");
  await main.getByRole("button", { name: "Create rule" }).click();
  await main.locator("#late_after-wrong").waitFor();
  await look(page, "rule-new");
  await page.fill("[name=late_after]", "2h");
  await main.getByRole("button", { name: "Create rule" }).click();
  await page.waitForURL(/\/alerts\?done=rule/);
  await look(page, "alerts-rules");
  await go("/mappings/people-by-hand");
  await look(page, "mapping-alert");

  // A second person looks, and can change nothing.
  await go("/settings");
  await page.fill("[name=email]", "vi@example.com");
  await main.getByRole("button", { name: "Invite" }).click();
  const invitation = await main.locator("#shown").textContent();
  await look(page, "settings");
  await main.getByRole("link", { name: "All changes" }).click();
  await main.locator("summary", { hasText: "mapping updated" }).first().click();
  await main.locator("details[open] ins").first().waitFor();
  await look(page, "changes");
  const viewer = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  const theirs = watch(await viewer.newPage());
  assert.ok(invitation.startsWith(`${base}/join/`), invitation);
  await theirs.goto(invitation);
  await theirs.fill("#name", "Vi");
  await theirs.fill("#password", PASSWORD);
  await theirs.click("button[type=submit]");
  for (const address of ["/", "/sources", "/models/my-people", "/destinations", "/mappings/people-by-hand", "/alerts"]) {
    await theirs.goto(base + address);
    const buttons = await theirs.locator("main button, main a.btn.primary").allTextContents();
    const allowed = /^\s*(Preview|Refresh|Search|Look up|Copy.*)?\s*$/;
    const others = buttons.filter((text) => !allowed.test(text));
    assert.deepEqual(others, [], `a viewer's buttons at ${address}`);
  }
  const refused = await theirs.evaluate(async () => {
    const csrf = document.querySelector("[name=csrf]").value;
    const body = new URLSearchParams({ csrf, wish: "sync" });
    return (await fetch("/mappings/people-by-hand", { method: "POST", body })).status;
  });
  assert.equal(refused, 403);
  await viewer.close();

  for (const [address, name] of [["/syncs", "syncs"], ["/mappings", "mappings"], ["/usage", "usage"], ["/api/reference", "reference"]]) {
    await go(address);
    await look(page, name);
  }
  await go("/");
  await page.locator(".side").getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(/\/sign-in/);
  await look(page, "sign-in");
}

(async () => {
  const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"];
  const browser = await chromium.launch({ executablePath, args });
  try {
    await walk(browser);
  } catch (error) {
    if (shots) {
      for (const context of browser.contexts()) {
        for (const page of context.pages()) await page.screenshot({ path: path.join(shots, "where-it-stopped.png"), fullPage: true, caret: "initial" });
      }
    }
    problems.push(error.stack);
  }
  await browser.close();
  for (const problem of problems) console.error(problem);
  console.log(`the pages: ${problems.length === 0 ? "all is well" : `${problems.length} problems`}`);
  // A receiver that still waits must not keep the process.
  process.exit(problems.length === 0 ? 0 : 1);
})();
