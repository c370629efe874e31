/* The part of markdown that answers are written in, as DOM nodes. No text ever becomes HTML, so
 * whatever an answer holds, it can do no more than look odd. */

const DEPTH = 4;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const RULE = /^\s*([-*_])(\s*\1){2,}\s*$/;
const HEADING = /^\s{0,3}#{1,6}\s+(.*?)\s*#*$/;
const DIVIDER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const FENCE = /^\s*(```|~~~)/;

// The help page that the text was taken from. Rendering is one synchronous call, so one place is
// enough to remember it in.
let page = "";

/** The text as nodes. `source` is the address of its article, which relative links start from. */
export function markdown(text, source = "") {
  page = source;
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(String(text).replace(/\r\n?/g, "\n").split("\n"), 0));
  return fragment;
}

function element(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

function blocks(lines, depth) {
  const made = [];
  for (let at = 0; at < lines.length; ) {
    const [node, next] = block(lines, at, depth);
    if (node) made.push(node);
    at = next;
  }
  return made;
}

/** The block that begins at this line, and where the next one does. */
function block(lines, at, depth) {
  const line = lines[at];
  if (!line.trim() || RULE.test(line)) return [null, at + 1];
  const heading = HEADING.exec(line);
  if (heading) return [element("p", element("strong", ...inline(heading[1]))), at + 1];
  if (FENCE.test(line)) return fence(lines, at);
  if (ITEM.test(line) && depth < DEPTH) return list(lines, at, depth);
  if (isTable(lines, at)) return table(lines, at);
  if (/^\s*>/.test(line) && depth < DEPTH) return quote(lines, at, depth);
  return paragraph(lines, at, depth);
}

function fence(lines, at) {
  const mark = FENCE.exec(lines[at])[1];
  let end = at + 1;
  while (end < lines.length && !lines[end].trim().startsWith(mark)) end++;
  return [element("pre", element("code", lines.slice(at + 1, end).join("\n"))), end + 1];
}

function quote(lines, at, depth) {
  let end = at;
  while (end < lines.length && /^\s*>/.test(lines[end])) end++;
  const inner = lines.slice(at, end).map((line) => line.replace(/^\s*> ?/, ""));
  return [element("blockquote", ...blocks(inner, depth + 1)), end];
}

function list(lines, at, depth) {
  const [, indent, mark] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(mark);
  const made = element(ordered ? "ol" : "ul");
  if (ordered && parseInt(mark) !== 1) made.setAttribute("start", parseInt(mark));
  const base = indent.length;
  let end = at;
  while (end < lines.length) {
    const item = ITEM.exec(lines[end]);
    if (!item || item[1].length > base + 1 || item[1].length < base) break;
    if (/\d/.test(item[2]) !== ordered) break;
    const inner = [item[3]];
    for (end++; end < lines.length && belongs(lines, end, base); end++) {
      inner.push(lines[end].slice(Math.min(base + 2, indentOf(lines[end]))));
    }
    made.append(entry(inner, depth));
    // A blank line between two items does not end the list.
    const next = after(lines, end);
    if (ITEM.test(lines[next] ?? "")) end = next;
  }
  return [made, end];
}

/** Whether this line continues the item above: indented deeper, or text right below it. */
function belongs(lines, at, base) {
  if (!lines[at].trim()) {
    const next = after(lines, at);
    return next < lines.length && indentOf(lines[next]) >= base + 2;
  }
  if (indentOf(lines[at]) >= base + 2) return true;
  return Boolean(lines[at - 1].trim()) && !startsBlock(lines, at);
}

function entry(lines, depth) {
  const inner = blocks(lines, depth + 1);
  // One paragraph, perhaps with a list below it, stands without the space of a paragraph.
  if (inner[0]?.tagName === "P") inner.splice(0, 1, ...inner[0].childNodes);
  return element("li", ...inner);
}

function indentOf(line) {
  return line.length - line.trimStart().length;
}

/** The first line from here that is not blank. */
function after(lines, at) {
  while (at < lines.length && !lines[at].trim()) at++;
  return at;
}

function startsBlock(lines, at) {
  const line = lines[at];
  return [ITEM, HEADING, RULE, FENCE, /^\s*>/].some((it) => it.test(line)) || isTable(lines, at);
}

function paragraph(lines, at, depth) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !(depth < DEPTH && startsBlock(lines, end))) end++;
  const text = lines.slice(at, end).map((line) => line.trim().replace(/\\$/, ""));
  return [element("p", ...inline(text.join("\n"))), end];
}

function isTable(lines, at) {
  const next = lines[at + 1] ?? "";
  return lines[at].includes("|") && next.includes("-") && next.includes("|") && DIVIDER.test(next);
}

function table(lines, at) {
  const sides = cells(lines[at + 1]).map((cell) => {
    if (/^:-*:$/.test(cell)) return "centre";
    return cell.endsWith(":") ? "right" : "";
  });
  const row = (line, tag) => {
    const texts = cells(line);
    return element("tr", ...sides.map((side, column) => {
      const cell = element(tag, ...inline(texts[column] ?? ""));
      if (side) cell.className = side;
      if (tag === "th") cell.scope = "col";
      return cell;
    }));
  };
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) end++;
  const body = lines.slice(at + 2, end).map((line) => row(line, "td"));
  const made = element("table", element("thead", row(lines[at], "th")), element("tbody", ...body));
  const frame = element("div", made);
  frame.className = "wide";
  frame.tabIndex = 0; // so that the keyboard can scroll it
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-label", "Table");
  return [frame, end];
}

function cells(line) {
  const inner = line.trim().replace(/^\|/, "").replace(/([^\\]|^)\|$/, "$1");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/* Inside a line: the first alternative that fits wins, everything else is text. */
const INLINE = new RegExp(
  [
    /\\([!-/:-@[-`{-~])/, // 1 an escaped character
    /(`{1,3})(.{1,2000}?)\2(?!`)/, // 2, 3 code
    /!\[([^\]\n]*)\]\([^()\s]*\)/, // 4 an image: its description
    /\[((?:[^[\]\\]|\\.){1,400})\]\(\s*<?((?:[^()\s<>]|\([^()\s]*\)){1,800})>?(?:\s+"[^"\n]*")?\s*\)/, // 5, 6
    /<((?:https?:\/\/|mailto:)[^<>\s]+)>/, // 7 an address in brackets
    /(https?:\/\/[^\s<>()[\]"]*[^\s<>()[\]".,;:!?'*_])/, // 8 a bare address
    /\*\*(?=\S)([^]{0,2000}?\S)\*\*(?!\*)/, // 9 bold
    /(?<![\p{L}\d_])__(?=\S)([^]{0,2000}?\S)__(?![\p{L}\d_])/, // 10 bold
    /\*(?=[^\s*])([^]{0,2000}?[^\s*])\*(?!\*)/, // 11 italic
    /(?<![\p{L}\d_])_(?=[^\s_])([^]{0,2000}?[^\s_])_(?![\p{L}\d_])/, // 12 italic
    /(\n)/, // 13 a line break
  ].map((part) => part.source).join("|"),
  "gu",
);

function inline(text, depth = 0) {
  if (depth > DEPTH) return [text];
  const made = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > from) made.push(text.slice(from, found.index));
    from = found.index + found[0].length;
    made.push(...piece(found, depth));
  }
  if (from < text.length) made.push(text.slice(from));
  return made;
}

