// The document beside the chat, with the cited passage highlighted where it stands.

import { documentPath, get } from "/static/requests.js";

const panel = document.getElementById("reader");
const title = document.getElementById("reader-title");
const where = document.getElementById("reader-where");
const note = document.getElementById("reader-note");
const text = document.getElementById("reader-text");

const covers = matchMedia("(max-width: 999px)"); // as in the style sheet: it hides the chat
const behind = document.querySelectorAll(".bar, #main, #composer");

let opener = null;
let wanted = 0;

document.getElementById("reader-close").addEventListener("click", close);
covers.addEventListener("change", shield);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !panel.hidden) close();
});

// A citation, with the words of its passage as they were when it was cited.
export async function open(citation, button) {
  const turn = ++wanted;
  opener = button;
  title.textContent = citation.document.title;
  where.textContent = placeOf(citation, true);
  say("");
  text.replaceChildren();
  text.setAttribute("aria-busy", "true");
  panel.hidden = false;
  shield();
  document.body.classList.add("reading");
  title.focus({ preventScroll: true });
  try {
    const { collection, key } = citation.document;
    const content = await get(`${documentPath(collection, key)}/content`);
    if (turn === wanted) show(content, citation);
  } catch (error) {
    if (turn !== wanted) return;
    const gone = error.status === 404;
    say(gone ? "This document is not there any more. This is what the answer quoted:" : error.message);
    if (gone) text.append(element("mark", citation.passage));
  } finally {
    if (turn === wanted) text.removeAttribute("aria-busy");
  }
}

export function close() {
  wanted++;
  panel.hidden = true;
  shield();
  document.body.classList.remove("reading");
  if (opener?.isConnected) opener.focus();
}

// What is hidden behind the document cannot be reached by the keyboard either.
function shield() {
  for (const part of behind) part.inert = covers.matches && !panel.hidden;
}

export function placeOf(citation, withKey = false) {
  const place = [];
  if (withKey) place.push(citation.document.key);
  if (citation.page !== null) place.push(`page ${citation.page}`);
  const headings = citation.heading_path.filter((heading) => heading !== citation.document.title);
  if (headings.length) place.push(headings.join(" › "));
  return place.join(" · ");
}

function show(content, citation) {
  const range = locate(content.text, citation);
  if (range === null) {
    say("The document has changed since this answer, and the quoted words are not in it any more.");
  } else if (range.moved) {
    say("The document has changed since this answer. This is where the quoted words stand now.");
  }
  const { start, end } = range ?? { start: 0, end: 0 };
  const quote = range === null ? [0, 0] : quoteIn(content.text, citation.quote, start, end);
  const units = unitsOf(content);
  const pages = new Map(content.pages.map((page) => [units.get(page.start), page.number]));
  const headings = content.headings.map((heading) => lineAt(content.text, units.get(heading.start)));
  const cuts = [0, start, end, content.text.length, ...quote, ...pages.keys(), ...headings.flat()];
  const order = [...new Set(cuts)].sort((a, b) => a - b);
  const starts = new Set(headings.map(([from]) => from));

  const fragment = document.createDocumentFragment();
  const passage = element("mark", "");
  passage.id = "passage";
  let headingEnd = 0;
  order.forEach((from, i) => {
    if (from === start && start < end) fragment.append(passage);
    const parent = from >= start && from < end ? passage : fragment;
    if (pages.has(from) && content.pages.length > 1) parent.append(pageMark(pages.get(from)));
    if (i + 1 === order.length) return;
    const to = order[i + 1];
    if (starts.has(from)) headingEnd = lineAt(content.text, from)[1];
    let piece = content.text.slice(from, to);
    if (to <= headingEnd) piece = element("strong", piece);
    if (from >= quote[0] && to <= quote[1]) piece = element("span", piece, "quoted");
    parent.append(piece);
  });
  text.replaceChildren(fragment);
  if (start < end) passage.scrollIntoView({ block: "center" });
  else text.scrollTop = 0;
}

function lineAt(words, from) {
  const end = words.indexOf("\n", from);
  return [from, end < 0 ? words.length : end];
}

function quoteIn(words, quote, start, end) {
  const trimmed = quote.trim();
  const found = words.indexOf(trimmed, start);
  const isPart = trimmed && found >= 0 && found + trimmed.length < end + 1;
  return isPart && trimmed.length < end - start ? [found, found + trimmed.length] : [0, 0];
}

// The API counts code points, JavaScript counts UTF-16 units: they differ after the first emoji.
function locate(words, citation) {
  const [start, end] = inUnits(words, [citation.start, citation.end]);
  if (words.slice(start, end) === citation.passage) return { start, end, moved: false };
  for (const wanted of [citation.passage, citation.quote.trim()]) {
    const found = wanted ? words.indexOf(wanted) : -1;
    if (found >= 0) return { start: found, end: found + wanted.length, moved: true };
  }
  return null;
}

function unitsOf(content) {
  const offsets = [...content.pages, ...content.headings].map((item) => item.start);
  const units = inUnits(content.text, offsets);
  return new Map(offsets.map((offset, i) => [offset, units[i]]));
}

function inUnits(words, offsets) {
  const order = offsets.map((offset, i) => [offset, i]).sort((a, b) => a[0] - b[0]);
  const units = new Array(offsets.length);
  let point = 0;
  let unit = 0;
  for (const [offset, i] of order) {
    while (point < offset && unit < words.length) {
      unit += words.codePointAt(unit) > 0xffff ? 2 : 1;
      point++;
    }
    units[i] = unit;
  }
  return units;
}

function element(name, words, className = "") {
  const made = document.createElement(name);
  made.textContent = words;
  if (className) made.className = className;
  return made;
}

function pageMark(number) {
  const made = element("span", "", "page");
  made.dataset.label = `Page ${number}`; // shown by the style sheet: it is not of the text
  return made;
}

function say(sentence) {
  note.textContent = sentence;
  note.hidden = !sentence;
}
