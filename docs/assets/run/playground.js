// The playground: one program, its sliders, its drawing, and the steps of its backward pass.

import { animate } from "./animation.js";
import { Editor } from "./editor.js";
import { Machine, possible } from "./machine.js";
import { Output } from "./output.js";
import { Sliders } from "./sliders.js";
import { button, cleaned, language, make, progress, words } from "./words.js";

// Programs in links: deflated, in the alphabet of URLs.
async function through(stream, bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

async function packed(text) {
  const bytes = await through(new CompressionStream("deflate-raw"), new TextEncoder().encode(text));
  const base = btoa(String.fromCharCode(...bytes));
  return base.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function unpacked(text) {
  const base = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(base, (c) => c.charCodeAt(0));
  return new TextDecoder().decode(await through(new DecompressionStream("deflate-raw"), bytes));
}

class Playground {
  constructor(place, examples) {
    this.examples = examples;
    this.moves = []; // milliseconds from a move to its drawing
    this.machine = new Machine(language, (part) => {
      this.status.textContent = part === null && !this.busy ? "" : progress(part);
    });
    this.status = make("span", { class: "smol-status", role: "status" });
    this.choice = make("select", { "aria-label": place.dataset.choose, onchange: () => this.open(this.choice.selectedIndex) },
      ...examples.map(({ title }) => make("option", {}, title)));
    this.buttons = {
      run: button("run", () => this.run()),
      stop: button("stop", () => this.machine.stop()),
      share: button("share", () => this.share()),
    };
    this.buttons.stop.hidden = true;
    const code = make("code");
    this.output = new Output();
    this.sliders = new Sliders((put) => {
      this.editor.text = put(this.editor.text);
      this.run();
    });
    this.drawing = make("div", { class: "smol-drawing" });
    place.replaceChildren(
      make("div", { class: "smol-program highlight" },
        make("div", { class: "smol-bar" }, this.choice),
        make("pre", {}, code),
        make("div", { class: "smol-bar" }, ...Object.values(this.buttons), this.status),
        this.output.element),
      make("div", { class: "smol-result" }, this.sliders.element, this.drawing));
    place.classList.add("smol-play");
    this.editor = new Editor(code, { onRun: () => this.run(), numbers: true });
    addEventListener("hashchange", () => this.#fromLink());
  }

  async begin() {
    if (!(await this.#fromLink())) this.open(0);
  }

  async #fromLink() {
    const code = location.hash.match(/^#code=([\w-]+)$/)?.[1];
    if (!code) return false;
    try {
      this.editor.text = await unpacked(code);
    } catch {
      return false; // the link was cut off
    }
    this.choice.selectedIndex = -1;
    this.sliders.set([]);
    this.drawing.replaceChildren(make("p", {}, words.empty));
    return true;
  }

  // An example, with the drawing that the page has of it.
  open(i) {
    const { text, svg } = this.examples[i];
    this.editor.text = text;
    this.output.clear();
    this.sliders.set([]);
    this.animations = null;
    this.#draw(svg);
  }

  #draw(markup) {
    for (const one of this.animations ?? []) one.pause();
    const at = this.animations?.[0]?.at ?? -1;
    this.drawing.replaceChildren(...cleaned(markup));
    this.drawing.classList.remove("smol-old");
    this.animations = animate(this.drawing, at);
  }

  // Run the program; asked again meanwhile, run it once more afterwards, as it is then.
  async run() {
    this.again = true;
    if (this.busy) return;
    this.busy = true;
    this.buttons.run.hidden = true;
    this.buttons.stop.hidden = false;
    let how = "done";
    while (this.again && how === "done") {
      this.again = false;
      how = await this.#once(this.editor.text);
    }
    this.busy = false;
    this.buttons.run.hidden = false;
    this.buttons.stop.hidden = true;
    this.status.textContent = how === "stopped" ? words.stopped : "";
  }

  async #once(text) {
    const began = performance.now();
    let cleared = false;
    const how = await this.machine.do({ task: "playground", text }, ({ kind, text: told }) => {
      if (!cleared) this.output.clear();
      cleared = true;
      if (kind === "sliders") {
        if (text === this.editor.text) this.sliders.set(JSON.parse(told));
      } else if (kind === "svg" || kind === "html") this.#draw(told);
      else {
        if (kind === "error") this.drawing.classList.add("smol-old");
        this.output.show({ kind, text: told });
      }
    });
    this.moves.push(performance.now() - began);
    return how;
  }

  async share() {
    history.replaceState(null, "", `#code=${await packed(this.editor.text)}`);
    this.status.textContent = words.copied;
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      this.status.textContent = location.href; // it is in the address, too
    }
  }
}

// The programs of the page: each a heading, a block, and what draws it.
function examplesOf(article) {
  return [...article.querySelectorAll("figure.drawing[data-code]")].map((figure) => {
    let block = figure;
    while (!block.matches(".language-python")) block = block.previousElementSibling;
    let heading = block;
    while (!heading.matches("h3")) heading = heading.previousElementSibling;
    const code = figure.dataset.code.startsWith("draw(") ? "" : `\n${figure.dataset.code}`;
    return {
      title: heading.firstChild.textContent,
      text: block.querySelector("code").textContent.trimEnd() + code,
      svg: figure.querySelector("svg").outerHTML,
    };
  });
}

const place = document.getElementById("smol-playground");
if (place && possible() && typeof CompressionStream === "function") {
  window.smolPlayground = new Playground(place, examplesOf(place.closest("article"))); // for tests
  window.smolPlayground.begin();
}
