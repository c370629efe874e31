/* The line one writes in: keeps its draft, grows with the text, and counts near the limit. */

import * as store from "./store.js";

const NEAR = 0.9;

export class Composer {
  #form = document.getElementById("composer");
  #area = document.getElementById("message");
  #count = document.getElementById("count");
  #limit;
  #send;

  /** `send(text)` gets what was written, without the space around it. */
  constructor(limit, send) {
    this.#limit = limit;
    this.#send = send;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#area.addEventListener("keydown", (event) => this.#key(event));
    this.#area.addEventListener("input", () => this.#written());
    store.onChange((key) => {
      if ((key === "draft" || !key) && !document.hasFocus()) this.restore();
    });
    window.addEventListener("resize", () => this.#fit());
    this.restore();
  }

  restore() {
    this.#area.value = store.get("draft", "");
    this.#written();
  }

  /** Puts a message back for editing, above whatever has been begun since. */
  takeBack(text) {
    this.#area.value = [text, this.#area.value].filter(Boolean).join("\n\n");
    this.#written();
    this.focus();
  }

  focus() {
    this.#area.focus({ preventScroll: true });
    this.#fit();
  }

  #key(event) {
    // Enter also ends the composition of a Chinese or Japanese word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.#area.value.trim();
    this.focus();
    if (!text || lengthOf(text) > this.#limit) return;
    this.#area.value = "";
    this.#written();
    this.#send(text);
  }

  #written() {
    const draft = this.#area.value;
    if (draft) store.set("draft", draft);
    else store.remove("draft");
    this.#counted(lengthOf(draft.trim()));
    this.#fit();
  }

  #counted(length) {
    const left = this.#limit - length;
    const over = left < 0;
    const most = this.#limit.toLocaleString("en-GB");
    const many = plural(Math.abs(left), "character");
    this.#count.hidden = length < this.#limit * NEAR;
    this.#count.classList.toggle("over", over);
    this.#area.setAttribute("aria-invalid", over);
    this.#count.textContent = this.#count.hidden
      ? ""
      : over
        ? `${many} too many: a message may have up to ${most}.`
        : `${many} left`;
  }

  #fit() {
    this.#area.style.height = "auto";
    this.#area.style.height = `${this.#area.scrollHeight + 2}px`; // and its border
  }
}

/** Counted in characters, as the gateway does, not in UTF-16 halves. */
function lengthOf(text) {
  return [...text].length;
}

function plural(count, word) {
  return `${count.toLocaleString("en-GB")} ${word}${count === 1 ? "" : "s"}`;
}
