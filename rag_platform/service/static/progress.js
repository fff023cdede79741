// What is coming in: how many documents, how far, and which are in work.

const panel = document.getElementById("progress");
const sentence = document.getElementById("progress-sentence");
const names = document.getElementById("progress-names");
const bar = document.getElementById("progress-bar");
let most = 0;

// The bar fills up from the largest number that was on its way since it was last empty.
export function showProgress(progress) {
  const left = progress ? progress.waiting + progress.indexing : 0;
  panel.hidden = left === 0;
  if (left === 0) {
    most = 0;
    return;
  }
  most = Math.max(most, left);
  bar.max = most;
  bar.value = most - left;
  const parts = [];
  if (progress.waiting) parts.push(`${progress.waiting} to be read`);
  if (progress.indexing) parts.push(`${progress.indexing} being indexed`);
  set(sentence, `${left === 1 ? "1 document is" : `${left} documents are`} coming in: ${parts.join(", ")}`);
  set(names, progress.in_work.map(({ key }) => key).join(", "));
  names.hidden = progress.in_work.length === 0;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
