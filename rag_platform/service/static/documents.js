// The documents page: find documents, watch states change, download, retry, delete.
// File names, titles, reasons and notes are set as text, never as HTML.

import { about, shortened, size, visible, when } from "/static/formats.js";
import { showProgress } from "/static/progress.js";
import { documentPath, get, request } from "/static/requests.js";
import { followUploads, forgetUpload, onUpload } from "/static/upload.js";

const PAGE = 100;
const SOON = 700;
const TYPING = 250;
const LATER = 5000;
const TITLE = 80; // characters
const KEY = 100;

const table = document.getElementById("table");
const rows = document.getElementById("rows");
const more = document.getElementById("more");
const empty = document.getElementById("empty");
const failure = document.getElementById("error");
const collection = document.getElementById("collection");
const state = document.getElementById("state");
const search = document.getElementById("search");
const confirm = document.getElementById("confirm");

const shown = new Map();
let wanted = PAGE;
let timer = 0;
let typing = 0;
let round = 0;

more.addEventListener("click", () => {
  wanted += PAGE;
  refresh();
});
for (const filter of [collection, state]) {
  filter.addEventListener("change", () => {
    wanted = PAGE;
    refresh();
  });
}
search.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    wanted = PAGE;
    refresh();
  }, TYPING);
});
// A page that nobody sees asks nothing.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else refresh();
});
onUpload(refresh);
refresh();

async function refresh() {
  clearTimeout(timer);
  const mine = ++round;
  let pending = 0;
  let coming = false;
  try {
    pending = countStates((await get("/v1/collections?limit=500")).collections);
    const progress = pending ? await get("/v1/progress") : null;
    const found = await list();
    coming = followUploads();
    if (mine !== round) return;
    showProgress(progress);
    show(found.documents);
    more.hidden = found.next_cursor === null;
    if (failure.dataset.of === "refresh") failure.hidden = true;
  } catch (error) {
    if (mine !== round) return;
    complain(error, "refresh");
  }
  if (!document.hidden) timer = setTimeout(refresh, pending || coming ? SOON : LATER);
}

async function list() {
  const base = collection.value
    ? `/v1/collections/${encodeURIComponent(collection.value)}/documents`
    : "/v1/documents";
  const documents = [];
  let cursor = null;
  do {
    const query = new URLSearchParams({ limit: Math.min(500, wanted - documents.length) });
    if (state.value) query.set("state", state.value);
    if (search.value.trim()) query.set("query", search.value.trim());
    if (cursor) query.set("cursor", cursor);
    const page = await get(`${base}?${query}`);
    documents.push(...page.documents);
    cursor = page.next_cursor;
  } while (cursor && documents.length < wanted);
  return { documents, next_cursor: cursor };
}

function countStates(collections) {
  const totals = { indexed: 0, pending: 0, quarantined: 0 };
  for (const { documents } of collections) {
    for (const name of Object.keys(totals)) totals[name] += documents[name] ?? 0;
  }
  const parts = Object.entries(totals).filter(([name, count]) => count || name === "indexed");
  const sentence = parts.map(([name, count]) => `${count} ${name}`).join(" · ");
  const counts = document.getElementById("counts");
  if (counts.textContent !== sentence) counts.textContent = sentence;
  const names = collections.map(({ name }) => name);
  offer(collection, names);
  const list = document.getElementById("collections");
  if ([...list.children].map((option) => option.value).join("\n") !== names.join("\n")) {
    list.replaceChildren(...names.map((name) => new Option(name, name)));
  }
  return totals.pending;
}

function offer(select, names) {
  const known = [...select.options].slice(1).map((option) => option.value);
  if (known.join("\n") === names.join("\n")) return;
  const value = select.value;
  select.replaceChildren(select.options[0], ...names.map((name) => new Option(name, name)));
  select.value = names.includes(value) ? value : "";
}

