/**
 * The desk: takes items, shows them, and turns commands (keys and buttons) into answers. The order in `#decide` is what
 * makes it fast: the next picture is swapped in first, the answer is sent after that.
 */
import { Problem, post } from "../http.js";
import { deskIsOpen } from "../leaving.js";
import { backOff } from "../live.js";
import { listenForAdjustments } from "./adjust.js";
import { announce } from "./announce.js";
import { Attributes } from "./attributes.js";
import { Away } from "./away.js";
import { onArrivals } from "./arrivals.js";
import { Banner } from "./banner.js";
import { Bar } from "./bar.js";
import { Editor } from "./editor.js";
import { Help } from "./help.js";
import { Held } from "./held.js";
import { readClaim } from "./item.js";
import { Keys } from "./keymap.js";
import { forSending, judged, lacking, primaryAnswer, saysMore } from "./labels.js";
import { Outbox } from "./outbox.js";
import { Panel } from "./panel.js";
import { Reason } from "./reason.js";
import { Session } from "./session.js";
import { Sheets } from "./sheets.js";
import { Stage } from "./stage.js";
import { t } from "./texts.js";
import { Trail } from "./trail.js";
import { Typeahead } from "./typeahead.js";
import { uuid } from "./uuid.js";

const LEASE_SHOWN_BELOW_S = 30;
const TICK_MS = 1000;
const LAYOUT_KEY = "second-look.desk-layout.";
const WORDS = { confirm: "word-confirm", correct: "word-correct", empty: "word-empty", unsure: "word-unsure", bad_image: "word-bad-image" };
const MOVES = { ...WORDS, skip: "word-skip", snooze: "word-snooze", hand_back: "word-hand-back", escalate: "word-escalate" };
const MAY_REPEAT = new Set(["move", "move-far", "pan", "zoom-in", "zoom-out", "next-box", "previous-box", "undo-edit", "redo-edit"]);

export class Desk {
  #root;
  #config;
  #painted = false;
  #complete = true;
  #shownAt = 0;
  #taking = false;
  #isEmpty = false;

