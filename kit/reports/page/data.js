// The report's contents.  Columns are read at once; contexts and details are large and packed: they are unpacked
// after the first drawing, and a question's details are decoded when it is opened.

const Q = REPORT.questions;
const TOTAL = Q.guid.length;
const FACETS = REPORT.facets.filter((facet) => !facet.reason).map((facet) => ({
  ...facet, title: phrase(facet.title), unit: phrase(facet.unit), labels: facet.labels.map(phrase),
}));
const TYPES = REPORT.error_types.map((one) => ({ say: one.name.say, name: phrase(one.name), meaning: phrase(one.meaning) }));
const FACET = Object.fromEntries(FACETS.map((facet) => [facet.key, facet]));
const NUMBER = new Map(Q.guid.map((guid, number) => [guid, number]));
const VERSUS = REPORT.versus && REPORT.scores.find((row) => row.role === "versus");
const MEMBERS = REPORT.members.map((member, at) => ({
  ...member,
  distance: (REPORT.scores.filter((one) => one.role === "member")[at] || REPORT.scores[0]).distance,
}));
const GLYPHS = ["✓", "⊂", "⊃", "은", "✗", "∅", "!"];

const gold = (number) => (Q.golds[number].length ? Q.golds[number][0][0] : "");
const memberAnswer = (member, number) => member.answer[number] ?? Q.answer[number];
const rivalAnswer = (number) => REPORT.versus.answer[number] ?? Q.answer[number];
const codePoints = (text) => (/[\ud800-\udfff]/.test(text) ? Array.from(text).length : text.length);

const GOLD_LENGTH = Q.guid.map((_, number) => codePoints(gold(number)));
const LENGTH = Q.answer.map(codePoints);

// {contexts, details} once they are unpacked, null before.
let unpacked = null;
let unpacking = null;

function texts() {
  unpacking ??= Promise.all(["contexts", "details"].map(unpack)).then(([contexts, details]) => {
    unpacked = { contexts: JSON.parse(contexts), details: details.split("\n") };
  });
  return unpacking;
}

function unpack(id) {
  const stream = new Blob([bytesOf(read(id))]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

function bytesOf(base64) {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = characters.charCodeAt(at);
  return bytes;
}

const context = (number) => unpacked.contexts[Q.context[number]];
const details = (number) => JSON.parse(unpacked.details[number]);

// Four bytes a position: three of the place, one of the probability in steps of 1/255.
function unpackHeatmaps(text) {
  const bytes = bytesOf(text);
  const view = new DataView(bytes.buffer);
  const sides = [];
  for (let at = 0; at < bytes.length;) {
    const size = bytes[at++];
    const side = [];
    for (let index = 0; index < size; index++, at += 4) {
      const word = view.getUint32(at, true);
      side.push({ place: word >>> 8, p: (word & 255) / 255 });
    }
    sides.push(side);
  }
  return sides;
}

let haystacks = null;

// What a search looks through: question, answers, golds, title and context, in lower case.
function haystack(number) {
  haystacks ??= new Array(TOTAL);
  haystacks[number] ??= [
    Q.guid[number], Q.text[number], Q.title[number], Q.answer[number],
    ...Q.golds[number].map(([text]) => text), ...MEMBERS.map((member) => member.answer[number] ?? ""),
  ].join("\n").toLowerCase();
  return haystacks[number];
}

let lowered = null;

function loweredContext(number) {
  lowered ??= unpacked.contexts.map((text) => text.toLowerCase());
  return lowered[Q.context[number]];
}
