/* Messages on their way to the gateway: in order, each until it has arrived.
 *
 * Each is stored under a key of its own, so that two tabs never overwrite each other's, and keeps its
 * client_id through every attempt, by which the gateway recognises one that did arrive. */

import { backOff, pause } from "./pace.js";
import * as store from "./store.js";

const ATTEMPTS = 4;
const KEY = "out.";

export class Outbox {
  #deliver;
  #changed;
  #states = new Map(); // client_id -> "waiting" | "failed" | "delivered"; absent while it is sent
  #arrived = new Map(); // delivered, but not yet seen in the transcript
  #draining = false;

  /** `deliver(entry)` posts one and returns its id; `changed()` is called when something did. */
  constructor(deliver, changed) {
    this.#deliver = deliver;
    this.#changed = changed;
    window.addEventListener("online", () => this.resume());
  }

  /** What the customer has said and the transcript does not show yet, oldest first. */
  entries() {
    const stored = store.keys(KEY).map((key) => store.get(key)).filter(Boolean);
    const unsent = stored.filter((entry) => !this.#arrived.has(entry.client_id));
    let held = false; // behind one that did not get through
    return [...this.#arrived.values(), ...unsent].map((entry) => {
      const state = this.#states.get(entry.client_id) ?? "sending";
      if (entry.trouble) return { ...entry, state: "failed" };
      if (held) return { ...entry, state: "held" };
      held = state === "failed";
      return { ...entry, state };
    });
  }

  add(kind, text) {
    const last = store.keys(KEY).map((key) => store.get(key)?.at ?? 0);
    const entry = { kind, text, client_id: uuid(), at: Math.max(Date.now(), ...last.map((at) => at + 1)) };
    store.set(key(entry), entry);
    this.resume();
  }

  /** Sends one that failed again, with the same client_id. */
  retry(clientId) {
    const entry = this.#find(clientId);
    if (!entry) return;
    delete entry.trouble;
    store.set(key(entry), entry);
    this.resume();
  }

  /** Takes one back that cannot be sent as it is. */
  withdraw(clientId) {
    this.#forget(clientId);
    this.#changed();
  }

  /** Everything that only failed because nobody answered is sent again. */
  resume() {
    for (const [clientId, state] of this.#states) {
      if (state === "failed") this.#states.delete(clientId);
    }
    this.#changed();
    this.drain();
  }

  /** The transcript shows this one, so it has arrived, whoever sent it. */
  seen(clientId) {
    this.#forget(clientId);
    this.#arrived.delete(clientId);
  }

  /** The conversation they had arrived in is gone. */
  forgetArrived() {
    this.#arrived.clear();
  }

  async drain() {
    if (this.#draining) return;
    this.#draining = true;
    try {
      await store.exclusively(async () => {
        for (let entry; (entry = this.#next()); ) await this.#send(entry);
      });
    } finally {
      this.#draining = false;
    }
    if (this.#next()) this.drain(); // one that came just as the loop had ended
  }

  #next() {
    // One that the gateway refused stands aside; one that did not get through holds up the rest.
    const entry = this.entries().find((it) => !it.trouble && it.state !== "delivered");
    return entry && entry.state !== "failed" ? entry : null;
  }

  async #send(entry) {
    let failures = 0;
    for (let tries = 0; this.#find(entry.client_id); tries++) {
      try {
        await this.#deliver(entry);
        this.#arrived.set(entry.client_id, entry);
        this.#forget(entry.client_id);
        this.#states.set(entry.client_id, "delivered");
        return this.#changed();
      } catch (trouble) {
        if (!trouble.passing) return this.#refused(entry, trouble);
        if (trouble.status !== 429) failures++;
        const given = failures >= ATTEMPTS;
        this.#states.set(entry.client_id, given ? "failed" : "waiting");
        this.#changed();
        if (given) return;
        await pause(Math.max(backOff(tries), trouble.wait));
      }
    }
  }

  #refused(entry, { status, detail }) {
    const stored = this.#find(entry.client_id);
    if (stored) store.set(key(stored), { ...stored, trouble: { status: status ?? 0, detail } });
    this.#states.delete(entry.client_id);
    this.#changed();
  }

  #find(clientId) {
    const found = store.keys(KEY).find((key) => key.endsWith(clientId));
    return found && store.get(found);
  }

  #forget(clientId) {
    this.#states.delete(clientId);
    for (const key of store.keys(KEY)) if (key.endsWith(clientId)) store.remove(key);
  }
}

function key({ at, client_id }) {
  return `${KEY}${String(at).padStart(15, "0")}.${client_id}`;
}

/** crypto.randomUUID is missing on plain http, where a shop may well be tried out. */
function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
