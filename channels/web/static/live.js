/* Keeps looking at one conversation: at once when the gateway says so, every 20 seconds in any case,
 * and soon again after a failure. The stream carries no content, so nothing can be missed by losing
 * it: whoever looks asks for everything after the last id it has. */

import { events } from "./api.js";
import { backOff, pause } from "./pace.js";

const EVERY = 20_000;
const SILENCE = 40_000; // the gateway pings every 15 seconds
const STEADY = 5_000;

export class Live {
  #look;
  #report;
  #conversation = null;
  #stopped = new AbortController();
  #looking = false;
  #again = false;
  #failures = 0;
  #timer;

  /** `look(conversation)` fetches and shows what is new; `report(connected)` hears how that went. */
  constructor(look, report) {
    this.#look = look;
    this.#report = report;
    window.addEventListener("online", () => this.wake());
    document.addEventListener("visibilitychange", () => document.hidden || this.wake());
  }

  start(conversation) {
    this.stop();
    this.#conversation = conversation;
    this.#stopped = new AbortController();
    this.#listen(conversation, this.#stopped.signal);
    this.wake();
  }

  stop() {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    this.#conversation = null;
    this.#failures = 0;
  }

  /** Looks now; a call during a look leads to one more look after it. */
  async wake() {
    this.#again = true;
    if (this.#looking) return;
    this.#looking = true;
    clearTimeout(this.#timer);
    let next = EVERY;
    while (this.#again && this.#conversation) {
      this.#again = false;
      try {
        await this.#look(this.#conversation);
        this.#failures = 0;
        next = EVERY;
        this.#report(true);
      } catch (trouble) {
        next = Math.max(backOff(this.#failures++), trouble.wait || 0);
        if (trouble.status === undefined) console.error(trouble);
        if (trouble.lost) this.#report(false);
      }
    }
    this.#looking = false;
    if (this.#conversation) this.#timer = setTimeout(() => this.wake(), next);
  }

  async #listen(conversation, stopped) {
    for (let failures = 0; !stopped.aborted; failures++) {
      await visible(stopped);
      const begun = performance.now();
      try {
        await this.#read(conversation, stopped);
      } catch {
        // Whatever ended it, the answer is to connect again.
      }
      if (performance.now() - begun > STEADY) failures = 0;
      if (!document.hidden) await pause(backOff(failures), stopped);
    }
  }

  async #read(conversation, stopped) {
    const cut = new AbortController();
    const hang = () => cut.abort();
    // A tab in the background lets go: browsers allow six connections to one host, and an open one
    // keeps the shop's page out of the back-forward cache. It still polls.
    const leave = () => document.hidden && hang();
    stopped.addEventListener("abort", hang);
    document.addEventListener("visibilitychange", leave);
    let watch = setTimeout(hang, SILENCE);
    try {
      const reader = (await events(conversation, cut.signal)).getReader();
      this.wake(); // for what happened while nobody was listening
      const decoder = new TextDecoder();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(watch);
        watch = setTimeout(hang, SILENCE);
        const lines = (rest + decoder.decode(value, { stream: true })).split(/\r?\n/);
        rest = lines.pop();
        if (lines.some((line) => /^event: ?news/.test(line))) this.wake();
      }
    } finally {
      clearTimeout(watch);
      hang();
      stopped.removeEventListener("abort", hang);
      document.removeEventListener("visibilitychange", leave);
    }
  }
}

function visible(stopped) {
  return new Promise((resolve) => {
    const check = () => {
      if (document.hidden && !stopped.aborted) return;
      document.removeEventListener("visibilitychange", check);
      stopped.removeEventListener("abort", check);
      resolve();
    };
    document.addEventListener("visibilitychange", check);
    stopped.addEventListener("abort", check);
    check();
  });
}
