// The page's own words, in the reader's language.  A text of the data is never translated.

const read = (id) => document.getElementById(id).textContent;
const REPORT = JSON.parse(read("index"));
const LANGUAGES = { en: "English", ko: "한국어" };
const ASKED_FOR = new URLSearchParams(location.hash.slice(1)).get("lang");
const LANGUAGE = Object.hasOwn(LANGUAGES, ASKED_FOR ?? "") ? ASKED_FOR
  : REPORT.language ?? (navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en");
document.documentElement.lang = LANGUAGE;

const template = (english) => (LANGUAGE === "ko" && Object.hasOwn(REPORT.korean, english) ? REPORT.korean[english] : english);

// The text in the reader's language, with *values* for its {names}.
function t(english, values = {}) {
  return template(english).replace(/\{(\w+)\}/g, (_, name) => String(phrase(values[name] ?? "")));
}

// The same with elements among the values: a list of texts and elements.
function pieces(english, values) {
  return template(english).split(/\{(\w+)\}/).map((part, at) => (at % 2 ? phrase(values[part] ?? "") : part)).filter((part) => part !== "");
}

// A sentence of the kit comes as {say, …values}, a text of the data as it is.
function phrase(one) {
  return one !== null && typeof one === "object" && Object.hasOwn(one, "say") ? t(one.say, one) : one;
}

function plural(number, word) {
  return t(`{n} ${word}${number === 1 ? "" : "s"}`, { n: count(number) });
}
