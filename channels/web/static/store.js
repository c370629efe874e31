/* What outlives a reload: the conversation, the draft, unsent messages, and how far one has read.
 *
 * Some browsers forbid storage inside a frame, and a full one refuses to write. The chat then works
 * from memory and only forgets at a reload. */

const PREFIX = "rapport.";
const memory = new Map();

function disk() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

export function get(key, otherwise = null) {
  try {
    const text = memory.get(key) ?? disk()?.getItem(PREFIX + key);
    return text == null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

export function set(key, value) {
  const text = JSON.stringify(value);
  try {
    disk().setItem(PREFIX + key, text);
    memory.delete(key);
  } catch {
    memory.set(key, text);
  }
}

export function remove(key) {
  memory.delete(key);
  try {
    disk().removeItem(PREFIX + key);
  } catch {
    // It was only in memory.
  }
}

/** All keys that begin so, in order. */
export function keys(beginning) {
  const found = new Set(memory.keys());
  try {
    for (const key of Object.keys(disk())) {
      if (key.startsWith(PREFIX)) found.add(key.slice(PREFIX.length));
    }
  } catch {
    // Memory is all there is.
  }
  return [...found].filter((key) => key.startsWith(beginning)).sort();
}

/** Calls back with the key that another tab changed, or "" when it changed everything. */
export function onChange(callback) {
  window.addEventListener("storage", (event) => {
    if (event.key === null) callback("");
    else if (event.key.startsWith(PREFIX)) callback(event.key.slice(PREFIX.length));
  });
}

/** One tab at a time, where the browser grants that; the server copes with the rest. */
export async function exclusively(work) {
  let begun = false;
  try {
    return await navigator.locks.request(PREFIX + "send", () => {
      begun = true;
      return work();
    });
  } catch (error) {
    // No locks here: plain http, or a frame whose storage the browser blocks.
    if (begun) throw error;
    return work();
  }
}
