// Times, sizes and languages as people read them.

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

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(bytes < 1e4 ? 1 : 0)} kB`;
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

let languages = null;
try {
  languages = new Intl.DisplayNames(undefined, { type: "language" });
} catch {
  // An old browser: the code has to do.
}

export function about({ language, words }) {
  const parts = [];
  if (language) parts.push(languageName(language));
  if (words != null) parts.push(`${words.toLocaleString()} ${words === 1 ? "word" : "words"}`);
  return parts.join(" · ");
}

function languageName(code) {
  try {
    return languages?.of(code) ?? code;
  } catch {
    return code; // not a code that the browser takes
  }
}
