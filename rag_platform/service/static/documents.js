// The documents page: upload, watch states change, delete.
// File names, titles and reasons are set as text, never as HTML.

import { documentPath, get, request } from "/static/requests.js";

const PAGE = 100;
const SOON = 2000;
const LATER = 5000;

const table = document.getElementById("table");
const rows = document.getElementById("rows");
const more = document.getElementById("more");
const empty = document.getElementById("empty");
const failure = document.getElementById("error");
const collection = document.getElementById("collection");
const state = document.getElementById("state");
const form = document.getElementById("upload");
const files = document.getElementById("files");
const chosen = document.getElementById("chosen");
const into = document.getElementById("into");
const send = document.getElementById("send");
const outcomes = document.getElementById("outcomes");
const confirm = document.getElementById("confirm");
const advice = chosen.textContent;

const shown = new Map();
let wanted = PAGE;
let timer = 0;
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
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});
refresh();

async function refresh() {
  clearTimeout(timer);
  const mine = ++round;
  let pending = 0;
  try {
    pending = countStates((await get("/v1/collections?limit=500")).collections);
    const found = await list();
    if (mine !== round) return;
    show(found.documents);
    more.hidden = found.next_cursor === null;
    failure.hidden = true;
  } catch (error) {
    if (mine !== round) return;
    failure.textContent = error.message;
    failure.hidden = false;
  }
  if (!document.hidden) timer = setTimeout(refresh, pending ? SOON : LATER);
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
      shown.set(order[i], row);
    }
    fill(row, item);
    if (rows.children[i] !== row) rows.insertBefore(row, rows.children[i] ?? null);
  });
  table.hidden = documents.length === 0;
  empty.hidden = documents.length > 0;
  const filtered = collection.value || state.value;
  empty.textContent = filtered
    ? "No document fits this choice."
    : "No documents yet. Upload one here, or drop a file in the bucket's folder.";
}

function fill(row, item) {
  const name = item.key.split("/").pop();
  row.dataset.key = item.key;
  row.dataset.state = item.state;
  set(row, ".title", item.title ?? name);
  set(row, ".key", item.key);
  set(row, ".collection", item.collection);
  set(row, ".badge", item.state);
  set(row, ".reason", item.reason ?? "");
  set(row, ".size", size(item.size_bytes));
  set(row, ".pages", item.pages ?? "–");
  set(row, ".chunks", item.chunks ?? "–");
  when(row.querySelector(".uploaded"), item.uploaded_at);
  when(row.querySelector(".indexed"), item.indexed_at);
  row.querySelector(".delete").setAttribute("aria-label", `Delete ${name}`);
}

function set(row, selector, value) {
  const cell = row.querySelector(selector);
  if (cell.textContent !== String(value)) cell.textContent = value;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

function when(element, stamp) {
  if (!stamp) {
    element.textContent = "–";
    element.removeAttribute("datetime");
    return;
  }
  const moment = new Date(stamp);
  const today = moment.toDateString() === new Date().toDateString();
  element.dateTime = stamp;
  element.title = moment.toLocaleString();
  element.textContent = (today ? clock : day).format(moment);
}

function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(bytes < 1e4 ? 1 : 0)} kB`;
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

// Upload

files.addEventListener("change", () => {
  const names = [...files.files].map((file) => file.name);
  chosen.textContent = names.length > 3 ? `${names.length} files` : names.join(", ") || advice;
});
for (const type of ["dragenter", "dragover"]) {
  form.addEventListener(type, (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
}
form.addEventListener("dragleave", (event) => {
  if (!form.contains(event.relatedTarget)) form.classList.remove("over");
});
form.addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("over");
  files.files = event.dataTransfer.files;
  files.dispatchEvent(new Event("change"));
});
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const batch = [...files.files];
  if (!batch.length) {
    files.focus();
    chosen.textContent = "Choose a file first.";
    return;
  }
  send.disabled = true;
  outcomes.replaceChildren();
  const name = into.value.trim();
  for (const file of batch) {
    outcomes.append(await upload(name, file));
    refresh();
  }
  form.reset();
  into.value = name;
  chosen.textContent = advice;
  send.disabled = false;
});

async function upload(name, file) {
  const item = document.createElement("li");
  const limit = Number(form.dataset.maxMegabytes);
  try {
    if (file.size > limit * 1024 * 1024) throw new Error(`It is larger than ${limit} MB.`);
    send.textContent = "Uploading…";
    const body = new FormData();
    body.append("file", file);
    await request(`/v1/collections/${encodeURIComponent(name)}/documents`, { method: "POST", body });
    item.textContent = `${file.name} is uploaded and will be indexed in seconds.`;
  } catch (error) {
    item.className = "failed";
    item.textContent = `${file.name}: ${error.message}`;
  } finally {
    send.textContent = "Upload";
  }
  return item;
}

// Delete

function remove(item) {
  document.getElementById("confirm-name").textContent = item.key;
  confirm.returnValue = "keep";
  confirm.onclose = async () => {
    if (confirm.returnValue !== "delete") return;
    try {
      await request(documentPath(item.collection, item.key), { method: "DELETE" });
      failure.hidden = true;
    } catch (error) {
      failure.textContent = error.message;
      failure.hidden = false;
    }
    refresh();
  };
  confirm.showModal();
}
