// The form, the copy buttons, and the latest images. Text of others is only ever textContent.
"use strict";

const REQUESTS = "/v1/images/generations";
const IMAGE_PATH = /\/images\/[\w-]+\.[a-z]+/g;
const COPIED_MS = 2000;

const find = (id) => document.getElementById(id);
const form = document.querySelector("form");
const fields = form.elements;
const isHosted = form.dataset.hosted === "true";
let shownPrice = ""; // what the price on the page is for
let isBusy = false;

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function fillSizes() {
  const isChosen = (list) => list.dataset.model === fields.model.value;
  const list = [...document.querySelectorAll("[data-model]")].find(isChosen);
  const rows = list ? [...list.children] : [];
  const options = rows.map((row) => {
    const [value, ratio] = row.textContent.trim().split(" ");
    return element("option", { value, defaultSelected: "default" in row.dataset }, `${value} (${ratio})`);
  });
  const before = options.find((option) => option.value === fields.size.value);
  if (before) before.selected = true;
  if (!options.length) options.push(element("option", { value: "" }, "Default"));
  fields.size.replaceChildren(...options);
}

// Headers carry bytes, so a key with other letters is sent as UTF-8.
function authorization() {
  const key = fields.key?.value ?? "";
  const bytes = new TextEncoder().encode(key);
  return key ? { authorization: `Bearer ${String.fromCharCode(...bytes)}` } : {};
}

function body() {
  const asked = { prompt: fields.prompt.value, model: fields.model.value };
  if (fields.size.value) asked.size = fields.size.value;
  if (fields.seed.value) asked.seed = Number(fields.seed.value);
  return JSON.stringify({ ...asked, n: Number(fields.n.value), response_format: "url" });
}

async function post(query, more) {
  const headers = { "content-type": "application/json", ...authorization(), ...more };
  let reply, answer;
  try {
    reply = await fetch(REQUESTS + query, { method: "POST", headers, body: body() });
    answer = await reply.json();
  } catch {
    const doubt = isHosted && !query ? " If the request arrived, flux runs on that machine lists it." : "";
    throw new Error(`The server did not answer: it may have been stopped.${doubt}`);
  }
  if (!reply.ok) throw new Error(answer.error?.message ?? `The server answered ${reply.status}.`);
  return answer;
}

// --- the price

function terms() {
  return JSON.stringify([fields.model.value, fields.size.value, fields.n.value, fields.key?.value]);
}

function usd(amount) {
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 6 };
  return `${amount.toLocaleString("en", digits)} USD`;
}

async function showPrice() {
  if (fields.key && !fields.key.value) return;
  const asked = terms();
  let text, priced = "";
  try {
    const { total_cost_micros: micros } = await post("?dryRun=true");
    text = micros === null ? "The price of this request is not known." : `This request costs ${usd(micros / 1e6)}.`;
    priced = asked;
  } catch (fault) {
    text = `No price: ${fault.message}`;
  }
  if (asked !== terms()) return; // another answer is on its way
  shownPrice = priced;
  find("price").textContent = text;
}

// --- images

function thumbnail(path, alt) {
  const image = element("img", { src: path, alt, loading: "lazy" });
  return element("li", {}, element("a", { href: path }, image));
}

function addLatest(paths, alt) {
  const list = find("latest");
  list.prepend(...paths.map((path) => thumbnail(path, alt)));
  while (list.children.length > Number(list.dataset.most)) list.lastChild.remove();
}

// With a key, the page itself has the images only for those who send it.
async function loadLatest() {
  const reply = await fetch("/", { headers: authorization() });
  const paths = [...new Set((await reply.text()).match(IMAGE_PATH) ?? [])];
  find("latest").replaceChildren();
  addLatest(paths, "Earlier image");
}

async function figure(path, item, prompt) {
  const image = element("img", { src: path, alt: prompt });
  await image.decode().catch(() => {
    throw new Error(`The image was made, but cannot be shown: ${path}`);
  });
  const caption = element("figcaption", {}, `${image.naturalWidth}x${image.naturalHeight}`);
  if (item.seed !== undefined) caption.append(element("span", {}, `Seed ${item.seed}`));
  caption.append(element("a", { href: path }, "Open"));
  caption.append(element("a", { href: path, download: "" }, "Download"));
  return element("figure", {}, image, caption);
}

async function show(answer, prompt) {
  const paths = answer.data.map((item) => new URL(item.url, location.href).pathname);
  const figures = await Promise.all(paths.map((path, i) => figure(path, answer.data[i], prompt)));
  find("result").classList.toggle("several", figures.length > 1);
  find("result").replaceChildren(...figures);
  addLatest(paths, prompt);
}

// --- sending

// The browser may send a request again when a connection breaks; the token makes that harmless.
function token() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(16)).join("-");
}

function showFault(fault) {
  find("fault").textContent = `Error: ${fault.message}`;
}

function begin() {
  const start = Date.now();
  const tick = () => { find("seconds").textContent = `${Math.floor((Date.now() - start) / 1000)} s`; };
  isBusy = true;
  form.setAttribute("aria-busy", "true");
  find("fault").textContent = "";
  find("state").textContent = "Generating…";
  const timer = setInterval(tick, 1000);
  return () => {
    clearInterval(timer);
    isBusy = false;
    form.removeAttribute("aria-busy");
    find("seconds").textContent = "";
    return (Date.now() - start) / 1000;
  };
}

async function send() {
  const end = begin();
  let state = "";
  try {
    const prompt = fields.prompt.value;
    const answer = await post("", { "idempotency-key": token() });
    await show(answer, prompt);
    const count = answer.data.length;
    const cost = answer.metadata ? `, ${usd(answer.metadata.cost_usd)}` : "";
    state = `${count} ${count === 1 ? "image" : "images"}${cost}`;
    if (answer.errors) showFault(answer.errors[0]);
  } catch (fault) {
    showFault(fault);
  }
  const seconds = end();
  find("state").textContent = state && `${state} in ${seconds.toFixed(1)} s`;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (isBusy) return;
  if (isHosted && shownPrice !== terms()) {
    await showPrice();
    find("state").textContent = shownPrice ? "Look at the price, and press Generate again." : "";
    return;
  }
  await send();
});

form.addEventListener("change", (event) => {
  if (event.target === fields.model) fillSizes();
  if (event.target === fields.key) loadLatest().catch(showFault);
  if (isHosted && event.target !== fields.prompt) showPrice();
});

// --- copying

async function copy(button) {
  const source = find(button.dataset.copy);
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch { // no clipboard without HTTPS or loopback
    getSelection().selectAllChildren(source);
    said = "Selected";
  }
  button.textContent = said;
  find("said").textContent = said === "Copied" ? "Copied." : "Selected: copy it with the keyboard.";
  setTimeout(() => {
    button.textContent = "Copy";
    find("said").textContent = "";
  }, COPIED_MS);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => copy(button));
}

fillSizes();
if (isHosted) showPrice();
