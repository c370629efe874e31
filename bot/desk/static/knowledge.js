/* The editors' pages work without this. It shows times in the reader's own zone, answers a preview
 * without leaving the page, and logs out. */

import { logOut } from "./api.js";
import { forgetDrafts } from "./composer.js";
import { byId, el } from "./dom.js";
import * as words from "./words.js";

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = words.full(time.dateTime);
    time.textContent = words.clock(time.dateTime);
  }
}

/** Asks for the page with the answer, and shows the part that is new. */
async function preview(form) {
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.action, { method: "POST", body });
  if (answer.redirected) return location.assign(answer.url); // the session has ended
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.getElementById("preview.result");
  const trouble = page.getElementById("page.problem");
  const place = byId("preview.result") ?? document.querySelector("[data-here]");
  if (trouble || !found) {
    const said = trouble?.textContent ?? "Something went wrong. Try again.";
    place.replaceChildren(el("p", { class: "problem", role: "alert" }, said));
  } else {
    place.replaceChildren(...document.adoptNode(found).childNodes);
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
    place.scrollIntoView({ block: "nearest" });
  }
  place.hidden = false;
}

for (const form of document.querySelectorAll("form.ask")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    preview(form)
      .catch(() => form.submit()) // as without this script
      .finally(() => (button.disabled = false));
  });
}

const out = byId("log-out");
out.hidden = false;
out.addEventListener("click", async () => {
  try {
    await logOut();
  } catch {
    return;
  }
  forgetDrafts();
  location.assign("/desk/login");
});

localTimes(document);
