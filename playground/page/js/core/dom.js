// Building the page. Text only ever becomes text nodes: nothing that a member or a bot wrote is parsed as HTML.

/**
 * An element. `attributes`: `class`, `data` (an object), `on` (event name -> listener), `style` (property -> value);
 * anything else is a property if the element has one of that name, else an attribute. Null children are left out.
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (name === "style") for (const [key, setting] of Object.entries(value)) node.style.setProperty(key, setting);
    else if (name.startsWith("aria-") || name === "role" || name === "list") node.setAttribute(name, value);
    else if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  append(node, children);
  return node;
}

/** Appends nodes, strings and nested lists of them. */
export function append(node, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(node, child);
    else node.append(child);
  }
}

/** Replaces everything in `node`. */
export function fill(node, ...children) {
  node.replaceChildren();
  append(node, children);
}

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  reply: "M10 8V4l-7 7 7 7v-4.1c5 0 8.5 1.6 11 5.1-1-5-4-10-11-11z",
  apps: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM17 13v3h-3v2h3v3h2v-3h3v-2h-3v-3z",
  trash: "M9 3h6l1 2h4v2H4V5h4zM6 9h12l-1 12H7z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z",
  file: "M6 2h8l5 5v15H6zM14 3v5h5",
  note: "M9 18V6l11-2v11.500a3 3 0 1 1-2-2.800V7.500l-7 1.300V18a3 3 0 1 1-2-2.800z",
  download: "M11 4h2v8l3-3 1.4 1.400L12 15.800l-5.4-5.400L8 9l3 3zM5 18h14v2H5z",
  eye: "M12 5c5 0 9 4.5 10 7-1 2.5-5 7-10 7S3 14.5 2 12c1-2.5 5-7 10-7zm0 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8z",
  close: "M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.400L12 13.4 6.4 19 5 17.6 10.6 12 5 6.400z",
  gear: "M10.5 2h3l.5 2.6 2 .9 2.2-1.5 2.1 2.1-1.5 2.2.9 2 2.6.5v3l-2.6.5-.9 2 1.5 2.2-2.1 2.1-2.2-1.5-2 .9-.5 2.600h-3l-.5-2.6-2-.9-2.2 1.5-2.1-2.1 1.5-2.2-.9-2L1.7 13.500v-3l2.6-.5.9-2L3.7 5.800l2.1-2.100L8 5.200l2-.9zM12 8.500a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z",
  hash: "M9.5 3 8.7 8H4v2h4.400l-.7 4H3v2h4.400l-.8 5h2l.8-5h4l-.8 5h2l.8-5H20v-2h-4.300l.7-4H21V8h-4.300l.8-5h-2l-.8 5h-4l.8-5zm.9 7h4l-.7 4h-4z",
  at: "M12 3a9 9 0 1 0 5 16.500l-1.1-1.700A7 7 0 1 1 19 12v1.200a1.4 1.4 0 0 1-2.8 0V8H14v.7A4.5 4.5 0 1 0 14.6 15 3.4 3.4 0 0 0 21 13.200V12a9 9 0 0 0-9-9zm0 6.500a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z",
  send: "M3 20V4l19 8zm2-3 11.8-5L5 7v3.500L11 12l-6 1.500z",
  link: "M14 3h7v7h-2V6.400l-8.6 8.600L9 13.6 17.6 5H14zM5 5h5v2H7v10h10v-3h2v5H5z",
  chevron: "M6.4 8.5 12 14.100l5.6-5.600L19 9.900l-7 7-7-7z",
  more: "M5 10a2 2 0 1 1 0 4 2 2 0 0 1 0-4zm7 0a2 2 0 1 1 0 4 2 2 0 0 1 0-4zm7 0a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
  menu: "M3 6h18v2H3zM3 11h18v2H3zM3 16h18v2H3z",
  people: "M9 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zm7.500 1a3.500 3.500 0 1 1 0 7 5.500 5.500 0 0 0 0-7zM2 20c0-4 3-6.500 7-6.500s7 2.500 7 6.500zm16 0c0-2.600-.9-4.700-2.400-6.200C19 13.600 22 16 22 20z",
  thread: "M5 3h14v12h-6l-5 5v-5H5zm3 4v2h8V7zm0 4v1.800h5V11z",
  smile: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM8.500 8.500v2.500h2V8.500zm5 0v2.500h2V8.500zM7.500 13.500a4.600 4.600 0 0 0 9 0z",
  slash: "M14.5 3h2.600l-7.6 18H6.900z",
};

const drawn = new Map();

/** One of the page's own icons: a copy, because a message has three and copying is quicker than drawing. */
export function icon(name) {
  if (!drawn.has(name)) drawn.set(name, draw(name));
  return drawn.get(name).cloneNode(true);
}

function draw(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  path.setAttribute("fill", "currentColor");
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  return svg;
}

/** "1.4 MB", as the page shows file sizes. */
export function fileSize(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(2)} MB`;
}

/** A limit as Discord names it: "10 MiB". */
export function mebibytes(bytes) {
  return `${Number((bytes / 1024 / 1024).toFixed(1))} MiB`;
}

/** Whether an address may become a link or a picture: http(s) and this page's own previews. */
export function safeUrl(url) {
  return /^(https?:\/\/|blob:)/i.test(url ?? "") ? url : null;
}
