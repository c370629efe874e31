/* Saved replies: all of them in a panel, one by its name, and keeping another. */

import * as api from "./api.js";
import { byId, el } from "./dom.js";
import { Shortcuts } from "./shortcuts.js";

export class Saved {
  #composer;
  #fields;
  #replies = [];

  /** `fields()` returns the values of {agent}, {number} and {business}. */
  constructor(composer, fields) {
    this.#composer = composer;
    this.#fields = fields;
    byId("saved-open").addEventListener("click", () => this.toggle(byId("saved").hidden));
    byId("save-reply").addEventListener("click", () => this.#ask());
    byId("saved").addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.toggle(false);
      byId("saved-open").focus();
    });
    new Shortcuts(() => this.#replies, (reply) => this.#use(reply));
    this.#load();
  }

  toggle(open) {
    this.#open(open);
    if (open) this.#load();
  }

  #open(open) {
    byId("saved").hidden = !open;
    byId("saved-open").setAttribute("aria-expanded", String(open));
  }

  async #load() {
    const { replies } = await api.savedReplies().catch(() => ({ replies: this.#replies }));
    this.#replies = replies;
    if (!byId("saved").querySelector("form")) this.#show(); // a name is being written there
  }

  #show(said = "") {
    const rows = this.#replies.map((it) => this.#row(it));
    const none = el("p", {}, "None is kept yet. Write a reply, then choose “Keep this reply”.");
    byId("saved").replaceChildren(
      el("p", { role: "status" }, said),
      ...(rows.length ? [el("ul", {}, ...rows)] : [none]),
    );
  }

  #row(reply) {
    const row = el("li", { class: "saved" });
    const put = () => {
      this.toggle(false);
      this.#use(reply);
    };
    const ask = () => {
      row.replaceChildren(`Delete “${reply.name}” for all colleagues? `,
        button("Delete it", () => this.#delete(reply)), " ", button("Keep it", () => this.#show()));
      row.querySelector("button").focus();
    };
    row.append(el("b", {}, reply.name), " ", el("span", {}, this.#filled(reply.text)), " ",
      button("Put into the reply", put, `Put “${reply.name}” into the reply`), " ",
      button("Delete", ask, `Delete “${reply.name}”`));
    return row;
  }

  async #delete(reply) {
    try {
      await api.deleteReply(reply.id);
    } catch (trouble) {
      return this.#show(trouble.message);
    }
    await this.#load();
    this.#show("Deleted.");
    byId("saved-open").focus();
  }

  #use(reply) {
    this.#composer.insert(this.#filled(reply.text));
  }

  #filled(text) {
    const values = this.#fields();
    return text.replace(/\{(agent|number|business)\}/g, (_, name) => values[name]);
  }

  /** Asks for the name under which what is written is kept. */
  #ask() {
    const text = byId("reply").value.trim();
    this.#open(true);
    if (!text) return this.#show("Write a reply first; then it can be kept under a name.");
    const name = el("input", { id: "saved-name", maxlength: 80, autocomplete: "off", required: true });
    const keep = async (event) => {
      event.preventDefault();
      try {
        await api.saveReply(name.value, text);
      } catch (trouble) {
        return this.#show(trouble.message);
      }
      byId("saved").replaceChildren();
      await this.#load();
      this.#show("Kept.");
      byId("saved-open").focus();
    };
    byId("saved").replaceChildren(el("form", { submit: keep },
      el("label", { for: "saved-name" }, "Name of the saved reply"), name, " ",
      el("button", { class: "primary" }, "Keep"),
      el("p", {}, "In it {agent}, {number} and {business} are filled in when it is used.")));
    name.focus();
  }
}

function button(text, click, label = null) {
  return el("button", { type: "button", click, "aria-label": label }, text);
}