  /**
   * @param {HTMLElement} root `[data-desk]`
   * @param {object} config what the server wrote into `#desk-config`
   */
  constructor(root, config) {
    this.#root = root;
    this.#config = config;
    const figures = new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    const formatConfidence = (value) => figures.format(value);
    this.stage = new Stage(root);
    this.panel = new Panel(root, config.classes, formatConfidence);
    this.bar = new Bar(root);
    this.banner = new Banner(root);
    this.sheets = new Sheets(root);
    this.reason = new Reason(root, this.sheets);
    this.trail = new Trail(root, (step) => this.#takeBack(step));
    this.typeahead = new Typeahead(root, (name) => this.editor.relabel(name));
    this.editor = new Editor(this.stage.element, { classes: config.classes, formatConfidence, onChange: () => this.#refresh() });
    this.attributes = new Attributes(root, this.sheets, this.editor);
    this.outbox = new Outbox(document.body.dataset.person || "", config.outbox_keys || [], {
      onCount: (count) => this.bar.showUnsent(count),
      onRefused: (entry, problem) => this.#refused(entry, problem),
      onSignedOut: () => this.banner.signedOut(),
    });
    this.held = new Held(root, config);
    this.away = new Away(root, this.sheets, {
      current: () => (this.#canAct ? this.session.current : null),
      goOn: () => { this.#next(); this.session.prefetch(); },
      wantsReason: (move) => this.#wantsReason(move),
      askFirst: (words, then) => this.reason.ask(words, then),
      askAfter: (problem, move, again) => this.#askAfter(problem, move, again),
      failed: (detail) => this.banner.said(t("put-away-failed"), detail),
    });
    this.session = new Session(config, { holdingElsewhere: () => this.outbox.items, onLost: (item) => this.#lost(item), onReasons: (moves) => this.#reasonsAre(moves) });
  }

  /** Take the first item and begin to listen. */
  start() {
    listenForAdjustments(this.#root);
    const help = new Help(this.#root, this.#config, (table) => keys.means(table));
    const keys = new Keys(help.table, (command, event, chord) => this.#key(command, event, chord));
    document.addEventListener("click", (event) => this.#clicked(event));
    this.stage.element.addEventListener("keydown", (event) => this.#tab(event));
    onArrivals(this.#config.queue.id, () => this.#arrived());
    setInterval(() => this.#tick(), TICK_MS);
    for (const part of ["strip", "panel"]) this.#root.toggleAttribute(`data-no-${part}`, localStorage.getItem(LAYOUT_KEY + part) === "off");
    this.stage.element.focus({ preventScroll: true });
    this.outbox.resume();
    deskIsOpen({ outbox: this.outbox, giveBack: () => this.session.leave() });
    this.session.start();
    this.held.start();
    this.#next();
  }

  // Taking and showing ------------------------------------------------------------------------------------------------

  /** Go on to the next item: at once when it is ready, otherwise as soon as it is. */
  #next() {
    this.session.current = null;
    this.#painted = false;
    const ready = this.session.takeReady();
    if (ready) this.#show(ready, ready.draft);
    else this.#takeNext();
  }

  async #takeNext() {
    if (this.#taking) return;
    this.#taking = true;
    if (!this.#isEmpty) this.#wait();
    const { item, empty } = await this.#takePatiently();
    this.#taking = false;
    if (this.session.current) this.#keepForLater(item);
    else if (item) await this.#showWhenReady(item);
    else this.#showEmpty(empty);
    this.session.prefetch();
  }

  /** An answer was taken back while we waited: what came now waits behind it. */
  #keepForLater(item) {
    if (item) this.session.putAhead(item);
  }

  async #takePatiently() {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const taken = await this.session.take();
        if (attempt) this.banner.hide();
        return taken;
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        if (problem.signedOut) this.banner.signedOut();
        else if (problem.passing) this.banner.unreachable("", () => location.reload());
        else return this.#cannotTake(problem);
        await new Promise((resolve) => setTimeout(resolve, backOff(attempt)));
      }
    }
  }

  #cannotTake(problem) {
    this.banner.unreachable(problem.body.detail, () => location.reload());
    return new Promise(() => {});
  }

  #wait() {
    this.#tickHeld(null);
    this.stage.wait();
    this.editor.clear();
    this.panel.showItem(null);
    this.#refresh();
  }

  async #showWhenReady(item) {
    this.session.current = item;
    await item.settled;
    if (this.session.current === item) this.#show(item, item.draft);
  }

  /** Take what a machine waits for. What was on screen waits behind it, with its edits. */
  async #takeHeld() {
    try {
      const item = await this.held.take();
      if (!item) return this.held.look();
      const before = this.session.current;
      if (before) {
        before.draft = this.#painted ? this.editor.labels : before.draft;
        this.session.putAhead(before);
      }
      this.banner.hide();
      this.#painted = false;
      return this.#showWhenReady(item);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      return this.banner.said(t("held-gone"), problem.status ? problem.message : t("unreachable-detail"));
    }
  }

  async #show(item, labels = null) {
    this.session.current = item;
    this.#painted = false;
    this.#isEmpty = false;
    this.#complete = item.payload.complete_default !== false;
    this.typeahead.close();
    const shown = this.stage.show(item);
    this.held.shows(item.id);
    this.editor.load(item.event, item.pictureState === "ready" ? item.picture : null, labels);
    this.panel.showItem(item);
    this.session.opened(item);
    this.#tickHeld(item);
    if (!(await shown)) return;
    this.#painted = true;
    this.#shownAt = performance.now();
    measure();
    this.#refresh();
    announce((item.slots.get("why")?.textContent || "").replace(/\s+/g, " ").trim());
  }

  #showEmpty(element) {
    this.#tickHeld(null);
    this.#isEmpty = true;
    this.stage.showEmpty(element);
    this.editor.clear();
    this.panel.showItem(null);
    this.#refresh();
    announce(element.textContent.replace(/\s+/g, " ").trim());
  }

  #arrived() {
    // Somebody else may have answered what a machine waits for: then this claim has ended.
    if (this.session.current?.heldLeft) this.session.check(this.session.current);
    if (this.#isEmpty && !this.session.current) this.#takeNext();
    else if (this.session.current) this.session.prefetch();
  }

  #lost(item) {
    this.banner.claimLost(() => {
      if (this.session.current === item) this.#next();
      this.session.prefetch();
    });
  }

  /** A picture that was on its way when its item came is shown the moment that it is there; edits stay. */
  async #lookAgain(item) {
    if (!(await item.lookAgain())) return;
    if (this.session.current === item && this.#painted) this.#show(item, this.editor.labels);
  }

  #tick() {
    const item = this.session.current;
    if (item) this.#lookAgain(item);
    const left = item && this.#painted ? item.leaseLeft : Infinity;
    this.#tickHeld(item);
    if (item?.heldLeft) return;
    this.bar.showLease(left < LEASE_SHOWN_BELOW_S ? left : null);
  }

  /** A held item wears a ring with the seconds left; afterwards it is an item like others, and the desk says so. */
  #tickHeld(item) {
    const left = item ? item.heldLeft : null;
    const was = this.#root.dataset.held || "";
    const state = left === null ? "" : left > 0 ? "waiting" : "over";
    this.#root.toggleAttribute("data-held-on", state !== "");
    this.#root.dataset.held = state;
    this.bar.showHeld(state, left);
    if (was === "waiting" && state === "over") announce(t("held-over"));
  }

  // Answers -----------------------------------------------------------------------------------------------------------

  get #canJudge() {
    return this.#painted && this.session.current?.pictureState === "ready";
  }

