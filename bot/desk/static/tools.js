/* What else can be done with a ticket: an internal note, pass on, put off, tags, join. */

import * as api from "./api.js";
import { byId, changed, el } from "./dom.js";

const GAP = "knowledge-gap";

export class Tools {
  #ticket = null;
  #done;

  /** `done(ticket)` is told when something was done; the ticket is null when only a note was kept. */
  constructor(done) {
    this.#done = done;
    byId("tools-open").addEventListener("click", () => this.#toggle(byId("tools").hidden));
    byId("tools").addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#toggle(false, true);
    });
    for (const form of document.querySelectorAll("[data-tool]")) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.#send(form.dataset.tool);
      });
    }
    byId("tool-when").addEventListener("change", () => {
      byId("tool-until").hidden = byId("tool-when").value !== "own";
    });
    byId("tool-gap").addEventListener("click", () => {
      const tags = new Set(this.#ticket.tags ?? []);
      this.#do("tags", { tags: [...tags.add(GAP)] });
    });
  }

  show(ticket, earlier) {
    if (ticket.id !== this.#ticket?.id) {
      this.#trouble("");
      byId("tool-note").value = sessionStorage.getItem(place(ticket)) ?? "";
      byId("tool-tags").value = (ticket.tags ?? []).join(", ");
      if (this.#ticket) this.#toggle(false);
    }
    this.#ticket = ticket;
    const open = ticket.state === "waiting" || ticket.state === "human";
    const mine = ticket.state === "human" && ticket.mine;
    for (const name of ["pass-on", "put-off"]) form(name).hidden = !mine;
    const others = earlier.filter((it) => it.state === "waiting" || (it.state === "human" && it.mine));
    form("join").hidden = !others.length || !open || (ticket.state === "human" && !ticket.mine);
    if (changed(byId("tool-join"), others.map((it) => it.id))) {
      byId("tool-join").replaceChildren(...others.map((it) => el("option", { value: it.id }, it.number)));
    }
  }

  /** Opens the panel, at the note if that is named. */
  open(name) {
    this.#toggle(true);
    byId(name === "note" ? "tool-note" : "tools").querySelector?.("textarea, select, input")?.focus();
    if (name === "note") byId("tool-note").focus();
  }

  #toggle(open, refocus = false) {
    byId("tools").hidden = !open;
    byId("tools-open").setAttribute("aria-expanded", String(open));
    if (open) this.#fill();
    if (refocus) byId("tools-open").focus();
  }

  async #fill() {
    const { colleagues, queues } = await api.colleagues().catch(() => ({ colleagues: [], queues: [] }));
    const people = colleagues.map((it) =>
      el("option", { value: `agent:${it.id}` }, it.there ? `${it.name} (at the desk)` : it.name));
    const places = queues.map((it) => el("option", { value: `queue:${it.name}` }, `Queue: ${it.title}`));
    byId("tool-to").replaceChildren(...people, ...places);
  }

  #send(name) {
    if (name === "note") return this.#do("notes", { text: byId("tool-note").value });
    if (name === "pass-on") {
      const [kind, which] = byId("tool-to").value.split(":");
      const to = kind === "queue" ? { queue: which } : { agent_id: Number(which) };
      return this.#do("pass-on", { ...to, note: byId("tool-to-note").value });
    }
    if (name === "put-off") return this.#do("put-off", { until: moment() });
    if (name === "join") return this.#do("join", { into: Number(byId("tool-join").value) });
    const tags = byId("tool-tags").value.split(",").map((tag) => tag.trim()).filter(Boolean);
    return this.#do("tags", { tags });
  }

  async #do(what, body) {
    const ticket = this.#ticket;
    if (what === "notes") sessionStorage.setItem(place(ticket), body.text);
    this.#trouble("");
    try {
      const now = await api.work(ticket.id, what, body);
      if (what === "notes") {
        sessionStorage.removeItem(place(ticket));
        byId("tool-note").value = "";
      }
      if (what === "tags") byId("tool-tags").value = (now?.tags ?? []).join(", ");
      if (what === "pass-on") byId("tool-to-note").value = "";
      this.#done(now);
      this.#trouble(what === "notes" ? "Kept." : "Done.");
    } catch (trouble) {
      this.#trouble(trouble.message);
    }
  }

  #trouble(text) {
    byId("tools-trouble").textContent = text;
  }
}

function form(name) {
  return document.querySelector(`[data-tool="${name}"]`);
}

function place(ticket) {
  return `desk.note.${ticket.id}`;
}

/** The moment that was chosen, in milliseconds. */
function moment() {
  const chosen = byId("tool-when").value;
  if (chosen === "own") return Date.parse(byId("tool-until").value) || 0;
  if (chosen !== "morning") return Date.now() + Number(chosen) * 60_000;
  const morning = new Date();
  morning.setDate(morning.getDate() + 1);
  return morning.setHours(9, 0, 0, 0);
}
