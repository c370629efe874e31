/* What things are called, and how long ago they were. */

const MOODS = {
  neutral: "Neutral",
  pleased: "Pleased",
  worried: "Worried",
  upset: "Upset",
  angry: "Angry",
};
const PRIORITIES = { 1: "Urgent", 2: "High", 3: "Normal", 4: "Low" };
const CHANNELS = { web: "Web chat", whatsapp: "WhatsApp", sms: "Text message", email: "E-mail" };

const MINUTE = 60_000;
let ahead = 0; // milliseconds by which this computer's clock is behind the gateway's

/** Learns the gateway's clock from an answer's Date header, so that waiting times are its own. */
export function setClock(date) {
  const theirs = Date.parse(date ?? "");
  if (Number.isNaN(theirs)) return;
  const difference = theirs - Date.now();
  ahead = Math.abs(difference) > 5000 ? difference : 0; // the header has whole seconds only
}

export function mood(felt) {
  return MOODS[felt?.label] ?? "Neutral";
}

export function moodClass(felt) {
  return felt?.label in MOODS ? felt.label : "neutral";
}

export function priority(number) {
  return PRIORITIES[number] ?? "Normal";
}

let titles = {};

/** Learns the queues' titles, by name. */
export function setQueues(found) {
  titles = found;
}

/** A queue's title; one that is configured no more is called by its name. */
export function queue(name) {
  if (titles[name]) return titles[name];
  return name ? name[0].toUpperCase() + name.slice(1).replaceAll("_", " ") : "General";
}

export function channel(name) {
  return CHANNELS[name] ?? name;
}

export function state(ticket) {
  if (ticket.state === "waiting") return "Waiting";
  if (ticket.state === "human") return ticket.mine ? "With you" : `With ${holder(ticket)}`;
  if (ticket.state === "merged") return `Part of ${ticket.merged_into}`;
  return ticket.state === "resolved" ? "Resolved" : "Handed back to the bot";
}

/** How long until a moment: "in 12 min", "in 2 h 5 min", or "3 min late". */
export function until(iso) {
  const minutes = Math.round((Date.parse(iso) - Date.now() - ahead) / MINUTE);
  const size = Math.abs(minutes);
  const text = size < 60 ? `${size} min` : size < 2880
    ? `${Math.floor(size / 60)} h${size % 60 ? ` ${size % 60} min` : ""}` : `${Math.floor(size / 1440)} days`;
  return minutes < 0 ? `${text} late` : `in ${text}`;
}

/** What a clock of the service level measures. */
export function clockName(name) {
  return { first_response: "First response", next_response: "Answer", resolution: "Resolution" }[name] ?? name;
}

export function holder(ticket) {
  return ticket.agent?.name || "a colleague";
}

/** How long ago: "under 1 min", "3 min", "1 h 5 min", "2 days". */
export function ago(iso) {
  const minutes = Math.floor((Date.now() + ahead - Date.parse(iso)) / MINUTE);
  if (!(minutes >= 1)) return "under 1 min";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
}

/** "14:03", with the day when it was not today. */
export function clock(iso) {
  const moment = new Date(iso);
  const time = moment.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (moment.toDateString() === new Date().toDateString()) return time;
  return `${moment.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${time}`;
}

export function full(iso) {
  return new Date(iso).toLocaleString("en-GB", { dateStyle: "full", timeStyle: "short" });
}

/** What the bot made of a message: "find_order/status" reads "find order, status". */
export function understanding({ intent, confidence }) {
  if (intent === "nlu_fallback") return "Not understood";
  const name = intent.replaceAll("/", ", ").replaceAll(/[_-]+/g, " ");
  return `Understood as “${name}”, ${Math.round(confidence * 100)} % sure`;
}
