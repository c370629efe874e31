/* The page works without this. It leads from a mistake to its line, and asks before changes are lost. */

import { byId } from "./dom.js";

const box = byId("policies.text");
const saved = box.defaultValue;
let leaving = false;

for (const link of document.querySelectorAll("[data-line]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    toLine(Number(link.dataset.line));
  });
}

function toLine(number) {
  const lines = box.value.split("\n");
  const start = lines.slice(0, number - 1).join("\n").length + (number > 1 ? 1 : 0);
  box.focus();
  box.setSelectionRange(start, start + (lines[number - 1]?.length ?? 0));
  const height = box.scrollHeight / Math.max(1, lines.length);
  box.scrollTop = Math.max(0, (number - 5) * height);
}

function where() {
  const line = box.value.slice(0, box.selectionStart).split("\n").length;
  byId("policies.where").textContent = `Line ${line}. A mistake is named with its line; nothing is saved until there is none.`;
}

for (const kind of ["keyup", "click"]) box.addEventListener(kind, where);
box.form.addEventListener("submit", () => (leaving = true));
addEventListener("beforeunload", (event) => {
  if (!leaving && box.value !== saved) event.preventDefault();
});
