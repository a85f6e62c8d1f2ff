// Attachments and pictures: shown, played, enlarged, downloaded.

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
    { class: "picture-button", type: "button", title: "Enlarge", on: { click: () => lightbox(source, alt) } },
    image,
  );
}

function lightbox(source, alt) {
  const box = el(
    "dialog",
    { class: "lightbox", "aria-label": alt || "Picture" },
    el("img", { src: source, alt }),
    el("a", { href: source, target: "_blank", rel: "noopener noreferrer" }, "Open in browser"),
  );
  box.addEventListener("click", (event) => {
    if (event.target.tagName !== "A") box.close();
  });
  box.addEventListener("close", () => box.remove());
  document.getElementById("layers").append(box);
  box.showModal();
}

/** A player for sound or video, or a card to download the file. */
export function fileOrPlayer(attachment) {
  const kind = (attachment.content_type ?? "").split(";")[0];
  const source = stable(attachment.url);
  if (["audio/ogg", "audio/mpeg", "audio/wav", "audio/flac", "audio/mp4"].includes(kind)) {
    return el(
      "div",
      { class: "file-card audio" },
      fileHead(attachment, "note"),
      el("audio", { controls: true, preload: "metadata", src: source }),
    );
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
