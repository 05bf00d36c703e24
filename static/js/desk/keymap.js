/**
 * The keys of the desk: one table, checked for clashes when the page loads, shown by `?`.
 *
 * A chord is written `Ctrl+Shift+z`; letters are lower case and mean the character, so layouts keep their letters;
 * `Shift` is written only where the character alone does not say it. `text` names a text of the page.
 */

export const KEYMAP = [
  { group: "answer", command: "primary", keys: ["Enter"], text: "key-primary" },
  { group: "answer", command: "empty", keys: ["x"], text: "key-empty" },
  { group: "answer", command: "unsure", keys: ["u"], text: "key-unsure" },
  { group: "answer", command: "bad-image", keys: ["b"], text: "key-bad-image" },
  { group: "answer", command: "toggle-complete", keys: ["a"], text: "key-complete" },
  { group: "answer", command: "skip", keys: ["s"], text: "key-skip" },
  { group: "answer", command: "snooze", keys: ["w"], text: "key-snooze" },
  { group: "answer", command: "hand-back", keys: ["h"], text: "key-hand-back" },
  { group: "answer", command: "escalate", keys: ["e"], text: "key-escalate" },
  { group: "answer", command: "take-back", keys: ["z"], text: "key-take-back" },
  { group: "answer", command: "take-held", keys: ["t"], text: "key-take-held" },

  { group: "boxes", command: "next-box", keys: ["n"], text: "key-next-box" },
  { group: "boxes", command: "previous-box", keys: ["p"], text: "key-previous-box" },
  { group: "boxes", command: "relabel", keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], show: "1–9", text: "key-relabel" },
  { group: "boxes", command: "more-classes", keys: ["m"], text: "key-more-classes" },
  { group: "boxes", command: "attributes", keys: ["v"], text: "key-attributes" },
  { group: "boxes", command: "draw", keys: ["d"], text: "key-draw" },
  { group: "boxes", command: "move", keys: ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"], show: "← → ↑ ↓", text: "key-move" },
  { group: "boxes", command: "move-far", keys: ["Shift+ArrowLeft", "Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowDown"], show: "Shift ←…", text: "key-move-far" },
  { group: "boxes", command: "resize", keys: ["r"], text: "key-resize" },
  { group: "boxes", command: "remove", keys: ["Delete", "Backspace"], text: "key-remove" },
  { group: "boxes", command: "undo-edit", keys: ["Ctrl+z"], text: "key-undo-edit" },
  { group: "boxes", command: "redo-edit", keys: ["Ctrl+Shift+z", "Ctrl+y"], text: "key-redo-edit" },
  { group: "boxes", command: "escape", keys: ["Escape"], show: "Esc", text: "key-escape" },

  { group: "view", command: "zoom-in", keys: ["+", "="], show: "+", text: "key-zoom-in" },
  { group: "view", command: "zoom-out", keys: ["-"], text: "key-zoom-out" },
  { group: "view", command: "fit", keys: ["0"], text: "key-fit" },
  { group: "view", command: "pan", keys: ["Space+ArrowLeft", "Space+ArrowRight", "Space+ArrowUp", "Space+ArrowDown"], show: "Space ←…", text: "key-pan" },
  { group: "view", command: "toggle-original", keys: ["o"], text: "key-original" },
  { group: "view", command: "adjust", keys: ["i"], text: "key-adjust" },
  { group: "view", command: "toggle-strip", keys: ["["], text: "key-strip" },
  { group: "view", command: "toggle-panel", keys: ["]"], text: "key-panel" },
  { group: "view", command: "guide", keys: ["g"], text: "key-guide" },
  { group: "view", command: "go-queues", keys: ["g q"], show: "G Q", text: "key-go-queues" },
  // Heard on every page, by lock.js.
  { group: "view", command: "lock", keys: [], show: "Shift L", text: "key-lock" },
  { group: "view", command: "help", keys: ["?"], text: "key-help" },
];

