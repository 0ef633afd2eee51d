// Guides: every block of Python gets Run, Stop and Reset; drawings follow, and play their steps.

import { animate } from "./animation.js";
import { Editor } from "./editor.js";
import { Machine, possible } from "./machine.js";
import { Output } from "./output.js";
import { Sliders } from "./sliders.js";
import { button, cleaned, language, make, progress, words } from "./words.js";

const article = document.querySelector("article");
const BLOCKS = ".language-python.highlight:not(.program, .doc-signature, .exercise *), figure.drawing[data-code]";

// One entry of the page's program: a block of code, or a drawing that is made from its own code.
class Entry {
  constructor(element, page) {
    this.element = element;
    this.page = page;
    this.kind = element.matches("figure") ? "draw" : "python";
    if (this.kind === "draw") {
      this.drawn = element.querySelector("svg").outerHTML;
      this.code = element.dataset.code;
      this.places = JSON.parse(element.dataset.sliders ?? "[]");
      if (this.places.length === 0) return; // it only follows the blocks above it
    }
    this.status = make("span", { class: "smol-status", role: "status" });
    this.buttons = {
      run: button("run", () => page.run(this)),
      stop: button("stop", () => page.machine.stop()),
      reset: button("reset", () => this.reset()),
    };
    this.output = new Output();
    if (this.kind === "draw") this.#controlDrawing();
    else this.#controlBlock();
    this.#update();
  }

  #controlBlock() {
    const { element, page } = this;
    this.number = ++page.count;
    this.editor = new Editor(element.querySelector("code"), {
      onRun: () => page.run(this),
      onInput: () => this.#update(),
    });
    const next = element.nextElementSibling;
    this.stated = next?.matches(".language-output") ? next : null;
    const name = `${words.block} ${this.number}`;
    this.bar = make("div", { class: "smol-bar", role: "group", "aria-label": name },
      ...Object.values(this.buttons), this.status, make("span", { class: "smol-number" }, name));
    element.append(this.bar);
    element.after(this.output.element);
  }

  // Sliders for the numbers in the code of a drawing; to move one is to run it.
  #controlDrawing() {
    this.sliders = new Sliders((put) => {
      this.code = put(this.code);
      this.page.run(this);
    });
    this.sliders.set(this.places);
    const { stop, reset } = this.buttons;
    this.element.querySelector("figcaption").before(
      this.sliders.element, make("div", { class: "smol-buttons" }, stop, reset, this.status), this.output.element);
  }

  get text() {
    return this.kind === "draw" ? this.code : this.editor.text;
  }

  get changed() {
    return this.kind === "draw" ? this.code !== this.element.dataset.code : this.editor.changed || this.ran;
  }

  #update() {
    const running = this.page.running === this;
    this.buttons.run.hidden = running;
    this.buttons.run.disabled = this.page.running !== null;
    this.buttons.stop.hidden = !running;
    this.buttons.reset.hidden = running || !this.changed;
  }

  update() {
    if (this.buttons) this.#update();
  }

  say(text) {
    this.status.textContent = text;
    this.update();
  }

  begin() {
    this.output?.clear();
    if (this.kind === "draw") return;
    this.ran = true;
    if (this.stated) this.stated.hidden = true;
  }

  // What came of it: see session.py.
  show({ kind, text }) {
    if (this.kind === "draw" && kind === "svg") this.#redraw(text);
    else this.output?.show({ kind, text });
  }

  #redraw(markup) {
    this.element.querySelector(".smol-steps")?.remove();
    this.element.querySelector("svg").replaceWith(...cleaned(markup).filter((node) => node.localName === "svg"));
    animate(this.element);
  }

  // A drawing as it was; of a block, those that follow it, too.
  reset() {
    this.output?.clear();
    if (this.kind === "draw") {
      this.code = this.element.dataset.code;
      this.sliders?.set(this.places);
      this.#redraw(this.drawn);
    } else {
      this.editor.reset();
      this.ran = false;
      if (this.stated) this.stated.hidden = false;
      for (const drawing of this.page.drawingsAfter(this)) drawing.reset();
    }
    if (this.status) this.say("");
  }
}

class Page {
  constructor(elements) {
    this.count = 0;
    this.running = null;
    this.machine = new Machine(language, (part) => this.#progress(part));
    this.entries = [];
    for (const element of elements) this.entries.push(new Entry(element, this));
  }

  drawingsAfter(entry) {
    const rest = this.entries.slice(this.entries.indexOf(entry) + 1);
    const end = rest.findIndex(({ kind }) => kind === "python");
    return end < 0 ? rest : rest.slice(0, end);
  }

  // Run a block and the drawings after it, or one drawing; what is moved meanwhile comes next.
  async run(entry) {
    if (this.running) {
      if (entry.kind === "draw") this.next = entry;
      return;
    }
    this.running = entry;
    this.next = null;
    const place = this.entries.indexOf(entry);
    const last = entry.kind === "draw" ? place : place + this.drawingsAfter(entry).length;
    const program = this.entries.map(({ kind, text }) => [kind, text]);
    entry.begin();
    for (const one of this.entries) one.update();
    entry.say(words.running);
    let failed = -1;
    const task = { task: "page", program: JSON.stringify(program), last };
    const how = await this.machine.do(task, ({ kind, block, text }) => {
      const one = block < 0 ? entry : this.entries[block];
      if (!one) return;
      if (kind === "begin") {
        one.begin();
        entry.say(block < place ? words.above : words.running);
      } else if (kind === "error") failed = block;
      if (kind !== "begin") one.show({ kind, text });
    });
    this.running = null;
    for (const one of this.entries) one.update();
    entry.say(how === "stopped" ? words.stopped : failed >= 0 && failed < place ? words.stoppedAbove : "");
    if (this.next && how === "done") await this.run(this.next);
  }

  #progress(part) {
    this.running?.say(progress(part));
  }
}

if (article && !document.getElementById("smol-playground")) animate(article);
const found = article && !article.querySelector(".doc, #smol-playground") ? [...article.querySelectorAll(BLOCKS)] : [];
if (possible() && found.some((element) => element.matches(".highlight"))) {
  window.smolPage = new Page(found); // for the tests of the site
}
