// What a program shows: its text, errors, drawings and tables, in the order in which they come.

import { animate } from "./animation.js";
import { cleaned, make, words } from "./words.js";

export class Output {
  constructor() {
    this.element = make("div", { class: "smol-output", "aria-live": "polite", hidden: "" });
  }

  clear() {
    this.element.replaceChildren();
    this.element.hidden = true;
  }

  show({ kind, text }) {
    if (kind === "svg" || kind === "html") {
      const shown = make("div", { class: `smol-${kind}` });
      shown.append(...cleaned(text));
      this.#put(shown);
      animate(shown);
    } else if (kind === "needs") {
      this.#put(make("p", { class: "smol-needs" }, words.needs(text)));
    } else if (kind === "right" || kind === "wrong") {
      const parts = (text || words.right).split("`").map((part, i) => (i % 2 ? make("code", {}, part) : part));
      this.#put(make("p", { class: `smol-${kind}` }, ...parts));
    } else if (kind === "out" || kind === "err" || kind === "error") {
      const last = this.element.lastElementChild;
      if (last?.matches(`pre.smol-${kind}`)) last.append(text);
      else this.#put(make("pre", { class: `smol-${kind}`, tabindex: "0" }, text));
    }
  }

  #put(element) {
    this.element.append(element);
    this.element.hidden = false;
  }
}
