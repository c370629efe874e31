/* How long to wait before trying again. */

const LONGEST = 15_000;

/** Doubling, with jitter so that a gateway that restarts is not met by everybody at once. */
export function backOff(failures) {
  const step = Math.min(LONGEST, 1000 * 2 ** Math.min(failures, 10));
  return step * (0.5 + Math.random() / 2);
}

/** Waits, but not a moment longer than until the browser is online again or `signal` says stop. */
export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    window.addEventListener("online", done);
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}