  get #canAct() {
    return this.#painted && this.session.current !== null;
  }

  get #predictions() {
    return this.session.current?.event.predictions || [];
  }

  get #primary() {
    return primaryAnswer(this.editor.labels, this.#predictions, this.#complete);
  }

  #wantsReason(move) {
    return this.#config.needs_reason.includes(move);
  }

  /** The queue was changed meanwhile: what it asks from now on is said before somebody runs into it. */
  #reasonsAre(moves) {
    const fresh = moves.filter((move) => !this.#wantsReason(move) && MOVES[move]);
    this.#config.needs_reason = moves;
    this.away.reasonsAre();
    if (fresh.length && !this.banner.offers) this.banner.said(t("reasons-title"), t("reasons-detail", { what: fresh.map((move) => t(MOVES[move])).join(", ") }));
  }

  /** Refused because a reason is missing: ask for it, and send the same move with it. Whether that was the trouble. */
  #askAfter(problem, move, again) {
    if (problem.code !== "reason_required") return false;
    if (!this.#wantsReason(move)) this.#config.needs_reason = [...this.#config.needs_reason, move];
    this.banner.reasonMissing(problem.message, () => this.reason.ask(t(MOVES[move]), again));
    return true;
  }

  #bodyOf(item, answer, note) {
    const body = { key: uuid(), claim_token: item.token, version: item.version, answer };
    if (note) body.note = note;
    body.seconds = Math.round((performance.now() - this.#shownAt) / 100) / 10;
    if (answer === "confirm" || answer === "correct") body.complete = this.#complete;
    const confirmsMore = answer === "confirm" && saysMore(judged(this.editor.labels, this.#predictions, this.#complete), this.#predictions);
    if (answer === "correct" || confirmsMore) body.labels = forSending(this.editor.labels, this.#predictions, this.#complete);
    return body;
  }

  #stepOf(item, answer) {
    const about = this.editor.labels.find((label) => label.subject)?.class || "";
    const words = about ? `${t(WORDS[answer])}: ${about}` : t(WORDS[answer]);
    return { item, answer, words, labels: this.editor.labels, undoSeconds: item.heldLeft ? 0 : this.#config.undo_seconds || 0 };
  }

  /** Ask for what a label still lacks, and then decide. */
  #asksMore(item, answer, note) {
    if (answer !== "confirm" && answer !== "correct") return false;
    const said = judged(this.editor.labels, this.#predictions, this.#complete);
    const label = said.find((one) => lacking(one, this.editor.definitionsOf(one.class)).length);
    if (!label) return false;
    this.editor.select(label.id);
    return this.attributes.ask(() => this.session.current === item && this.#decide(this.#primary, note));
  }

  /** One decision per item, and none on a picture that is not on the screen yet. */
  #decide(answer, note = "") {
    const item = this.session.current;
    const allowed = answer === "unsure" || answer === "bad_image" ? this.#canAct : this.#canJudge;
    if (!allowed) return false;
    if (this.#asksMore(item, answer, note)) return true;
    if (!note && this.#wantsReason(answer)) {
      this.reason.ask(t(WORDS[answer]), (said) => this.session.current === item && this.#decide(answer, said));
      return true;
    }
    performance.clearMarks("desk:key");
    performance.mark("desk:key");
    const entry = { url: item.links.verdict, item: item.id, body: this.#bodyOf(item, answer, note) };
    const step = this.#stepOf(item, answer);
    this.banner.hide();
    this.#next();
    this.#send(entry, step);
    this.session.prefetch();
    return true;
  }

  #send(entry, step) {
    this.trail.add(step);
    step.sent = this.outbox.add(entry).then(
      (answer) => this.trail.acknowledged(step, answer.undo_until_s, answer.links?.undo),
      (problem) => {
        if (!(problem instanceof Problem)) throw problem;
        this.trail.refused(step);
      },
    );
  }

  #refused(entry, problem) {
    const { answer } = entry.body;
    const withReason = (note) => this.outbox.add({ ...entry, body: { ...entry.body, key: uuid(), note } }).catch(() => {});
    if (this.#askAfter(problem, answer, withReason)) return;
    this.banner.refused(entry, problem, (version) => {
      const again = { ...entry, body: { ...entry.body, key: uuid(), version } };
      this.outbox.add(again).catch(() => {});
    });
  }

  async #takeBack(step = this.trail.undoable) {
    if (!step || step.leaving) return false;
    step.leaving = true;
    await step.sent;
    try {
      const { item } = readClaim(await (await post(step.link, {})).text());
      this.#bringBack(item, step);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      step.leaving = false;
      this.banner.said(t("undo-failed"), problem.status ? problem.message : t("unreachable-detail"));
    }
    return true;
  }

  #bringBack(item, step) {
    this.trail.remove(step);
    if (this.session.current) this.session.putAhead(this.session.current);
    if (step.item.pictureState === "ready") Object.assign(item, { picture: step.item.picture, pictureState: "ready", settled: Promise.resolve() });
    this.session.current = item;
    this.#painted = false;
    const labels = step.answer === "correct" ? step.labels : null;
    item.settled.then(() => this.session.current === item && this.#show(item, labels));
    announce(t("taken-back", { what: step.words }));
  }

  // Commands ----------------------------------------------------------------------------------------------------------

  #toggleComplete() {
    if (!this.#canAct) return false;
    this.#complete = !this.#complete;
    this.#refresh();
    announce(t(this.#complete ? "complete-title" : "subject-title"));
    return true;
  }

  #togglePart(part) {
    const off = this.#root.toggleAttribute(`data-no-${part}`);
    localStorage.setItem(LAYOUT_KEY + part, off ? "off" : "on");
    return true;
  }

  #toggleSheet(name) {
    this.sheets.toggle(name);
    return true;
  }

  #openTypeahead() {
    if (!this.editor.selectedLabel) return false;
    this.typeahead.open();
    return true;
  }

  #escape() {
    return this.sheets.close() || this.editor.run("escape");
  }

  #commands = {
    primary: () => (this.editor.isDrawing ? this.editor.run("draw") : this.#decide(this.#primary)),
    empty: () => this.#decide("empty"),
    unsure: () => this.#decide("unsure"),
    "bad-image": () => this.#decide("bad_image"),
    "toggle-complete": () => this.#toggleComplete(),
    skip: () => this.away.skip(),
    snooze: () => this.away.ask("snooze"),
    "hand-back": () => this.away.ask("hand_back"),
    escalate: () => this.away.ask("escalate"),
    "take-back": () => { this.#takeBack(); return true; },
    "take-held": () => { this.#takeHeld(); return true; },
    "more-classes": () => this.#openTypeahead(),
    attributes: () => this.attributes.ask(),
    adjust: () => this.#toggleSheet("adjust"),
    help: () => this.#toggleSheet("help"),
    guide: () => this.#toggleSheet("guide"),
    "toggle-strip": () => this.#togglePart("strip"),
    "toggle-panel": () => this.#togglePart("panel"),
    "go-queues": () => { location.assign(this.#config.urls.queues || "/"); return true; },
    escape: () => this.#escape(),
  };

  #run(command, chord) {
    const own = this.#commands[command];
    return own ? own() : this.#painted && this.editor.run(command, chord);
  }

  #key(command, event, chord) {
    if (event.repeat && !MAY_REPEAT.has(command)) return true;
    return Boolean(this.#run(command, chord));
  }

  #tab(event) {
    if (event.key !== "Tab" || event.target !== this.stage.element || event.ctrlKey || event.altKey) return;
    if (this.editor.tab(event.shiftKey)) event.preventDefault();
  }

  #clicked(event) {
    const button = event.target.closest("[data-command], [data-class], [data-select-box]");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    if (button.dataset.command) this.#run(button.dataset.command, "");
    else if (button.dataset.class) this.editor.relabel(button.dataset.class);
    else this.editor.select(button.dataset.selectBox);
    // Enter must mean the answer again after a click, not the button that was clicked.
    if (event.detail > 0 && !this.sheets.open && !button.dataset.command?.startsWith("more")) this.stage.element.focus({ preventScroll: true });
  }

  #refresh() {
    if (!this.editor) return;
    this.panel.showLabels(this.editor, this.#predictions, this.session?.current !== null);
    this.bar.show({
      answer: this.session?.current ? this.#primary : "confirm",
      complete: this.#complete,
      canJudge: this.#canJudge,
      canAct: this.#canAct,
      nothingPredicted: this.session?.current ? !this.#predictions.length : false,
    });
  }
}

/** Note how long it took from the key to the next picture on the screen; the benchmark reads these. */
function measure() {
  if (performance.getEntriesByName("desk:key", "mark").length === 0) return;
  performance.measure("desk:key-to-paint", "desk:key");
  performance.clearMarks("desk:key");
}
