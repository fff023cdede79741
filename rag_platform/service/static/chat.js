// The chat page: ask, watch the answer arrive, open its passages, rate it.
// Everything that comes from documents, models or people is set as text, never as HTML.

import { open, placeOf } from "/static/reader.js";
import { get, post } from "/static/requests.js";
import { events } from "/static/stream.js";

const turns = document.getElementById("turns");
const welcome = document.getElementById("welcome");
const announcer = document.getElementById("announcer");
const composer = document.getElementById("composer");
const question = document.getElementById("question");
const collection = document.getElementById("collection");
const ask = document.getElementById("ask");
const stop = document.getElementById("stop");
const scroller = document.getElementById("main");

let conversation = null;
let asking = null;

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const words = question.value.trim();
  if (!words || asking) return;
  question.value = "";
  grow();
  answer(words);
});
question.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
});
question.addEventListener("input", grow);
stop.addEventListener("click", () => asking?.abort());
document.getElementById("example").addEventListener("click", (event) => {
  question.value = event.currentTarget.textContent.trim();
  composer.requestSubmit();
});
collection.addEventListener("focus", listCollections);
listCollections();
if (matchMedia("(hover: hover)").matches) question.focus();

async function answer(words) {
  const turn = new Turn(words);
  welcome.hidden = true;
  turns.append(turn.element);
  scroller.scrollTop = scroller.scrollHeight;
  asking = new AbortController();
  ask.hidden = true;
  stop.hidden = false;
  try {
    const body = { question: words, stream: true };
    if (collection.value) body.collections = [collection.value];
    if (conversation) body.conversation_id = conversation;
    const response = await post("/v1/chat", body, { signal: asking.signal });
    for await (const event of events(response)) {
      const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
      turn.take(event);
      if (atEnd) scroller.scrollTop = scroller.scrollHeight;
    }
    turn.ended();
  } catch (error) {
    if (error.name === "AbortError") turn.stopped();
    else turn.fail(error.message, error.status);
  } finally {
    asking = null;
    const focused = document.activeElement === stop;
    ask.hidden = false;
    stop.hidden = true;
    if (focused) question.focus();
  }
}

async function listCollections() {
  if (collection.options.length > 1) return;
  try {
    const found = await get("/v1/collections?limit=500");
    const names = found.collections.map(({ name }) => new Option(name, name));
    collection.replaceChildren(collection.options[0], ...names);
  } catch {
    // The page works without the list; asking will say what is wrong.
  }
}

function grow() {
  question.rows = 1;
  const line = parseFloat(getComputedStyle(question).lineHeight);
  question.rows = Math.min(8, Math.max(1, Math.floor(question.scrollHeight / line)));
}

class Turn {
  constructor(words) {
    this.element = copy("turn-template");
    this.part("question").textContent = words;
    this.part("retry").addEventListener("click", () => {
      if (asking) return;
      this.element.remove();
      question.focus();
      answer(words);
    });
    this.words = "";
    this.citations = new Map();
    this.passages = new Map();
    this.done = false;
    this.element.addEventListener("click", (event) => {
      const button = event.target.closest("[data-n]");
      if (!button) return;
      const citation = this.citations.get(Number(button.dataset.n));
      open({ ...citation, passage: this.passages.get(citation.chunk_id) }, button);
    });
  }

  part(name) {
    return this.element.querySelector(`.${name}`);
  }

  take({ name, data }) {
    if (name === "passages") this.find(data.passages);
    else if (name === "token") this.write(this.words + data.text);
    else if (name === "citation") this.cite(data);
    else if (name === "done") this.finish(data);
    else if (name === "error") this.fail(data.detail, data.status);
  }

  find(passages) {
    for (const passage of passages) this.passages.set(passage.chunk_id, passage.text);
    this.part("phase").textContent = "Writing the answer…";
  }

  cite(citation) {
    this.citations.set(citation.n, citation);
    this.write(this.words);
  }