function piece(found, depth) {
  const [, escaped, , code, image, label, target, pointed, bare] = found;
  const bold = found[9] ?? found[10];
  const italic = found[11] ?? found[12];
  if (escaped !== undefined) return [escaped];
  if (code !== undefined) return [element("code", code.trim() || code)];
  if (image !== undefined) return [image];
  if (label !== undefined) return link(target, inline(label, depth + 1));
  if (pointed !== undefined) return link(pointed, [pointed.replace(/^mailto:/, "")]);
  if (bare !== undefined) return link(bare, [bare]);
  if (bold !== undefined) return [element("strong", ...inline(bold, depth + 1))];
  if (italic !== undefined) return [element("em", ...inline(italic, depth + 1))];
  return [document.createElement("br")];
}

function link(target, children) {
  const address = safe(target);
  if (!address) return children;
  const made = element("a", ...children);
  made.href = address;
  if (/^(https?:|\/)/i.test(address)) {
    made.target = "_blank";
    made.rel = "noopener noreferrer";
  }
  return [made];
}

/** The address when a customer may follow it, else null. Articles link to their neighbours' files
 * ("../refunds/refund-times.md"), which the help pages show without the ending. */
export function safe(target) {
  if (/^[\w./-]+\.md(#[\w-]*)?$/.test(target) && !target.startsWith("/")) return neighbour(target);
  if (/^\/(?![/\\])/.test(target)) return /\.md(#|$)/.test(target) ? null : target;
  if (!/^(https?:\/\/|mailto:|tel:)/i.test(target)) return null;
  try {
    return new URL(target).href;
  } catch {
    return null;
  }
}

function neighbour(target) {
  if (!page) return null;
  const there = new URL(target, new URL(page, location.origin));
  if (!there.pathname.startsWith("/help/")) return null;
  return there.pathname.replace(/\.md$/, "") + there.hash;
}
