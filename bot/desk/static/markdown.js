/* The part of markdown that the bot's answers are written in, as DOM nodes. No text ever becomes
 * HTML, so whatever an answer holds, it can do no more than look odd. */

import { el } from "./dom.js";

const ITEM = /^\s*(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;
const HEADING = /^\s{0,3}#{1,6}\s+(.*?)\s*#*$/;
const INLINE = new RegExp(
  [
    /\[([^[\]\n]{1,400})\]\(([^()\s]{1,800})\)/, // 1, 2 a link
    /\*\*(\S(?:[^\n]{0,2000}?\S)?)\*\*/, // 3 bold
    /(?<![\p{L}\d*])\*([^\s*](?:[^*\n]{0,2000}?[^\s*])?)\*(?![\p{L}\d*])/, // 4 italic
    /`([^`\n]+)`/, // 5 code
    /(https?:\/\/[^\s<>()[\]"]*[^\s<>()[\]".,;:!?'*_])/, // 6 a bare address
  ].map((part) => part.source).join("|"),
  "gu",
);

export function markdown(text) {
  const made = [];
  for (const part of text.replaceAll("\r\n", "\n").split(/\n\s*\n/)) made.push(...block(part));
  return made;
}

/** Paragraphs and lists in lines that no blank line divides. */
function block(part) {
  const made = [];
  let lines = [];
  const flush = () => {
    if (lines.length) made.push(paragraph(lines));
    lines = [];
  };
  for (const line of part.split("\n").filter((it) => it.trim())) {
    const item = ITEM.exec(line);
    const heading = HEADING.exec(line);
    const last = made.at(-1);
    if (item) {
      flush();
      addItem(made, item);
    } else if (heading) {
      flush();
      made.push(el("p", {}, el("strong", {}, ...inline(heading[1]))));
    } else if (!lines.length && /^\s/.test(line) && last?.matches("ul, ol")) {
      last.lastElementChild.append(" ", ...inline(line.trim())); // it goes on in the next line
    } else {
      lines.push(line.trim());
    }
  }
  flush();
  return made;
}

function addItem(made, [, number, text]) {
  const tag = number ? "OL" : "UL";
  let list = made.at(-1);
  if (list?.tagName !== tag) {
    list = el(tag, { start: number && number !== "1" ? number : null });
    made.push(list);
  }
  list.append(el("li", {}, ...inline(text)));
}

function paragraph(lines) {
  const nodes = lines.flatMap((line, at) => (at ? [el("br"), ...inline(line)] : inline(line)));
  return el("p", {}, ...nodes);
}

function inline(text) {
  const made = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > from) made.push(text.slice(from, found.index));
    from = found.index + found[0].length;
    made.push(piece(found));
  }
  if (from < text.length) made.push(text.slice(from));
  return made;
}

function piece([, label, target, bold, italic, code, bare]) {
  if (label !== undefined) return link(target, inline(label));
  if (bold !== undefined) return el("strong", {}, ...inline(bold));
  if (italic !== undefined) return el("em", {}, ...inline(italic));
  if (code !== undefined) return el("code", {}, code);
  return link(bare, [bare]);
}

/** A link that opens beside the desk; an address that nobody should follow stays text. */
export function link(target, children) {
  const address = safe(target);
  if (!address) return el("span", {}, ...children);
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

function safe(target) {
  if (/^\/(?![/\\])/.test(target)) return target;
  if (!/^(https?:\/\/|mailto:|tel:)/i.test(target)) return null;
  return URL.canParse(target) ? target : null;
}
