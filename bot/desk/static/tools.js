/* What else can be done with a ticket: an internal note, pass on, put off, tags, join. */

import * as api from "./api.js";
import { byId, changed, el } from "./dom.js";
import { Draft } from "./drafts.js";

const GAP = "knowledge-gap";
const AFTERNOON = 15; // hours

export class Tools {
  #ticket = null;
  #note = new Draft(byId("tool-note"), "internal");
  #toNote = new Draft(byId("tool-to-note"), "passing-on");
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

  show(ticket, earlier, agentId) {
    this.#note.show(agentId, ticket.conversation_id);
    this.#toNote.show(agentId, ticket.conversation_id);
    if (ticket.id !== this.#ticket?.id) {
      this.#trouble("");
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

  /** Opens the panel, at the form that is named; one that does not apply now says so. */
  open(name = "note") {
    this.#toggle(true);
    if (form(name).hidden) this.#trouble("Claim it first.");
    form(form(name).hidden ? "note" : name).querySelector("textarea, select, input").focus();
  }

  #toggle(open, refocus = false) {
    byId("tools").hidden = !open;
    byId("tools-open").setAttribute("aria-expanded", String(open));
    if (open) {
      this.#fill();
      const now = new Date();
      afternoon().hidden = afternoon().disabled = now.getHours() >= AFTERNOON;
      if (afternoon().hidden && afternoon().selected) byId("tool-when").value = "60";
    }
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
    const [notePlace, toNotePlace] = [this.#note.place, this.#toNote.place];
    this.#trouble("");
    try {
      const now = await api.work(ticket.id, what, body);
      if (what === "notes") this.#note.sent(notePlace, body.text);
      if (what === "pass-on") this.#toNote.sent(toNotePlace, body.note);
      this.#done(now);
      if (this.#ticket.id !== ticket.id) return; // another one is open by now
      if (what === "tags") byId("tool-tags").value = (now?.tags ?? []).join(", ");
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

function afternoon() {
  return byId("tool-when").querySelector("[value=afternoon]");
}

/** The moment that was chosen, in milliseconds. */
function moment() {
  const chosen = byId("tool-when").value;
  if (chosen === "own") return Date.parse(byId("tool-until").value) || 0;
  const day = new Date();
  if (chosen === "afternoon") return day.setHours(AFTERNOON, 0, 0, 0);
  if (chosen !== "morning") return Date.now() + Number(chosen) * 60_000;
  day.setDate(day.getDate() + 1);
  return day.setHours(9, 0, 0, 0);
}
