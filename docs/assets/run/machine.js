// The machine: a worker that runs Python, started when it is first needed; stopping ends it.

export class Machine {
  #worker = null;
  #jobs = new Map();
  #last = 0;

  constructor(language, onProgress) {
    this.language = language;
    this.onProgress = onProgress;
  }

  // Do a task; `onEvent({kind, block, text})` hears of it. Resolves to "done", "stopped" or "broken".
  do(task, onEvent) {
    if (!this.#worker) {
      this.#worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
      this.#worker.onmessage = ({ data }) => this.#hear(data);
      this.#worker.onerror = (event) => this.#end("broken", event.message || "worker.js");
      this.onProgress(0);
    }
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#jobs.set(id, { onEvent, resolve });
      this.#worker.postMessage({ ...task, id, language: this.language });
    });
  }

  stop() {
    this.#end("stopped", "");
  }

  #hear(data) {
    if (data.kind === "progress") return this.onProgress(data.part);
    const job = this.#jobs.get(data.id);
    if (!job) return;
    if (data.kind === "running") return this.onProgress(null);
    job.onEvent(data);
    if (data.kind === "broken") return this.#end("broken", data.text);
    if (data.kind === "done") {
      this.#jobs.delete(data.id);
      job.resolve("done");
    }
  }

  #end(how, text) {
    this.#worker?.terminate();
    this.#worker = null;
    this.onProgress(null);
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    for (const job of jobs) {
      if (how === "broken") job.onEvent({ kind: "error", block: -1, text });
      job.resolve(how);
    }
  }
}

// Whether this browser can run it at all.
export const possible = () =>
  typeof WebAssembly === "object" && typeof Worker === "function" && location.protocol !== "file:";