  write(words) {
    this.words = words;
    if (words) this.part("progress").hidden = true;
    const pieces = words.split(/\[(\d+)\]/).map((piece, i) => {
      if (i % 2 === 0) return piece;
      return this.citations.has(Number(piece)) ? this.reference(Number(piece)) : `[${piece}]`;
    });
    this.part("answer").replaceChildren(...pieces);
  }

  reference(n) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "reference";
    button.dataset.n = n;
    button.textContent = n;
    button.setAttribute("aria-label", `Source ${n}: ${this.citations.get(n).document.title}`);
    return button;
  }

  finish(answer) {
    this.done = true;
    conversation = answer.conversation_id;
    this.citations = new Map(answer.citations.map((citation) => [citation.n, citation]));
    this.write(answer.answer);
    this.element.dataset.status = answer.status;
    this.element.dataset.answer = answer.answer_id;
    this.settle();
    this.notice(answer.notice);
    this.part("sources").hidden = answer.citations.length === 0;
    this.part("sources").querySelector("ol").replaceChildren(...answer.citations.map(source));
    const seconds = (answer.timings_ms.total / 1000).toFixed(1);
    this.part("made").textContent =
      answer.status === "abstained" ? `${seconds} s` : `${answer.model} · ${seconds} s`;
    this.element.querySelector("footer").hidden = false;
    new Rating(this.element, answer.answer_id);
    const count = answer.citations.length;
    const sources = count === 1 ? "1 source" : `${count} sources`;
    announcer.textContent = `${OUTCOMES[answer.status]} ${count ? sources : "No sources"}.`;
  }

  notice(sentence) {
    const notice = this.part("notice");
    notice.textContent = sentence ?? "";
    notice.hidden = !sentence;
  }

  stopped() {
    this.settle();
    if (!this.done) this.notice("Stopped before the answer was complete.");
  }

  ended() {
    if (!this.done && this.part("error").hidden) {
      this.fail("The connection ended before the answer was complete. Ask again.");
    }
  }

  // Without a status nothing answered at all, or not to the end.
  fail(sentence, status = 503) {
    this.settle();
    this.part("retry").hidden = status < 500;
    const error = this.part("error");
    error.textContent = sentence;
    error.hidden = false;
  }

  settle() {
    this.part("progress").hidden = true;
    this.part("reply").removeAttribute("aria-busy");
  }
}

const OUTCOMES = {
  complete: "The answer is complete.",
  abstained: "Nothing relevant was found.",
  incomplete: "The answer is incomplete.",
  failed: "The answer failed.",
};

function source(citation) {
  const item = copy("source-template");
  const button = item.querySelector("button");
  button.dataset.n = citation.n;
  item.querySelector(".n").textContent = citation.n;
  item.querySelector(".title").textContent = citation.document.title;
  item.querySelector(".place").textContent = placeOf(citation);
  item.querySelector(".quote").textContent = citation.quote;
  return item;
}

class Rating {
  constructor(turn, answer) {
    this.path = `/v1/answers/${encodeURIComponent(answer)}/rating`;
    this.buttons = [...turn.querySelectorAll("[data-rating]")];
    this.saved = turn.querySelector(".saved");
    this.feedback = turn.querySelector(".feedback");
    for (const button of this.buttons) {
      button.addEventListener("click", () => this.save(this.verdict(button.dataset.rating)));
    }
    this.feedback.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.comment()) this.save(this.verdict("down"));
    });
  }

  // What is left out stays as it is stored.
  verdict(rating) {
    const comment = this.comment();
    return rating === "down" && comment ? { rating, comment } : { rating };
  }

  comment() {
    return this.feedback.elements.comment.value.trim();
  }

  async save(verdict) {
    this.saved.textContent = "Saving…";
    try {
      const stored = await (await post(this.path, verdict)).json();
      for (const button of this.buttons) {
        button.setAttribute("aria-pressed", String(button.dataset.rating === stored.rating));
      }
      this.saved.textContent = stored.comment ? "Saved, thank you" : "Saved";
      this.feedback.hidden = stored.rating !== "down" || Boolean(stored.comment);
      if (!this.feedback.hidden) this.feedback.scrollIntoView({ block: "nearest" });
    } catch (error) {
      this.saved.textContent = error.message;
    }
  }
}

function copy(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}
