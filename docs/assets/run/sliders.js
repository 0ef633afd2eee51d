// Sliders for the numbers of a program: where they stand in it is what session.py says.

import { make, words } from "./words.js";

// A number as Python writes a float; a rate with three digits.
function literal({ rate }, number) {
  const text = String(Number(rate ? number.toPrecision(3) : number.toFixed(4)));
  return /[.e]/.test(text) ? text : `${text}.0`;
}

export class Sliders {
  // `onMove` hears of a move as a function that puts the new number into the program's text.
  constructor(onMove) {
    this.onMove = onMove;
    this.element = make("div", { class: "smol-sliders", role: "group", "aria-label": words.sliders });
    this.list = [];
  }

  // Keep those on the page if they are the same, so that one can go on being dragged.
  set(found) {
    const names = (list) => list.map(({ name }) => name).join();
    if (names(found) !== names(this.list)) {
      this.rows = found.map((one, i) => this.#row(one, i));
      this.element.replaceChildren(...this.rows.map(({ label }) => label));
    }
    this.list = found.map((one) => ({ ...one }));
    for (const [i, one] of found.entries()) {
      const { input, output, scale } = this.rows[i];
      const place = scale.place(one.number);
      if (document.activeElement !== input || Math.abs(input.value - place) > input.step / 2) input.value = place;
      this.#say(output, input, literal(one, one.number));
    }
  }

  #row(one, i) {
    const scale = one.rate ? powers(one.number) : { place: (n) => n, number: (p) => p };
    const reach = one.rate ? 1 : Math.max(4, 2 * Math.ceil(Math.abs(one.number)));
    const input = make("input", {
      type: "range", min: -reach, max: reach, step: one.rate ? "0.02" : "0.05",
      oninput: () => this.#move(i, scale.number(Number(input.value))),
    });
    const output = make("output");
    return { label: make("label", {}, make("span", {}, one.name), input, output), input, output, scale };
  }

  #say(output, input, text) {
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  }

  #move(i, number) {
    const moved = this.list[i];
    const { line, begin, end } = moved;
    const text = literal(moved, number);
    for (const one of this.list) {
      const longer = one.line === line && one.begin > begin ? text.length - (end - begin) : 0;
      [one.begin, one.end] = [one.begin + longer, one.end + longer];
    }
    [moved.end, moved.number] = [begin + text.length, number];
    this.#say(this.rows[i].output, this.rows[i].input, text);
    this.onMove((program) => {
      const lines = program.split("\n");
      lines[line] = lines[line].slice(0, begin) + text + lines[line].slice(end);
      return lines.join("\n");
    });
  }
}

// From a tenth to ten times a number, by its powers of ten.
const powers = (middle) => ({
  place: (number) => Math.log10(number / middle),
  number: (place) => middle * 10 ** place,
});
