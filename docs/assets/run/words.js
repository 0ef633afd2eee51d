// What the page says, in both languages, and markup that is safe to show.

const WORDS = {
  en: {
    run: "Run", stop: "Stop", reset: "Reset", share: "Copy link", copied: "Link copied",
    loading: "Loading Python, once", running: "Running…", above: "Running what stands above…",
    stopped: "Stopped. The next run starts afresh.",
    stoppedAbove: "A block above has an error.",
    needs: (name) => `Needs ${name}, which is not part of this page: run it in a Python of your own.`,
    editor: "Python code; Ctrl+Enter runs it, Escape and then Tab leaves it",
    first: "First", back: "Back", step: "Step", play: "Play", pause: "Pause",
    pass: "The backward pass, step by step", block: "block",
    sliders: "Sliders", empty: "Run the program to see its graph.",
    check: "Check", right: "Right!", solved: "solved", count: (n, all) => `${n} of ${all} solved`,
  },
  es: {
    run: "Ejecutar", stop: "Detener", reset: "Restablecer", share: "Copiar enlace",
    copied: "Enlace copiado",
    loading: "Cargando Python, una sola vez", running: "En marcha…",
    above: "Ejecutando lo que está arriba…",
    stopped: "Detenido. La próxima ejecución empieza de nuevo.",
    stoppedAbove: "Un bloque de más arriba tiene un error.",
    needs: (name) => `Necesita ${name}, que no forma parte de esta página: ejecútalo en tu propio Python.`,
    editor: "Código Python; Ctrl+Intro lo ejecuta, Escape y luego Tab sale de él",
    first: "Principio", back: "Atrás", step: "Paso", play: "Reproducir", pause: "Pausa",
    pass: "La pasada hacia atrás, paso a paso", block: "bloque",
    sliders: "Deslizadores", empty: "Ejecuta el programa para ver su grafo.",
    check: "Comprobar", right: "¡Correcto!", solved: "resuelto",
    count: (n, all) => `${n} de ${all} resueltos`,
  },
};

export const language = document.documentElement.lang.startsWith("es") ? "es" : "en";
export const words = WORDS[language];

// An element with attributes and children; texts are texts.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// A button that is called by what it does.
export const button = (name, action) =>
  make("button", { type: "button", class: `smol-${name}`, onclick: action }, words[name]);

// What is said while Python is on its way, and once it is there.
export const progress = (part) =>
  part === null ? words.running : `${words.loading}: ${Math.round(100 * part)} %`;

const TAGS = new Set(
  ("svg g path rect text tspan title circle line polyline polygon ellipse desc " +
    "table caption thead tbody tfoot tr th td div span p b i em strong code pre br ul ol li small sub sup").split(" "),
);

// What a program draws, without anything that could run: programs come by links, too.
export function cleaned(markup) {
  const body = new DOMParser().parseFromString(markup, "text/html").body;
  for (const element of [...body.querySelectorAll("*")]) {
    if (!TAGS.has(element.localName)) element.remove();
    for (const { name, value } of [...element.attributes]) {
      if (/^on|href$|^src|^action$/i.test(name) || /url\(|javascript:/i.test(value)) {
        element.removeAttribute(name);
      }
    }
  }
  return [...body.childNodes];
}
