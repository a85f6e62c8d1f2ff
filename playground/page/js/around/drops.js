// Files that are dropped anywhere in the chat.

import { el, icon } from "../core/dom.js";

/** Shows a veil while files hover over `chat`; `take(files)` gets them when they fall. */
export function acceptDrops(chat, take) {
  const veil = el("div", { class: "drop-veil" }, el("div", {}, icon("file"), "Drop to attach"));
  const hasFiles = (event) => [...event.dataTransfer.types].includes("Files");
  let depth = 0;
  const show = (change) => {
    depth = Math.max(0, depth + change);
    if (depth) chat.append(veil);
    else veil.remove();
  };
  chat.addEventListener("dragenter", (event) => hasFiles(event) && show(1));
  chat.addEventListener("dragleave", (event) => hasFiles(event) && show(-1));
  chat.addEventListener("dragover", (event) => event.preventDefault());
  chat.addEventListener("drop", (event) => {
    event.preventDefault();
    show(-depth);
    take([...event.dataTransfer.files]);
  });
}
