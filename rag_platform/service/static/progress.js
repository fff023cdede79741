// What is coming in: how many documents, how far, which were read last, and why nothing moves.

import { shortened, visible } from "/static/formats.js";
import { documentPath, get } from "/static/requests.js";

const panel = document.getElementById("progress");
const sentence = document.getElementById("progress-sentence");
const names = document.getElementById("progress-names");
const why = document.getElementById("progress-why");
const bar = document.getElementById("progress-bar");
const NAME = 80;
const STILL = 10_000;
const AGAIN = 5_000;

let most = 0;
let named = "";
let namedSince = 0;
let seen = "";
let since = 0;
let asked = 0;

// The bar fills up from the largest number that was on its way since it was last empty.
export function showProgress(progress) {
  const left = progress ? progress.waiting + progress.indexing : 0;
  panel.hidden = left === 0;
  if (left === 0) {
    most = 0;
    seen = "";
    return;
  }
  most = Math.max(most, left);
  bar.max = most;
  bar.value = most - left;
  set(sentence, sentenceOf(progress, left));
  // Of many, the names say something only while they change.
  const read = JSON.stringify(progress.in_work);
  if (read !== named) [named, namedSince] = [read, Date.now()];
  names.hidden = left > progress.in_work.length && Date.now() - namedSince > STILL;
  set(names, progress.in_work.map(({ key }) => shortened(visible(key.split("/").pop()), NAME)));
  explain(JSON.stringify(progress));
}

function sentenceOf({ waiting, indexing, passages, embedded }, left) {
  const parts = [];
  if (waiting) parts.push(`${waiting.toLocaleString()} to be read`);
  if (indexing) {
    const share = `${embedded.toLocaleString()} of ${passages.toLocaleString()} passages done`;
    parts.push(`${indexing.toLocaleString()} being indexed${passages ? ` (${share})` : ""}`);
  }
  const what = left === 1 ? "1 document is" : `${left.toLocaleString()} documents are`;
  return `${what} coming in: ${parts.join(", ")}`;
}

// Where nothing has moved for some seconds, one of the documents says what it waits for.
async function explain(now) {
  const moment = Date.now();
  if (now !== seen) {
    seen = now;
    since = moment;
    why.hidden = true;
    return;
  }
  if (moment - since < STILL || moment - asked < AGAIN) return;
  asked = moment;
  try {
    const [first] = (await get("/v1/documents?state=pending&limit=1")).documents;
    const { waits_for: reason } = first ? await get(`${documentPath(first.collection, first.key)}/metadata`) : {};
    if (now !== seen) return;
    why.textContent = reason ?? "";
    why.hidden = !reason;
  } catch {
    // The list says what is wrong, or the document has just come in.
  }
}

function set(element, words) {
  if (Array.isArray(words)) {
    const before = [...element.children].map((item) => item.textContent);
    if (before.join("\0") === words.join("\0")) return;
    element.replaceChildren(
      ...words.map((word) => {
        const item = document.createElement("bdi"); // its own direction of writing
        item.textContent = word;
        return item;
      }),
    );
  } else if (element.textContent !== words) element.textContent = words;
}