// One key each, and always the same: what everybody shows to everybody else, and what belongs to several keys at once.
const FIXED = new Set(["relabel", "move", "move-far", "pan", "escape", "go-queues", "lock", "help"]);

/** @returns {boolean} whether a person may give this command another key */
export const isFree = ({ command }) => !FIXED.has(command);

/**
 * The table with a person's own keys in it. Keys that would clash, or mean nothing here, leave it as it was.
 * @param {Record<string, string[]>} own chords by command
 */
export function withOwn(own) {
  const table = KEYMAP.map((row) => (own[row.command] && isFree(row) ? { ...row, keys: own[row.command], show: undefined } : row));
  try {
    validate(table);
    return table;
  } catch {
    return KEYMAP;
  }
}

/** A chord as the page shows it. */
export function shown(chord) {
  return chord.replace("Ctrl+", "Ctrl ").replace("Shift+", "Shift ").replace(/\b([a-z])$/, (letter) => letter.toUpperCase());
}

/**
 * Refuse a table in which one chord means two things, or a command has two rows.
 * @throws {Error} naming what clashes
 */
export function validate(table) {
  const owners = new Map();
  const commands = new Set();
  for (const { command, keys } of table) {
    if (commands.has(command)) throw new Error(`The command ${command} is in the keymap twice`);
    commands.add(command);
    for (const key of keys) {
      if (owners.has(key)) throw new Error(`The key ${key} means ${owners.get(key)} and ${command}`);
      owners.set(key, command);
    }
  }
  return owners;
}

/** The chord of a keyboard event, in the table's spelling. */
export function chordOf(event, spaceHeld) {
  const single = event.key.length === 1;
  const key = single ? event.key.toLowerCase() : event.key;
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
  if (event.altKey) parts.push("Alt");
  if (event.shiftKey && (!single || event.ctrlKey || event.metaKey)) parts.push("Shift");
  if (spaceHeld && key.startsWith("Arrow")) parts.push("Space");
  return [...parts, key].join("+");
}

/** Whether a key pressed here belongs to the element that has the focus. */
export function isTyping(target) {
  return target.closest("input:not([type=checkbox], [type=range]), textarea, select, [contenteditable=true]") !== null;
}

function ownsEnter(target) {
  return target.closest("button, a[href], summary, [role=option]") !== null;
}

/** Listens to the keyboard and names commands. */
export class Keys {
  #owners;
  #leaders;
  #run;
  #spaceHeld = false;
  #leader = "";

  /**
   * @param {object[]} table what the keys mean
   * @param {(command: string, event: KeyboardEvent, chord: string) => boolean} run says whether it took the key
   */
  constructor(table, run) {
    this.#run = run;
    this.means(table);
    document.addEventListener("keydown", (event) => this.#down(event));
    document.addEventListener("keyup", (event) => this.#up(event));
    window.addEventListener("blur", () => { this.#spaceHeld = false; });
  }

  /** From now on the keys mean this. */
  means(table) {
    this.#owners = validate(table);
    this.#leaders = new Set([...this.#owners.keys()].filter((key) => key.includes(" ")).map((key) => key.split(" ")[0]));
  }

  #up(event) {
    if (event.key === " ") this.#spaceHeld = false;
  }

  /** `g` opens the guide at once; `g q` still goes to the queues, because the second key follows quickly. */
  #sequence(chord) {
    const pair = `${this.#leader} ${chord}`;
    const command = this.#leader ? this.#owners.get(pair) : undefined;
    this.#leader = this.#leaders.has(chord) ? chord : "";
    return command;
  }

  #down(event) {
    if (event.isComposing || isTyping(event.target)) return;
    if (event.key === " " && !ownsEnter(event.target)) {
      this.#spaceHeld = true;
      event.preventDefault();
      return;
    }
    if (event.key === "Enter" && ownsEnter(event.target)) return;
    const chord = chordOf(event, this.#spaceHeld);
    const command = this.#sequence(chord) || this.#owners.get(chord);
    if (command && this.#run(command, event, chord)) event.preventDefault();
  }
}
