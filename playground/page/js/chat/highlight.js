// Colours for Python in code blocks: comments, strings, numbers, keywords, names that are called or defined.

import { el } from "../core/dom.js";

const KEYWORDS =
  "False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield";
const TOKENS = new RegExp(
  [
    "(?<comment>#[^\\n]*)",
    "(?<string>[rbfu]{0,2}(?:\"\"\"[\\s\\S]*?\"\"\"|'''[\\s\\S]*?'''|\"(?:\\\\.|[^\"\\\\\\n])*\"|'(?:\\\\.|[^'\\\\\\n])*'))",
    "(?<number>\\b(?:0[xb][\\da-f_]+|\\d[\\d_]*\\.?\\d*(?:e[+-]?\\d+)?j?)\\b)",
    `(?<keyword>\\b(?:${KEYWORDS})\\b)`,
    "(?<call>\\b[A-Za-z_]\\w*(?=\\())",
    "(?<decorator>@[\\w.]+)",
  ].join("|"),
  "gi",
);

/** A program as nodes; anything but Python stays plain. */
export function highlighted(code, language) {
  if (!["py", "python", "python3"].includes(language.toLowerCase())) return [code];
  const nodes = [];
  let last = 0;
  for (const match of code.matchAll(TOKENS)) {
    const [kind] = Object.entries(match.groups).find(([, text]) => text !== undefined);
    if (match.index > last) nodes.push(code.slice(last, match.index));
    nodes.push(el("span", { class: `token-${kind}` }, match[0]));
    last = match.index + match[0].length;
  }
  nodes.push(code.slice(last));
  return nodes;
}
