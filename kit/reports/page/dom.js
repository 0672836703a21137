// Elements from data.  Text goes into the document as text nodes only: nothing here parses markup.

function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

function fill(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

// Characters that are invisible or change how others look: controls, bidirectional marks, zero widths.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/u;
const UNSEEN_RUN = new RegExp(`(${UNSEEN.source})`, "u");

// A text from the data: isolated from the text direction around it, its invisible characters shown.
function data(text, attributes = {}) {
  return el("bdi", attributes, ...shown(text));
}

function shown(text) {
  if (!UNSEEN.test(text)) return [document.createTextNode(text)];
  return text.split(UNSEEN_RUN).filter((part) => part !== "").map((part) =>
    part.length === 1 && UNSEEN.test(part)
      ? el("span", { class: "unseen", title: t("an invisible character") }, codeOf(part))
      : document.createTextNode(part));
}

// The same for places that hold only text, such as titles of shapes.
function visible(text) {
  return text.split(UNSEEN_RUN).map((part) => (part.length === 1 && UNSEEN.test(part) ? codeOf(part) : part)).join("");
}

function codeOf(character) {
  return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

function answerText(text) {
  return text === "" ? el("span", { class: "blank" }, t("(blank)")) : data(text, { class: "answer" });
}

const NUMBERS = new Intl.NumberFormat("en");
const count = (number) => NUMBERS.format(number);
const edit = (number) => number.toFixed(3);
const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;
const signed = (number, digits = 3) => `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(digits)}`;

function interval(one) {
  return one.low === null ? t(one.reason) : t("{low} to {high}", { low: one.low.toFixed(3), high: one.high.toFixed(3) });
}