function show(documents) {
  const order = documents.map((item) => JSON.stringify([item.collection, item.key]));
  for (const [id, row] of shown) {
    if (!order.includes(id)) {
      row.remove();
      shown.delete(id);
    }
  }
  documents.forEach((item, i) => {
    let row = shown.get(order[i]);
    if (!row) {
      row = document.getElementById("row-template").content.firstElementChild.cloneNode(true);
      row.querySelector(".delete").addEventListener("click", () => remove(item));
      row.querySelector(".retry").addEventListener("click", () => retry(item));
      shown.set(order[i], row);
    }
    fill(row, item);
    if (rows.children[i] !== row) rows.insertBefore(row, rows.children[i] ?? null);
  });
  table.hidden = documents.length === 0;
  empty.hidden = documents.length > 0;
  const filtered = collection.value || state.value || search.value.trim();
  empty.textContent = filtered
    ? "No document fits this choice."
    : "No documents yet. Upload one here, or drop a file in the bucket's folder.";
}

function fill(row, item) {
  const name = visible(item.key.split("/").pop());
  row.dataset.key = item.key;
  row.dataset.state = item.state;
  setName(row, ".title", item.title ?? name, TITLE);
  setName(row, ".key", visible(item.key), KEY);
  set(row, ".about", about(item));
  set(row, ".collection", item.collection);
  fillNotes(row, item.notes);
  set(row, ".badge", item.state);
  set(row, ".reason", item.reason ?? "");
  set(row, ".size", size(item.size_bytes));
  set(row, ".pages", item.pages ?? "–");
  set(row, ".chunks", item.chunks ?? "–");
  when(row.querySelector(".uploaded"), item.uploaded_at);
  when(row.querySelector(".indexed"), item.indexed_at);
  row.querySelector(".delete").setAttribute("aria-label", `Delete ${name}`);
  const again = row.querySelector(".retry");
  again.setAttribute("aria-label", `Read ${name} again`);
  again.hidden = item.state !== "quarantined";
  const download = row.querySelector(".download");
  const path = `${documentPath(item.collection, item.key)}/file`;
  if (download.getAttribute("href") !== path) download.href = path;
  download.setAttribute("aria-label", `Download ${name}`);
}

function fillNotes(row, notes) {
  const box = row.querySelector(".notes");
  box.hidden = notes.length === 0;
  set(row, ".notes summary", notes.length === 1 ? "1 note" : `${notes.length} notes`);
  const list = box.querySelector("ul");
  if ([...list.children].map((note) => note.textContent).join("\n") === notes.join("\n")) return;
  list.replaceChildren(
    ...notes.map((note) => {
      const item = document.createElement("li");
      item.textContent = note;
      return item;
    }),
  );
}

// A long one is shown shortened, and whole to who points at it.
function setName(row, selector, name, most) {
  const short = shortened(name, most);
  set(row, selector, short);
  const cell = row.querySelector(selector);
  if (short === name) cell.removeAttribute("title");
  else if (cell.title !== name) cell.title = name;
}

function set(row, selector, value) {
  const cell = row.querySelector(selector);
  if (cell.textContent !== String(value)) cell.textContent = value;
}

// Actions

async function retry(item) {
  await attempt(() => request(`${documentPath(item.collection, item.key)}/retry`, { method: "POST" }));
}

function remove(item) {
  document.getElementById("confirm-name").textContent = visible(item.key);
  confirm.returnValue = "keep";
  confirm.onclose = async () => {
    if (confirm.returnValue !== "delete") return;
    forgetUpload(item.collection, item.key);
    await attempt(() => request(documentPath(item.collection, item.key), { method: "DELETE" }));
  };
  confirm.showModal();
}

async function attempt(action) {
  try {
    await action();
    failure.hidden = true;
  } catch (error) {
    complain(error, "action"); // it stays until the next action
  }
  refresh();
}

function complain(error, of) {
  failure.textContent = error.message;
  failure.dataset.of = of;
  failure.hidden = false;
}
