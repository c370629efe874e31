/* Single keys, as long as nobody is writing; they can be switched off, because speech input may
 * type letters by accident. */

import { byId } from "./dom.js";

const OFF = "desk.keys-off";

/** `actions` maps a key to what it does. */
export function useKeys(actions) {
  const box = byId("keys-on");
  box.checked = localStorage.getItem(OFF) === null;
  box.addEventListener("change", () => {
    if (box.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (!box.checked || byId("help").open || writes(event.target)) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function writes(target) {
  return target.matches("input, textarea, select") || target.isContentEditable;
}
