// Embeds: the cards that bots write.

import { el, safeUrl } from "../core/dom.js";
import { inline, markdown } from "./markdown.js";
import { picture, stable } from "./media.js";
import { state } from "../core/state.js";

/** One embed. */
export function embed(data) {
  if (data.type === "poll_result") return pollResult(data);
  const node = el(
    "article",
    { class: "embed" },
    el(
      "div",
      { class: "embed-body" },
      el(
        "div",
        { class: "embed-text" },
        data.author?.name
          ? el(
              "div",
              { class: "embed-author" },
              safeUrl(data.author.icon_url) ? el("img", { src: stable(data.author.icon_url), alt: "" }) : null,
              maybeLink(data.author.url, data.author.name),
            )
          : null,
        data.title ? el("div", { class: "embed-title" }, maybeLink(data.url, inline(data.title))) : null,
        data.description ? el("div", { class: "embed-description" }, markdown(data.description)) : null,
        fields(data.fields ?? []),
      ),
      data.thumbnail
        ? picture(data.thumbnail.url, data.thumbnail, { maxWidth: 80, maxHeight: 80, className: "thumbnail" })
        : null,
    ),
    data.image ? picture(data.image.url, data.image, { maxWidth: 500, maxHeight: 400, alt: data.title ?? "" }) : null,
    footer(data),
  );
  if (data.color !== undefined && data.color !== null) {
    node.style.borderLeftColor = `#${data.color.toString(16).padStart(6, "0")}`;
  }
  return node;
}

/** How a native poll went: "Which rhythm? won: Swing, 2 of 3 votes". */
function pollResult(data) {
  const told = Object.fromEntries(data.fields.map((field) => [field.name, field.value]));
  const votes = `${told.victor_answer_votes} of ${told.total_votes} votes`;
  const outcome = told.victor_answer_text ? `“${told.victor_answer_text}” won with ${votes}.` : "Nobody won.";
  return el("article", { class: "embed" }, el("div", { class: "embed-title" }, told.poll_question_text), el("div", {}, outcome));
}

function maybeLink(url, children) {
  return safeUrl(url) ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, children) : el("span", {}, children);
}

/** Fields: inline ones stand up to three in a row, and share its width. */
function fields(list) {
  if (!list.length) return null;
  const rows = [];
  for (const field of list) {
    const last = rows.at(-1);
    if (field.inline && last?.[0].inline && last.length < 3) last.push(field);
    else rows.push([field]);
  }
  return el("div", { class: "embed-fields" }, rows.map((row) => el("div", { class: "embed-row" }, row.map(embedField))));
}

function embedField(field) {
  return el(
    "div",
    { class: "embed-field" },
    el("div", { class: "embed-field-name" }, inline(field.name)),
    el("div", { class: "embed-field-value" }, markdown(field.value)),
  );
}

function footer(data) {
  if (!data.footer?.text && !data.timestamp) return null;
  const when = data.timestamp
    ? new Intl.DateTimeFormat(state.locale, { dateStyle: "short", timeStyle: "short" }).format(new Date(data.timestamp))
    : null;
  return el(
    "div",
    { class: "embed-footer" },
    safeUrl(data.footer?.icon_url) ? el("img", { src: stable(data.footer.icon_url), alt: "" }) : null,
    [data.footer?.text, when].filter(Boolean).join(" • "),
  );
}
