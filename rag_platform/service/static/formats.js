// Times, sizes and what documents say of themselves, as people read them.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

export function when(element, stamp) {
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

// In steps of 1024, as the limits count.
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const kilobytes = bytes / 1024;
  return kilobytes < 1023.5 ? `${short(kilobytes)} kB` : `${short(kilobytes / 1024)} MB`;
}

function short(number) {
  return number < 9.95 ? number.toFixed(1) : number.toFixed(0);
}

// A file's name as it may be shown: what steers the direction of writing or breaks the line would
// make it look like another one.
export function visible(name) {
  return name.replace(STEERING, "\ufffd");
}

const STEERING =
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const graphemes = Intl.Segmenter && new Intl.Segmenter();

// At most so many characters; the middle is left out, since names of one kind differ at their ends.
export function shortened(text, most) {
  if (text.length <= most) return text;
  const parts = graphemes ? [...graphemes.segment(text)].map(({ segment }) => segment) : [...text];
  if (parts.length <= most) return text;
  const behind = Math.floor((most - 1) / 2);
  return `${parts.slice(0, most - 1 - behind).join("")}…${parts.slice(-behind).join("")}`;
}

let languages = null;
try {
  languages = new Intl.DisplayNames(undefined, { type: "language" });
} catch {
  // An old browser: the code has to do.
}

export function about({ author, language, words, modified, created }) {
  const parts = [];
  if (author) parts.push(author);
  if (language) parts.push(languageName(language));
  if (words != null) parts.push(`${words.toLocaleString()} ${words === 1 ? "word" : "words"}`);
  if (modified ?? created) parts.push(`dated ${day.format(new Date(modified ?? created))}`);
  return parts.join(" · ");
}

function languageName(code) {
  try {
    return languages?.of(code) ?? code;
  } catch {
    return code; // not a code that the browser takes
  }
}
