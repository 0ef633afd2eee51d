// Exercises: each is done in the page and judged there; answers, and what is solved, are kept.

import { Editor } from "./editor.js";
import { Machine, possible } from "./machine.js";
import { Output } from "./output.js";
import { button, language, make, progress, words } from "./words.js";

const KEY = "smolml-exercises"; // by the exercise's name: {text, solved}, the same in both languages

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {}; // it is forbidden, or not ours
  }
}

function keep(name, what) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...kept(), [name]: what }));
  } catch {
    // full, or forbidden: then it lasts as long as the page
  }
}

class Exercise {
  constructor(element, page) {
    this.page = page;
    this.name = element.dataset.exercise;
    const block = element.querySelector(".highlight");
    const heading = element.previousElementSibling;
    const check = () => page.check(this);
    this.editor = new Editor(block.querySelector("code"), { onRun: check, onInput: () => this.#keep() });
    this.status = make("span", { class: "smol-status", role: "status" });
    this.buttons = {
      check: button("check", check),
      stop: button("stop", () => page.machine.stop()),
      reset: button("reset", () => this.reset()),
    };
    this.output = new Output();
    this.mark = make("span", { class: "smol-solved", role: "img", "aria-label": words.solved }, "✓");
    heading.lastElementChild.before(this.mark); // before the link to itself
    block.append(make("div", { class: "smol-bar", role: "group", "aria-labelledby": this.name },
      ...Object.values(this.buttons), this.status, make("span", { class: "smol-number" }, this.name)));
    block.after(this.output.element);
    const { text, solved } = kept()[this.name] ?? {};
    if (typeof text === "string" && text !== this.editor.text) this.editor.text = text;
    this.solved = solved === true;
  }

  #keep() {
    keep(this.name, this.editor.changed || this.solved ? { text: this.editor.text, solved: this.solved } : undefined);
    this.page.update();
  }

  update() {
    const running = this.page.running === this;
    this.buttons.check.hidden = running;
    this.buttons.check.disabled = this.page.running !== null;
    this.buttons.stop.hidden = !running;
    this.buttons.reset.hidden = running || !(this.editor.changed || this.solved);
    this.mark.hidden = !this.solved;
  }

  // What came of it: see session.py.
  show(told) {
    if (told.kind === "right") {
      this.solved = true;
      this.#keep();
    }
    this.output.show(told);
  }

  // As if it had never been begun.
  reset() {
    this.editor.reset();
    this.output.clear();
    this.solved = false;
    this.status.textContent = "";
    this.#keep();
  }
}

class Exercises {
  constructor(elements) {
    this.running = null;
    this.machine = new Machine(language, (part) => {
      if (this.running) this.running.status.textContent = progress(part);
    });
    this.count = make("p", { class: "smol-count", role: "status" });
    document.querySelector("article h1").after(this.count);
    this.list = elements.map((element) => new Exercise(element, this));
    this.update();
  }

  update() {
    for (const one of this.list) one.update();
    this.count.textContent = words.count(this.list.filter(({ solved }) => solved).length, this.list.length);
  }

  async check(one) {
    if (this.running) return;
    this.running = one;
    this.update();
    one.output.clear();
    one.status.textContent = words.running;
    const task = { task: "exercise", name: one.name, text: one.editor.text };
    const how = await this.machine.do(task, (told) => one.show(told));
    this.running = null;
    one.status.textContent = how === "stopped" ? words.stopped : "";
    this.update();
  }
}

const found = [...document.querySelectorAll("article .exercise")];
if (possible() && found.length > 0) window.smolExercises = new Exercises(found); // for the tests
