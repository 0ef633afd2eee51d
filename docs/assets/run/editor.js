// An editor out of a block of code: a transparent textarea over the coloured text.

import { make, words } from "./words.js";

const TOKEN = new RegExp(
  [
    /(?<c1>#.*)/,
    /(?<s2>[rbfRBF]{0,2}(?:"""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))/,
    /(?<mf>\b\d+\.\d*(?:[eE][+-]?\d+)?|\b\d+[eE][+-]?\d+)/,
    /(?<mi>\b\d+\b)/,
    /(?<kn>\b(?:from|import)\b)/,
    /(?<kc>\b(?:None|True|False)\b)/,
    /(?<ow>\b(?:and|in|is|not|or)\b)/,
    /(?<k>\b(?:as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|global|if|lambda|nonlocal|pass|raise|return|try|while|with|yield)\b)/,
    /(?<nb>\b(?:abs|bool|dict|enumerate|float|int|isinstance|len|list|map|max|min|print|range|repr|reversed|round|set|sorted|str|sum|tuple|type|zip)\b)/,
    /(?<o>[-+*\/%@=<>!&|^~]+)/,
    /(?<p>[()[\]{}:.,;])/,
    /(?<n>\w+)/,
  ].map((one) => one.source).join("|"),
  "g",
);

// The text with the classes that the site's own colours have.
function coloured(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    parts.push(text.slice(end, match.index));
    const [kind] = Object.entries(match.groups).find(([, value]) => value !== undefined);
    parts.push(make("span", { class: kind }, match[0]));
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}

export class Editor {
  constructor(code, { onRun, onInput = () => {}, numbers = false }) {
    this.ink = make("span", { class: "smol-ink" });
    this.ink.append(...code.childNodes);
    this.original = this.ink.innerHTML;
    this.area = make("textarea", {
      spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off",
      "aria-label": words.editor, translate: "no",
    });
    this.area.value = this.first = this.ink.textContent.replace(/\n$/, "");
    this.numbers = numbers ? make("span", { class: "smol-numbers", "aria-hidden": "true" }) : null;
    code.classList.add("smol-editor");
    code.append(...(numbers ? [this.numbers] : []), this.ink, this.area);
    this.area.addEventListener("input", () => {
      this.#paint();
      onInput();
    });
    let leaving = false;
    this.area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey || event.shiftKey)) {
        event.preventDefault();
        onRun();
      } else if (event.key === "Enter" && !event.isComposing) {
        event.preventDefault();
        const before = this.area.value.slice(0, this.area.selectionStart);
        const line = before.slice(before.lastIndexOf("\n") + 1);
        this.#insert("\n" + line.match(/^ */)[0] + (/:\s*$/.test(line) ? "    " : ""));
      } else if (event.key === "Tab" && !event.shiftKey && !leaving) {
        event.preventDefault();
        this.#insert("    ");
      }
      leaving = event.key === "Escape";
    });
    if (numbers) this.#paint();
  }

  get text() {
    return this.area.value;
  }

  set text(text) {
    this.area.value = text;
    this.#paint();
  }

  get changed() {
    return this.area.value !== this.first;
  }

  reset() {
    this.text = this.first;
    if (!this.numbers) this.ink.innerHTML = this.original;
  }

  #insert(text) {
    this.area.setRangeText(text, this.area.selectionStart, this.area.selectionEnd, "end");
    this.area.dispatchEvent(new Event("input"));
  }

  #paint() {
    this.ink.replaceChildren(...coloured(this.text), "\n");
    if (this.numbers) {
      const count = this.text.split("\n").length;
      this.numbers.textContent = Array.from({ length: count }, (_, i) => i + 1).join("\n");
    }
  }
}
