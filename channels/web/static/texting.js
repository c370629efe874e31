/* Going on by text: a number, then the code that was sent to it. */

import { confirmPhone, sendCode } from "./api.js";

const $ = (id) => document.getElementById(id);

export class Texting {
  #conversation;
  #sent = false; // a code is waited for
  #busy = false;

  /** `conversation()` is the one that goes on, opened if there is none yet. */
  constructor(conversation) {
    this.#conversation = conversation;
    if (!document.documentElement.dataset.texting) return;
    $("by-text").hidden = false;
    $("by-text").addEventListener("click", () => this.#open($("texting").hidden));
    $("texting-cancel").addEventListener("click", () => this.#open(false));
    $("texting").addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation(); // it would close the chat
      this.#open(false);
    });
    $("texting").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#go();
    });
    this.#step(false);
  }

  #open(open) {
    $("texting").hidden = !open;
    $("by-text").setAttribute("aria-expanded", String(open));
    if (!open) return $("by-text").focus();
    this.#step(false);
    this.#say("");
    $("texting-field").focus();
  }

  #step(sent) {
    this.#sent = sent;
    const field = $("texting-field");
    field.value = "";
    field.type = sent ? "text" : "tel";
    field.inputMode = sent ? "numeric" : "tel";
    field.autocomplete = sent ? "one-time-code" : "tel";
    $("texting-label").textContent = sent ? "The code that we texted you" : "Your mobile number";
    $("texting-go").textContent = sent ? "Go on by text" : "Text me a code";
  }

  async #go() {
    const text = $("texting-field").value.trim();
    if (!text || this.#busy) return;
    this.#busy = true;
    this.#say("One moment …");
    try {
      const conversation = await this.#conversation();
      if (this.#sent) {
        await confirmPhone(conversation, text);
        this.#open(false);
        $("by-text").hidden = true;
      } else {
        const { number } = await sendCode(conversation, text);
        this.#step(true);
        this.#say(`A code is on its way to ${number}.`);
        $("texting-field").focus();
      }
    } catch (trouble) {
      this.#say(trouble.detail || "That did not work. Try again in a moment.");
      if (trouble.status === 429 && this.#sent) this.#step(false);
    } finally {
      this.#busy = false;
    }
  }

  #say(text) {
    $("texting-said").textContent = text;
  }
}
