/* Keeps looking: at once when the gateway says that there is news, every 15 seconds in any case,
 * and soon again after a failure. The stream carries no content, so losing it loses nothing. */

const EVERY = 15_000;
const SHORTEST = 250; // news that come in a burst are looked at together
const LONGEST_PAUSE = 15_000;

export class Live {
  #look;
  #report;
  #looking = false;
  #again = false;
  #failures = 0;
  #timer;
  #stream;

  /** `look()` fetches and shows; `report(connected)` hears how that went. */
  constructor(look, report) {
    this.#look = look;
    this.#report = report;
    window.addEventListener("online", () => this.wake());
    document.addEventListener("visibilitychange", () => document.hidden || this.wake());
  }

  start() {
    this.#listen();
    this.wake();
  }

  /** Looks now; a call during a look leads to one more look after it. */
  async wake() {
    this.#again = true;
    if (this.#looking) return;
    this.#looking = true;
    clearTimeout(this.#timer);
    let next = EVERY;
    while (this.#again) {
      this.#again = false;
      next = await this.#once();
      if (this.#again) await new Promise((resolve) => setTimeout(resolve, SHORTEST));
    }
    this.#looking = false;
    this.#timer = setTimeout(() => this.wake(), next);
  }

  /** One look; returns how long to wait for the next. */
  async #once() {
    try {
      await this.#look();
    } catch (trouble) {
      if (trouble.status === undefined) console.error(trouble);
      if (trouble.status === 401) return LONGEST_PAUSE;
      this.#report(false);
      const step = Math.min(LONGEST_PAUSE, 1000 * 2 ** this.#failures++);
      return step * (0.5 + Math.random() / 2); // not everybody at once after a restart
    }
    // The old stream may hang on a connection that is gone without having noticed.
    if (this.#failures) this.#listen();
    this.#failures = 0;
    this.#report(true);
    return EVERY;
  }

  #listen() {
    this.#stream?.close();
    const stream = new EventSource("/desk/api/events");
    this.#stream = stream;
    stream.addEventListener("news", () => this.wake());
    stream.addEventListener("error", () => {
      // The browser connects again by itself, unless it was refused: then only a look tells why.
      if (stream.readyState !== EventSource.CLOSED || stream !== this.#stream) return;
      setTimeout(() => stream === this.#stream && this.#listen(), LONGEST_PAUSE);
      this.wake();
    });
  }
}
