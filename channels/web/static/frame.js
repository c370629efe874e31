/* The chat inside the frame: puts the parts together. */

import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { dress, embedded, onIdentity, onShown, tell } from "./embed.js";
import { Texting } from "./texting.js";
import { Transcript } from "./transcript.js";

const limit = Number(document.documentElement.dataset.limit);
const status = document.getElementById("status");
const person = document.getElementById("person");
const minimise = document.getElementById("minimise");

let shown = !embedded;
let drawn = false;

dress();
const chat = new Chat(draw);
const composer = new Composer(limit, (text) => chat.say(text));
const transcript = new Transcript(
  {
    retry({ client_id }) {
      chat.outbox.retry(client_id);
      backToWriting();
    },
    edit({ client_id, text }) {
      chat.outbox.withdraw(client_id);
      composer.takeBack(text);
    },
    choose({ text }) {
      chat.say(text);
      backToWriting();
    },
  },
  limit,
);

/** Draws once, however many things have changed. */
function draw() {
  if (drawn) return;
  drawn = true;
  queueMicrotask(() => {
    drawn = false;
    const { owner, typing } = chat.view;
    transcript.show(chat.items(), { typing: typing && owner === "bot", loading: chat.loading });
    announce(statusText());
    document.documentElement.dataset.connected = chat.connected;
    if (shown && !document.hidden) chat.markRead();
    tell({ rapport: "unread", count: shown ? 0 : chat.unread });
  });
}

function statusText() {
  const { owner, ticket } = chat.view;
  if (!chat.connected) return "Connection lost, trying again";
  if (owner === "waiting") {
    return ["You are in the queue for a colleague", ticket].filter(Boolean).join(" · ");
  }
  if (owner === "human") return `You are talking with ${chat.agent || "a colleague"}`;
  if (owner === "resolved") return "This conversation is closed. Write again at any time.";
  return "Automated assistant";
}

function announce(text) {
  if (status.textContent !== text) status.textContent = text;
}

/** The button that had the focus is gone. On a phone the keyboard would cover the answer. */
function backToWriting() {
  if (matchMedia("(pointer: coarse)").matches) document.getElementById("scroller").focus();
  else composer.focus();
}

function close() {
  tell({ rapport: "close" });
}

person.addEventListener("click", () => {
  if (chat.askForPerson()) return;
  // Nothing new happens, so say once more how things are.
  status.textContent = "";
  setTimeout(() => announce(statusText()), 100);
});

minimise.hidden = !embedded;
minimise.addEventListener("click", close);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) close();
});
document.addEventListener("visibilitychange", draw);

onShown((open) => {
  const opened = open && !shown;
  shown = open;
  draw();
  if (!opened) return;
  transcript.toEnd();
  composer.focus();
});

new Texting(() => chat.ready());
onIdentity((token) => chat.identify(token));
chat.resume();
draw();
tell({ rapport: "ready" });
if (!embedded) composer.focus();
