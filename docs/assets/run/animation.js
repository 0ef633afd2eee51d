// The backward pass over a drawing: its steps are in data-steps of the SVG, as `draw` wrote them.

import { make, words } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const PAUSE = 1400; // milliseconds a step is shown for
const NOTHING = "#eef1f5"; // the colour of a gradient of zero, as in drawings
const SOMETHING = "#fee3b3"; // that of another one, where the drawing was made before backward()
const PLACES = [0, -22, 22, -44, 44, -66, 66, -90, 90].flatMap((dy) => [0, -50, 50, -110, 110].map((dx) => [dx, dy]));

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export class Animation {
  // `controls` are to be put near the drawing; `at` is the step to begin with.
  constructor(svg, at = -1) {
    this.svg = svg;
    this.frame = svg.closest(".smol-frame") ?? make("div", { class: "smol-frame" }); // scrolls alone
    if (!svg.parentElement.matches(".smol-frame")) {
      svg.replaceWith(this.frame);
      this.frame.append(svg);
    }
    this.steps = JSON.parse(svg.dataset.steps);
    for (const step of this.steps) {
      step.arrow = step.edge && svg.querySelector(`[data-edge="${step.edge}"]`);
      step.lands = step.edge ? Number(step.arrow?.dataset.from ?? -1) : step.node;
    }
    this.at = Math.min(at, this.steps.length); // -1: as it was drawn; 0: before the first step
    this.timer = null;
    this.grads = new Map();
    for (const box of svg.querySelectorAll("[data-node]")) {
      const name = [...box.querySelectorAll("text")].find((text) => text.textContent === "grad");
      if (!name) continue;
      const all = [...box.querySelectorAll("text")];
      const lines = all.slice(all.indexOf(name) + 1);
      const rect = [...box.querySelectorAll("rect[rx='6']")].at(-1); // of folded boxes the one in front
      const drawn = { grad: lines.map((line) => line.textContent).join("\n"), fill: rect.getAttribute("fill") };
      this.grads.set(Number(box.dataset.node), { box, name, lines, rect, drawn });
    }
    this.buttons = {};
    const button = (name, action) => {
      this.buttons[name] = make("button", { type: "button", onclick: action }, words[name]);
      return this.buttons[name];
    };
    this.sentence = make("p", { class: "smol-sentence", "aria-live": "polite" });
    this.controls = make(
      "div",
      { class: "smol-steps", role: "group", "aria-label": words.pass },
      make("div", { class: "smol-buttons" },
        button("first", () => this.#go(-1)),
        button("back", () => this.#go(this.at - 1)),
        button("step", () => this.#go(this.at + 1)),
        button("play", () => (this.timer ? this.pause() : this.play()))),
      this.sentence,
    );
    this.#show();
  }

  play() {
    if (this.at >= this.steps.length) this.at = -1;
    this.timer = setInterval(() => {
      if (this.at >= this.steps.length) this.pause();
      else this.#move(this.at + 1);
    }, PAUSE);
    this.buttons.play.textContent = words.pause;
    this.#move(this.at + 1);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.buttons.play.textContent = words.play;
  }

  #go(at) {
    this.pause();
    this.#move(at);
  }

  #move(at) {
    this.at = Math.max(-1, Math.min(this.steps.length, at));
    this.#show();
  }

  // Show the state after `at` steps: everything is told anew from the beginning.
  #show() {
    for (const old of this.svg.querySelectorAll(".smol-extra")) old.remove();
    for (const old of this.svg.querySelectorAll(".smol-active")) old.classList.remove("smol-active");
    const done = this.at < 0 ? [] : this.steps.slice(0, this.at);
    for (const { lines, rect, drawn } of this.grads.values()) {
      this.#write(lines, this.at < 0 ? drawn.grad : "0");
      rect.setAttribute("fill", this.at < 0 ? drawn.fill : NOTHING);
    }
    for (const step of done) {
      for (const [node, grad] of Object.entries(step.grads ?? { [step.lands]: step.grad })) {
        const target = this.grads.get(Number(node));
        if (!target || grad === undefined) continue;
        this.#write(target.lines, grad);
        target.rect.setAttribute("fill", target.drawn.fill === NOTHING ? SOMETHING : target.drawn.fill);
      }
    }
    for (const one of this.grads.values()) this.#fit(one);
    const step = done.at(-1);
    const said = done.findLast((one) => one.text);
    this.sentence.replaceChildren(...(said ? [said.text] : []));
    if (step?.more) this.sentence.append(make("span", {}, step.more));
    this.buttons.first.disabled = this.buttons.back.disabled = this.at < 0;
    this.buttons.step.disabled = this.at >= this.steps.length;
    if (step) this.#mark(step);
  }

  // An array's gradient has the lines that were drawn; of a zero, only the first is used.
  #write(lines, grad) {
    const texts = grad.split("\n");
    lines.forEach((line, i) => (line.textContent = texts[i] ?? ""));
  }

  // A gradient that is longer than the drawn one is made narrower, so that it stays in its box.
  #fit({ lines, rect, name }) {
    const room = rect.getBBox().width - name.getComputedTextLength() - 26;
    for (const line of lines) {
      line.removeAttribute("textLength");
      if (room <= 0 || line.getComputedTextLength() <= room) continue;
      line.setAttribute("textLength", room);
      line.setAttribute("lengthAdjust", "spacingAndGlyphs");
    }
  }

  #mark(step) {
    for (const node of [step.node, step.lands]) {
      this.svg.querySelector(`[data-node="${node}"]`)?.classList.add("smol-active");
    }
    const edge = step.arrow;
    if (!edge) return;
    edge.classList.add("smol-active");
    const middle = edge.getPointAtLength(edge.getTotalLength() / 2);
    this.#label(middle, step.factor);
    const scale = this.svg.clientWidth / this.svg.viewBox.baseVal.width;
    this.frame.scrollLeft = middle.x * scale - this.frame.clientWidth / 2;
    if (!calm()) this.#travel(edge, step.amount);
  }

  #label(point, words) {
    const group = document.createElementNS(SVG, "g");
    group.setAttribute("class", "smol-extra smol-factor");
    const text = document.createElementNS(SVG, "text");
    text.textContent = words.length > 44 ? words.slice(0, 43) + "…" : words;
    text.setAttribute("text-anchor", "middle");
    const back = document.createElementNS(SVG, "rect");
    group.append(back, text);
    this.svg.append(group);
    const half = text.getComputedTextLength() / 2 + 6;
    const { width, height } = this.svg.viewBox.baseVal;
    const boxes = [...this.svg.querySelectorAll("rect[rx='6']")].map((rect) => rect.getBBox());
    const within = (value, low, high) => Math.max(low, Math.min(high, value));
    let [x, y, least] = [0, 0, Infinity];
    for (const [dx, dy] of PLACES) { // the nearest place that hides the least of the boxes
      const [px, py] = [within(point.x + dx, half + 1, width - half - 1), within(point.y + dy, 12, height - 12)];
      const hidden = boxes.reduce((sum, box) => {
        const w = Math.min(px + half, box.x + box.width) - Math.max(px - half, box.x);
        const h = Math.min(py + 11, box.y + box.height) - Math.max(py - 11, box.y);
        return sum + Math.max(0, w) * Math.max(0, h);
      }, 0);
      if (hidden < least) [x, y, least] = [px, py, hidden];
    }
    text.setAttribute("x", x);
    text.setAttribute("y", y + 4);
    for (const [name, value] of Object.entries({ x: x - half, y: y - 11, width: 2 * half, height: 22, rx: 6 })) {
      back.setAttribute(name, value);
    }
  }

  // The amount on its way back along the arrow.
  #travel(edge, amount) {
    const dot = document.createElementNS(SVG, "g");
    dot.setAttribute("class", "smol-extra smol-amount");
    const circle = document.createElementNS(SVG, "circle");
    circle.setAttribute("r", "5");
    const text = document.createElementNS(SVG, "text");
    text.setAttribute("text-anchor", "middle");
    text.setAttribute("y", "-9");
    text.textContent = `+${amount.replaceAll("\n", " ")}`;
    dot.append(circle, text);
    this.svg.append(dot);
    const length = edge.getTotalLength();
    const begin = performance.now();
    const tick = (now) => {
      const part = Math.min(1, (now - begin) / 700);
      const { x, y } = edge.getPointAtLength(length * (1 - part));
      dot.setAttribute("transform", `translate(${x} ${y})`);
      if (part < 1 && dot.isConnected) requestAnimationFrame(tick);
      else dot.remove();
    };
    tick(begin);
  }
}

// Give every drawing in `root` that has steps its controls, after the drawing.
export function animate(root, at = -1) {
  return [...root.querySelectorAll("svg[data-steps]")].map((svg) => {
    const animation = new Animation(svg, at);
    animation.frame.after(animation.controls);
    return animation;
  });
}
