// The form that puts files in the bucket, and what becomes of each of them.

import { shortened, visible } from "/static/formats.js";
import { documentPath, get, request } from "/static/requests.js";

const form = document.getElementById("upload");
const files = document.getElementById("files");
const chosen = document.getElementById("chosen");
const into = document.getElementById("into");
const send = document.getElementById("send");
const outcomes = document.getElementById("outcomes");
const advice = chosen.textContent;
const NAME = 80;
const AT_ONCE = 10; // documents asked about in one round
const PATIENCE = 10_000;
const LATELY = 60_000;
let changed = () => {};
let followed = [];
let asking = false;

export function onUpload(callback) {
  changed = callback;
}

files.addEventListener("change", () => {
  const names = [...files.files].map((file) => shortened(visible(file.name), NAME));
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
  followed = [];
  const name = into.value.trim();
  for (const file of batch) {
    outcomes.append(await upload(name, file));
    changed();
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
    const path = `/v1/collections/${encodeURIComponent(name)}/documents`;
    const stored = await (await request(path, { method: "POST", body })).json();
    say(item, file.name, "is uploaded and will be indexed in seconds.");
    followed.push({ ...stored, item, name: file.name, since: Date.now() });
  } catch (error) {
    say(item, file.name, error.message, "failed");
  } finally {
    send.textContent = "Upload";
  }
  return item;
}

// A document that is deleted here is not asked about any more.
export function forgetUpload(collection, key) {
  for (const upload of followed) {
    if (upload.collection !== collection || upload.key !== key) continue;
    upload.done = true;
    upload.item.remove();
  }
}

// Asks what became of the uploaded files; gives whether any came lately and is still on its way.
export function followUploads() {
  if (!asking) followSome();
  return followed.some(({ done, since }) => !done && Date.now() - since < LATELY);
}

async function followSome() {
  asking = true;
  const some = followed.filter(({ done }) => !done).slice(0, AT_ONCE);
  await Promise.all(some.map(follow));
  // Those that are still on their way take turns.
  followed = [...followed.filter((one) => !some.includes(one)), ...some].filter(({ done }) => !done);
  asking = false;
}

async function follow(upload) {
  const { item, name, sha256, since } = upload;
  let found = null;
  try {
    found = await get(`${documentPath(upload.collection, upload.key)}/metadata`);
  } catch (error) {
    if (error.status !== 404) return; // the page says what is wrong
    say(item, name, "was deleted.");
    upload.done = true;
    return;
  }
  // Until these bytes were read, the state is that of those before them.
  const read = found.sha256 === null || found.sha256 === sha256;
  if (found.state === "indexed" && read) {
    say(item, name, "is indexed.");
    upload.done = true;
  } else if (found.state === "quarantined" && read) {
    say(item, name, `cannot be indexed. ${found.reason}`, "failed");
    // Without a hash, it may have been said of the file before it.
    upload.done = found.sha256 !== null || Date.now() - since > PATIENCE;
  } else if (Date.now() - since > PATIENCE) {
    say(item, name, `is uploaded and waits to be indexed. ${found.waits_for ?? ""}`);
  }
}

function say(item, name, sentence, className = "") {
  const file = document.createElement("bdi"); // its own direction of writing
  file.textContent = shortened(visible(name), NAME);
  const rest = `${className ? ": " : " "}${sentence}`;
  if (item.textContent === file.textContent + rest) return;
  item.className = className;
  item.replaceChildren(file, rest);
}
