/* Filters the list of articles while one types. Without it the list is simply complete. */

const search = document.getElementById("search");
const filter = document.getElementById("filter");
const found = document.getElementById("found");
const topics = [...document.querySelectorAll("section.topic")];

function plain(text) {
  return text.toLowerCase().normalize("NFKD").replace(/[^\p{L}\p{N}\s]/gu, "");
}

/** Every word has to occur in the topic, the title or the summary. */
function apply() {
  const words = plain(filter.value).split(/\s+/).filter(Boolean);
  let count = 0;
  for (const topic of topics) {
    const name = plain(topic.querySelector("h2").textContent);
    let some = false;
    for (const item of topic.querySelectorAll("li")) {
      const text = `${name} ${plain(item.textContent)}`;
      item.hidden = !words.every((word) => text.includes(word));
      some ||= !item.hidden;
      count += !item.hidden;
    }
    topic.hidden = !some;
  }
  found.textContent = words.length ? result(count) : "";
}

function result(count) {
  if (!count) return "No article has these words. Try fewer, or ask in the chat.";
  return count === 1 ? "1 article" : `${count} articles`;
}

search.hidden = !topics.length;
filter.addEventListener("input", apply);
apply(); // the browser may have kept what was typed before
