// The worker: loads Pyodide, our wheels and session.py, then runs what it is sent.

const here = new URL("./", import.meta.url);
const at = (name) => new URL(name, here).href;
let parts, tasks;
let current = 0; // the number of the request that is being answered

const tell = (kind, block, text) => postMessage({ id: current, kind, block, text });

// Count bytes as they arrive, for the progress line.
let loaded = 0;
const plainFetch = self.fetch.bind(self);
self.fetch = async (...args) => {
  const response = await plainFetch(...args);
  if (!response.ok || !response.body) return response;
  const counter = new TransformStream({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      if (parts) postMessage({ kind: "progress", part: Math.min(1, loaded / parts.bytes) });
      controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(counter), { status, statusText, headers });
};

async function load(language) {
  parts = await (await plainFetch(at("parts.json"))).json();
  const { loadPyodide } = await import(at("pyodide.mjs"));
  const fetched = [...parts.wheels, ...parts.files].map(async (name) => {
    const response = await fetch(at(name));
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
    return [name, new Uint8Array(await response.arrayBuffer())];
  });
  const python = await loadPyodide({ indexURL: here.href });
  python.FS.mkdir("docs");
  for (const [name, bytes] of await Promise.all(fetched)) {
    if (name.endsWith(".whl")) python.unpackArchive(bytes, "wheel");
    else python.FS.writeFile(`docs/${name}`, bytes);
  }
  const tools = python.pyimport("docs.session");
  const session = tools.Session(language, tell);
  const exercises = tools.Exercises(language, tell);
  const playground = tools.Playground(language, tell);
  tasks = {
    page: ({ program, last }) => session.run_json(program, last),
    exercise: ({ name, text }) => exercises.check(name, text),
    playground: ({ text }) => playground.run(text),
  };
}

let ready;
let queue = Promise.resolve();
onmessage = ({ data }) => {
  queue = queue.then(async () => {
    current = data.id;
    try {
      ready ??= load(data.language);
      await ready;
      postMessage({ id: data.id, kind: "running" });
      tasks[data.task](data);
      postMessage({ id: data.id, kind: "done" });
    } catch (error) {
      postMessage({ id: data.id, kind: "broken", text: String(error.message ?? error) });
    }
  });
};
