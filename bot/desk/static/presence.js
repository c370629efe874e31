/* What colleagues see of this agent: at the desk or away, looking at a ticket, writing in it. */

import * as api from "./api.js";
import { byId } from "./dom.js";

const TICK = 2_000;
const AGAIN = 20_000; // the gateway forgets after 45 seconds

/** At the desk, or away: then nothing is given to this agent. */
export function showPresence(away) {
  const button = byId("presence");
  button.textContent = away ? "Away" : "At the desk";
  button.setAttribute("aria-pressed", String(away));
  button.onclick = () => api.setAway(!away).then(() => showPresence(!away), () => {});
}

/** Says which ticket is open here; a change at once, the same again every 20 seconds. */
export class Looking {
  #look;
  #said = "";
  #at = 0;

  /** `look()` returns the open ticket, if there is one, and whether a reply is being written. */
  constructor(look) {
    this.#look = look;
  }

  start() {
    setInterval(() => this.#tick(), TICK);
    byId("reply").addEventListener("input", () => this.#tick());
  }

  async #tick() {
    const { ticket, writing } = this.#look();
    if (!ticket || document.hidden || !["waiting", "human"].includes(ticket.state)) return;
    const said = `${ticket.id} ${writing}`;
    if (said === this.#said && Date.now() - this.#at < AGAIN) return;
    this.#said = said;
    this.#at = Date.now();
    await api.look(ticket.id, writing).catch(() => {});
  }
}
