/**
 * Forms that bring files (`data-upload`): dropped or chosen, sent one by one with few at once, tried again while the
 * connection is away, never sent twice. Without this module the same forms send a ZIP or a few files by themselves.
 * A photo (`data-upload-photo`) goes off as soon as it is taken. A form with `data-upload-job` goes on with an upload.
 */
import { Problem, csrfToken, getJson, post } from "./http.js";
import { backOff } from "./live.js";
import { digestOf, droppedFiles, named } from "./upload_files.js";

const AT_ONCE = 3;
const MOST_TRIES = 20;

/** One form: what was chosen, and what is on its way. */
class Upload {
  constructor(form) {
    this.form = form;
    this.chosen = [];
    this.meter = form.querySelector("[data-upload-meter]");
    this.bar = this.meter.querySelector("progress");
    this.text = this.meter.querySelector("[data-upload-text]");
    this.job = form.dataset.uploadJob ? JSON.parse(form.dataset.uploadJob) : null;
    this.listen();
  }

  listen() {
    const { form } = this;
    form.addEventListener("submit", (event) => { event.preventDefault(); this.start(); });
    for (const field of form.querySelectorAll('input[type="file"]')) field.addEventListener("change", () => this.choose(named(field.files)));
    this.meter.querySelector("[data-upload-cancel]").addEventListener("click", () => this.cancel());
    const drop = form.querySelector("[data-upload-drop]");
    if (!drop) return;
    const folder = form.querySelector("[data-upload-folder]");
    folder.hidden = !("webkitdirectory" in folder.querySelector("input"));
    drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.dataset.over = ""; });
    drop.addEventListener("dragleave", () => delete drop.dataset.over);
    drop.addEventListener("drop", async (event) => {
      event.preventDefault();
      delete drop.dataset.over;
      this.choose(await droppedFiles(event.dataTransfer));
    });
  }

  choose(files) {
    this.chosen.push(...files);
    const told = this.form.querySelector("[data-upload-chosen]");
    if (told) told.textContent = this.chosen.length ? `${this.chosen.length} ${told.dataset.textChosen}` : "";
    if ("uploadPhoto" in this.form.dataset && files.length) this.start();
  }

  async start() {
    if (this.running) return;
    this.meter.hidden = false;
    if (!this.chosen.length) {
      this.say(this.meter.dataset.textNone);
      return;
    }
    this.running = true;
    this.stopped = new AbortController();
    try {
      this.job ||= await this.begin();
      await this.bring();
      await this.persist(() => post(this.job.send, {}));
      location.assign(this.job.url);
    } catch (problem) {
      // What the other lanes still have on its way ends with the first that cannot go on.
      this.stopped.abort();
      if (problem.name !== "AbortError") this.fail(problem);
    } finally {
      this.running = false;
    }
  }

  /** Ask for an upload with what the form says; from then on a reload comes to its page. */
  async begin() {
    const fields = new FormData(this.form);
    fields.delete("files");
    const job = await this.persist(() => send(location.pathname, fields));
    history.replaceState(null, "", job.url);
    return job;
  }

  async bring() {
    const there = await this.persist(() => getJson(this.job.files));
    const sizes = new Set(there.files.map((file) => `${file.size} ${file.name}`));
    const digests = new Set(there.files.map((file) => file.sha256));
    this.done = 0;
    this.sent = new Map();
    this.bytes = this.chosen.reduce((sum, { file }) => sum + file.size, 0) || 1;
    const waiting = this.chosen.values();
    const lane = async () => {
      for (const one of waiting) {
        this.stopped.signal.throwIfAborted();
        const known = sizes.has(`${one.file.size} ${one.name}`) && (await this.isThere(one, digests));
        if (!known) await this.bringOne(one);
        this.sent.set(one, one.file.size);
        this.done += 1;
        this.show();
      }
    };
    this.show();
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }

  async isThere(one, digests) {
    const digest = await digestOf(one.file);
    return digest === null || digests.has(digest);
  }

  async bringOne(one) {
    const fields = new FormData();
    fields.set("name", one.name);
    fields.set("modified", String(one.file.lastModified || ""));
    fields.set("files", one.file, "file");
    try {
      const said = await this.persist(() => send(this.job.files, fields, this.stopped.signal, (bytes) => { this.sent.set(one, Math.min(bytes, one.file.size)); this.show(); }));
      if (said.text && said.reason !== "not_used") this.tell(one.name, said.text);
    } catch (problem) {
      if (problem.status !== 413) throw problem;
      this.tell(one.name, problem.message);
    }
  }

  /** Try again while the fault may pass, with longer and longer waits. */
  async persist(call) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await call();
      } catch (problem) {
        if (!problem.passing || attempt >= MOST_TRIES) throw problem;
        this.say(this.meter.dataset.textAgain);
        await new Promise((resolve) => setTimeout(resolve, backOff(attempt)));
        this.stopped.signal.throwIfAborted();
      }
    }
  }

  async cancel() {
    this.stopped?.abort();
    if (this.job) {
      await post(this.job.cancel, {}).catch(() => null);
      location.assign(this.job.url);
    } else {
      this.meter.hidden = true;
    }
  }

  show() {
    let bytes = 0;
    for (const sent of this.sent.values()) bytes += sent;
    this.bar.value = bytes / this.bytes;
    this.say(`${this.done} / ${this.chosen.length} ${this.meter.dataset.textSending}`);
  }

  say(text) {
    this.text.textContent = text;
  }

  tell(name, text) {
    const line = document.createElement("li");
    line.textContent = `${name}: ${text}`;
    this.meter.querySelector("[data-upload-problems]").append(line);
  }

  fail(problem) {
    const errors = Object.values(problem.body?.errors || {}).flat().map((error) => error.message || error);
    this.say([problem.message, ...errors, this.job ? this.meter.dataset.textStopped : ""].filter(Boolean).join(" "));
    this.chosen = this.job ? this.chosen : [];
  }
}

/** POST a form, with progress; JSON of an answer below 400, otherwise a Problem. */
function send(url, fields, signal, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.responseType = "json";
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("X-Requested-With", "fetch");
    request.setRequestHeader("Accept", "application/json");
    if (progress) request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("load", () => (request.status < 400 ? resolve(request.response) : reject(new Problem(request.status, request.response || {}))));
    request.addEventListener("error", () => reject(new Problem(0)));
    request.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    signal?.addEventListener("abort", () => request.abort());
    request.send(fields);
  });
}

for (const form of document.querySelectorAll("[data-upload]")) new Upload(form);
