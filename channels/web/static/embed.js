/* Talks with the loader on the page that embeds us, and only with a page whose origin the gateway
 * allows. The address says which page it is; the server's list decides whether that counts. */

const query = new URLSearchParams(location.search);
const page = document.documentElement.dataset;
const host = query.get("host");
const allowed = [location.origin, ...page.origins.split(" ")].includes(host);

/** Whether somebody is there who can hide and show us. */
export const embedded = window.parent !== window && allowed;

export function dress() {
  const title = query.get("title");
  if (title) document.getElementById("title").textContent = title;
  for (const name of ["accent", "ink"]) {
    const colour = query.get(name) ?? "";
    if (/^#([\da-f]{3}|[\da-f]{6})$/i.test(colour)) {
      document.documentElement.style.setProperty(`--${name}`, colour);
    }
  }
}

export function tell(message) {
  if (embedded) window.parent.postMessage(message, host);
}

/** Calls back with the token that says who is signed in on that page. */
export function onIdentity(callback) {
  window.addEventListener("message", (event) => {
    if (!embedded || event.source !== window.parent || event.origin !== host) return;
    if (event.data?.rapport === "identity") callback(String(event.data.token));
  });
}

/** Calls back with true when the chat is opened and false when it is closed. */
export function onShown(callback) {
  window.addEventListener("message", (event) => {
    if (!embedded || event.source !== window.parent || event.origin !== host) return;
    if (event.data?.rapport === "open") callback(true);
    if (event.data?.rapport === "closed") callback(false);
  });
}
