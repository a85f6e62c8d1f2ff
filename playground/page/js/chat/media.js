// Attachments and pictures: shown, played, enlarged, downloaded.

import { waveform } from "./waveform.js";
import { el, fileSize, icon, safeUrl } from "../core/dom.js";

const MAX_WIDTH_PX = 550;
const MAX_HEIGHT_PX = 350;
const FRESH_MS = 12 * 3600 * 1000;

// The server signs an address anew each time; keeping the first one lets an edited message show the cached picture.
const known = new Map();

/** The address under which this file was first seen, as long as its signature is fresh. */
export function stable(url) {
  if (!safeUrl(url)) return "";
  const path = url.split("?")[0];
  const entry = known.get(path);
  if (entry && Date.now() - entry.since < FRESH_MS) return entry.url;
  known.set(path, { url, since: Date.now() });
  return url;
}

/** The files of a message: pictures in a gallery, players for sound and video, cards for the rest. */
export function attachmentsOf(attachments) {
  const pictures = attachments.filter((a) => (a.content_type ?? "").startsWith("image/") && a.width);
  const rest = attachments.filter((a) => !pictures.includes(a));
  return el(
    "div",
    { class: "attachments" },
    pictures.length
      ? el("div", { class: `gallery count-${Math.min(pictures.length, 4)}` }, pictures.map((a) => attachedPicture(a, pictures.length)))
      : null,
    rest.map(fileOrPlayer),
  );
}

function attachedPicture(attachment, count) {
  return picture(attachment.url, attachment, {
    alt: attachment.description ?? attachment.filename,
    maxWidth: count > 1 ? MAX_WIDTH_PX / 2 - 2 : MAX_WIDTH_PX,
  });
}

/** A picture that reserves its place while it loads and opens large when clicked. */
export function picture(url, size, { alt = "", maxWidth = MAX_WIDTH_PX, maxHeight = MAX_HEIGHT_PX, className = "" } = {}) {
  const source = stable(url);
  const scale = size?.width ? Math.min(1, maxWidth / size.width, maxHeight / size.height) : null;
  const image = el("img", { src: source, alt, loading: "lazy", class: `picture ${className}` });
  if (scale !== null) {
    image.width = Math.round(size.width * scale);
    image.height = Math.round(size.height * scale);
  } else {
    image.style.maxWidth = `${maxWidth}px`;
    image.style.maxHeight = `${maxHeight}px`;
  }
  image.addEventListener("error", () => image.replaceWith(el("div", { class: "broken" }, alt || "This picture can't be shown.")));
  return el(
    "button",
    {
      class: "picture-button",
      type: "button",
      title: "Enlarge",
      data: { source },
      on: { click: (event) => lightbox(event.currentTarget) },
    },
    image,
  );
}

/** A picture in the whole window: a click shows it at its own size, the arrows go to the others of its message. */
function lightbox(opened) {
  const pictures = [...(opened.closest(".message") ?? opened).querySelectorAll(".picture-button")];
  const all = pictures.length ? pictures : [opened];
  let at = Math.max(0, all.indexOf(opened));
  const shown = el("img", { title: "Show it at its own size" });
  const link = el("a", { target: "_blank", rel: "noopener noreferrer" }, "Open in browser");
  const place = el("span", { class: "lightbox-place" });
  const box = el("dialog", { class: "lightbox" }, shown, el("div", { class: "lightbox-line" }, place, link));
  const show = (number) => {
    at = (number + all.length) % all.length;
    const alt = all[at].querySelector("img")?.alt ?? "";
    shown.src = link.href = all[at].dataset.source;
    shown.alt = alt;
    box.setAttribute("aria-label", alt || "Picture");
    box.classList.remove("zoomed");
    place.textContent = all.length > 1 ? `${at + 1} of ${all.length}` : "";
  };
  box.addEventListener("click", (event) => {
    if (event.target === shown) box.classList.toggle("zoomed");
    else if (event.target !== link) box.close();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") show(at + 1);
    else if (event.key === "ArrowLeft") show(at - 1);
    else if (event.key === "Enter" && event.target !== link) box.classList.toggle("zoomed");
    else return;
    event.preventDefault();
  });
  box.addEventListener("close", () => box.remove());
  document.getElementById("layers").append(box);
  show(at);
  box.showModal();
}

/** A player for sound or video, or a card to download the file. */
export function fileOrPlayer(attachment) {
  const kind = (attachment.content_type ?? "").split(";")[0];
  const source = stable(attachment.url);
  if (["audio/ogg", "audio/mpeg", "audio/wav", "audio/flac", "audio/mp4"].includes(kind)) {
    const player = el("audio", { controls: true, preload: "metadata", src: source });
    const outline = waveform(player, source, attachment.size ?? 0, attachment.waveform);
    const head = attachment.waveform ? el("div", { class: "muted" }, "Voice message") : fileHead(attachment, "note");
    return el("div", { class: "file-card audio" }, head, outline, player);
  }
  if (kind === "video/mp4" || kind === "video/webm") {
    return el("video", { class: "video", controls: true, preload: "metadata", src: source });
  }
  return el("div", { class: "file-card" }, fileHead(attachment, "file"));
}

function fileHead(attachment, symbol) {
  const source = `${stable(attachment.url)}download=1`;
  return el(
    "div",
    { class: "file-head" },
    icon(symbol),
    el(
      "div",
      { class: "file-name" },
      el("a", { href: source, download: attachment.filename ?? attachment.name }, attachment.filename ?? attachment.name),
      el("span", { class: "muted" }, fileSize(attachment.size ?? 0)),
    ),
    el("a", { class: "download", href: source, download: attachment.filename ?? "", title: "Download" }, icon("download")),
  );
}
