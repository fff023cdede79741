// The form that puts files in the bucket.

import { request } from "/static/requests.js";

const form = document.getElementById("upload");
const files = document.getElementById("files");
const chosen = document.getElementById("chosen");
const into = document.getElementById("into");
const send = document.getElementById("send");
const outcomes = document.getElementById("outcomes");
const advice = chosen.textContent;
let changed = () => {};

export function onUpload(callback) {
  changed = callback;
}

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
