// The labeller in the browser: pieces of the recording come from Python when they are wanted; the
// list of marks is changed here and shared as the model's `marks`.

const VIEW_S = 10; // what the lower picture spans
const AHEAD_S = 10; // handed to the sound card, or fetched, before it is heard
const KEPT = 24; // pieces, two minutes
const LATE_MS = 2000;
const AGAIN_MS = 30000;
const WAITING = "Waiting for the kernel: it is busy, or the cell has to be run again.";
const NO_FILE = "There is no file to save to; the marks are in the labeller's marks, in Python.";
const SELECT = "Select a mark first: click it, or press ↑ or ↓.";
const EDGE = 0.7; // the head runs up to here, then the picture moves below it

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const bytes = (buffer) =>
  buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer)
    : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);

function clock(seconds, digits = 3) {
  const rounded = Number(seconds.toFixed(digits)); // first, or 59.9999 becomes 0:60.000
  const whole = Math.floor(rounded / 60);
  const rest = (rounded - 60 * whole).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  const hours = Math.floor(whole / 60);
  return hours ? `${hours}:${String(whole % 60).padStart(2, "0")}:${rest}` : `${whole}:${rest}`;
}

function make(tag, properties = {}, ...children) {
  const { role, label, ...rest } = properties;
  const made = Object.assign(document.createElement(tag), rest);
  if (role) made.setAttribute("role", role);
  if (label) made.setAttribute("aria-label", label);
  made.append(...children);
  return made;
}

// Give an element these children. Those that stay are not touched: a table of a thousand rows takes
// long to lay out.
function fill(parent, children) {
  const stay = new Set(children);
  for (const child of [...parent.children]) if (!stay.has(child)) child.remove();
  children.forEach((child, n) => {
    if (parent.children[n] !== child) parent.insertBefore(child, parent.children[n] ?? null);
  });
}

// Asks Python for pieces, one at a time, and keeps the newest.
class Pieces {
  constructor(model, { arrived, late }) {
    Object.assign(this, { model, arrived, late, kept: new Map(), asked: null, wanted: [] });
    this.take = this.take.bind(this);
    model.on("msg:custom", this.take);
  }

  close() {
    this.model.off("msg:custom", this.take);
    clearTimeout(this.timer);
  }

  // The first of these that is not here is asked for; the others when it has come.
  want(numbers) {
    this.wanted = numbers;
    const next = numbers.find((number) => !this.kept.has(number));
    const waiting = this.asked !== null && Date.now() - this.askedAt < AGAIN_MS;
    if (next === undefined || waiting) return;
    [this.asked, this.askedAt] = [next, Date.now()];
    this.model.send({ piece: next });
    clearTimeout(this.timer);
    this.timer = setTimeout(this.late, LATE_MS);
  }

  async take({ piece: number }, [sound, picture] = []) {
    if (number === undefined) return;
    const image = await createImageBitmap(new Blob([bytes(picture)], { type: "image/png" }));
    const steps = new Int16Array(bytes(sound).slice().buffer); // a copy, as two bytes are aligned
    const samples = Float32Array.from(steps, (step) => step / 32768);
    this.kept.delete(number);
    this.kept.set(number, { samples, image });
    for (const old of [...this.kept.keys()].slice(0, -KEPT)) {
      if (!this.wanted.includes(old)) this.kept.delete(old);
    }
    if (number === this.asked) {
      this.asked = null;
      clearTimeout(this.timer);
    }
    this.want(this.wanted);
    this.arrived();
  }
}

// Plays the pieces one after another, to the sample, on the clock of the sound card.
class Player {
  constructor(sound, pieces) {
    Object.assign(this, { rate: sound.rate, total: sound.samples, pieces });
    this.length = sound.piece_s * sound.rate;
    Object.assign(this, { place: 0, speed: 1, anchor: null, ready: 0, nodes: [] });
  }

  get playing() {
    return this.anchor !== null;
  }

  #clock(late = 0) {
    const passed = (this.context.currentTime - late - this.anchor.at) * this.speed * this.rate;
    return clamp(this.anchor.place + passed, this.anchor.place, this.ready);
  }

  // Where the recording is, in samples: while it plays, what is heard, which the sound card (a
  // wireless headset even more so) has been given some time ago.
  get head() {
    return Math.round(this.playing ? this.#clock(this.context.outputLatency || 0) : this.place);
  }

  play() {
    this.context ??= new AudioContext({ sampleRate: this.rate });
    this.context.resume();
    if (this.place >= this.total) this.place = 0;
    this.#start(this.place);
  }

  pause() {
    const head = this.head;
    this.nodes.forEach((node) => node.stop());
    [this.nodes, this.anchor, this.place] = [[], null, head];
  }

  // Do something while nothing sounds: change the place or the speed.
  change(values) {
    const playing = this.playing;
    this.pause();
    Object.assign(this, values);
    this.place = clamp(Math.round(this.place), 0, this.total);
    if (playing) this.#start(this.place);
  }

  close() {
    this.pause();
    this.context?.close();
  }

  #start(place) {
    this.ready = place;
    this.anchor = { at: this.context.currentTime + 0.05, place };
    this.fill();
  }

  // Schedule what has come. Where nothing has, the clock waits.
  fill() {
    if (this.head >= this.total) return this.pause();
    if (this.#clock() >= this.ready) {
      this.anchor = { at: this.context.currentTime + 0.05, place: this.ready };
    }
    const until = Math.min(this.#clock() + AHEAD_S * this.rate, this.total);
    while (this.ready < until) {
      const number = Math.floor(this.ready / this.length);
      const piece = this.pieces.kept.get(number);
      if (!piece) break;
      this.#schedule(piece.samples, this.ready - number * this.length);
      this.ready = number * this.length + piece.samples.length;
    }
  }

  #schedule(samples, offset) {
    const buffer = this.context.createBuffer(1, samples.length, this.rate);
    buffer.copyToChannel(samples, 0);
    const node = this.context.createBufferSource();
    Object.assign(node, { buffer });
    node.playbackRate.value = this.speed;
    node.connect(this.context.destination);
    node.onended = () => (this.nodes = this.nodes.filter((other) => other !== node));
    const later = (this.ready - this.anchor.place) / this.rate / this.speed;
    node.start(this.anchor.at + later, offset / this.rate);
    this.nodes.push(node);
  }
}

// The marks, the one that is selected, and what they were before.
class Marks {
  constructor(model, changed) {
    Object.assign(this, { model, changed, list: model.get("marks"), selected: null });
    Object.assign(this, { past: [], nudged: null });
    this.follow = this.follow.bind(this);
    model.on("change:marks", this.follow);
  }

  close() {
    this.model.off("change:marks", this.follow);
  }

  // Python set other marks, or did not take ours.
  follow() {
    const list = this.model.get("marks");
    if (same(list, this.list)) return;
    if (same(list, this.past.at(-1))) this.past.pop();
    else this.past.push(this.list);
    const [label, time] = this.selected ?? [];
    this.#show(list, list.find((mark) => mark[0] === label && mark[1] === time));
  }

  #show(list, selected = null) {
    [this.list, this.selected] = [list, selected];
    this.changed();
  }

  #set(list, selected) {
    this.#show([...list].sort((one, other) => one[1] - other[1]), selected);
    this.model.set("marks", this.list);
    this.model.save_changes();
  }

  #change(list, selected, nudge = false) {
    // Steps of one mark, one after another, are undone together.
    if (!nudge || this.nudged === null || this.selected !== this.nudged) this.past.push(this.list);
    this.nudged = nudge ? selected : null;
    this.#set(list, selected);
  }

  select(mark) {
    this.#show(this.list, mark);
  }

  add(label, time) {
    const there = this.list.find((mark) => mark[0] === label && mark[1] === time);
    if (there) this.select(there);
    else this.#change([...this.list, [label, time]], null);
    this.select(this.list.find((mark) => mark[0] === label && mark[1] === time));
    return !there;
  }

  move(mark, time, nudge = false) {
    if (time === mark[1]) return;
    const moved = [mark[0], time];
    this.#change(this.list.map((other) => (other === mark ? moved : other)), moved, nudge);
  }

  remove(mark) {
    this.#change(this.list.filter((other) => other !== mark), null);
  }

  undo() {
    if (!this.past.length) return false;
    this.nudged = null;
    this.#set(this.past.pop(), null);
    return true;
  }
}

const KEYS = [
  ["Space", "play or pause"], ["M or Enter", "mark the word at the play head"],
  ["1 to 9", "choose the word"], ["↑ ↓", "select a mark"],
  ["← →", "move the selected mark by 10 ms, with Shift by 100 ms; where none is selected, the play " +
    "head by ten times as much"],
  ["Delete", "remove the selected mark"], ["L", "listen from half a second before the selected mark"],
  ["Escape", "select no mark"], ["Ctrl+Z", "undo"], ["Ctrl+S", "save"],
  ["Page up, Page down", "move the play head by five seconds"],
  ["Home, End", "to the beginning, to the end"],
];

// What there is to see. `act` holds what can be done.
function build(model, act) {
  const sound = model.get("_sound");
  const button = (text, key, action, more = {}) =>
    make("button", { type: "button", onclick: action, title: key ? `key: ${key}` : "", ...more }, text);
  const ui = {
    words: model.get("words").map((word, number) => {
      const key = number < 9 ? String(number + 1) : "";
      const made = button(word, key, () => act.choose(number));
      if (key) made.append(" ", make("kbd", { ariaHidden: "true" }, key));
      return made;
    }),
    overview: make("canvas"), outline: make("div", { className: "layer" }),
    shown: make("div", { className: "shown" }), far: make("div", { className: "head" }),
    picture: make("canvas"), marks: make("div", { className: "layer" }),
    near: make("div", { className: "head" }), ticks: make("div", { className: "layer" }),
    play: button("play", "space", act.toggle), mark: button("mark", "M or Enter", act.mark),
    slow: button("half speed", "", act.slow, { ariaPressed: "false", title: "an octave lower" }),
    undo: button("undo", "Ctrl+Z", act.undo), time: make("span", { className: "time" }),
    save: button("save", "Ctrl+S", act.save, sound.file ? {} : { disabled: true, title: NO_FILE }),
    unsaved: make("span", { className: "unsaved" }, "changes not saved"),
    status: make("p", { role: "status" }), rows: make("tbody"),
  };
  const picture = (className, label, ...children) =>
    make("div", { className, role: "img", label }, ...children);
  ui.whole = picture("overview", "waveform of the whole recording, with all marks",
    ui.overview, ui.outline, ui.shown, ui.far);
  ui.detail = picture("detail", "mel spectrogram and waveform around the play head, with marks",
    ui.picture, ui.ticks, ui.marks, ui.near);
  for (let n = 0; n <= VIEW_S; n++) ui.ticks.append(make("div", { className: "tick" }));
  const heads = ["time", "word"].map((text) => make("th", { scope: "col" }, text));
  ui.list = make("div", { className: "list", tabIndex: -1 },
    make("table", { label: "marks" }, make("thead", {}, make("tr", {}, ...heads, make("td"))), ui.rows));
  const keys = KEYS.map(([key, what]) => make("p", {}, make("b", {}, key), ` ${what}`));
  ui.root = make("div", { className: "course-labeller", tabIndex: 0, role: "group", label: "labeller" },
    make("p", {}, sound.note),
    make("div", { className: "row", role: "group", label: "word to mark" }, "word:", ...ui.words),
    ui.whole, ui.detail,
    make("div", { className: "row" }, ui.play, ui.slow, ui.time, ui.mark, ui.undo, ui.save, ui.unsaved),
    ui.status, ui.list,
    make("details", {}, make("summary", {}, "keys, while the frame is coloured"),
      make("div", {}, ...keys)));
  ui.root.dataset.lmSuppressShortcuts = "true"; // the notebook's own
  return ui;
}

function render({ model, el }) {
  const sound = model.get("_sound");
  const seconds = sound.samples / sound.rate;
  const span = Math.min(VIEW_S, seconds);
  let [chosen, start, frame] = [0, 0, 0];
  const drawn = new WeakMap(); // what there is to see of a mark

  const say = (sentence) => (ui.status.textContent = sentence);
  const pieces = new Pieces(model, {
    arrived: () => {
      if (ui.status.textContent === WAITING) say("");
      draw();
    },
    late: () => say(WAITING),
  });
  const player = new Player(sound, pieces);
  const marks = new Marks(model, () => { list(); draw(); });
  const head = () => player.head / sound.rate;
  const inMs = (time) => clamp(Math.round(1000 * time), 0, Math.floor(1000 * seconds));

  function seek(time) {
    player.change({ place: time * sound.rate });
    draw();
  }
  function listen(mark) {
    player.change({ place: (mark[1] / 1000 - 0.5) * sound.rate });
    if (!player.playing) act.toggle();
    draw();
  }
  function nudge(steps, large) {
    const ms = steps * (large ? 100 : 10);
    if (!marks.selected) return seek(head() + ms / 100);
    marks.move(marks.selected, inMs((marks.selected[1] + ms) / 1000), true);
  }
  function neighbour(step) {
    const at = marks.list.indexOf(marks.selected);
    // From no mark: the first one after the head, or the last one before it.
    const later = marks.list.findIndex((mark) => mark[1] > 1000 * head());
    const next = at >= 0 ? at + step : (later < 0 ? marks.list.length : later) - (step < 0 ? 1 : 0);
    if (marks.list[next]) act.select(marks.list[next]);
  }

  const act = {
    choose: (number) => {
      if (number >= ui.words.length) return;
      chosen = number;
      ui.words.forEach((button, n) => (button.ariaPressed = String(n === chosen)));
    },
    toggle: () => {
      if (player.playing) player.pause();
      else {
        player.play();
        cancelAnimationFrame(frame);
        run();
        const before = player.context.currentTime;
        setTimeout(() => {
          if (player.playing && player.context.currentTime === before) {
            player.pause();
            say("The browser plays no sound: connect a loudspeaker or a headset, and try again.");
            draw();
          }
        }, LATE_MS);
      }
      draw();
    },
    slow: () => {
      player.change({ speed: player.speed === 1 ? 0.5 : 1 });
      ui.slow.ariaPressed = String(player.speed !== 1);
    },
    mark: () => {
      const [word, time] = [model.get("words")[chosen], inMs(head())];
      say(`${marks.add(word, time) ? "Marked" : "Marked already:"} ${word} at ${clock(time / 1000)}.`);
    },
    select: (mark) => {
      marks.select(mark);
      seek(mark[1] / 1000);
    },
    remove: (mark) => {
      if (!mark) return say(SELECT);
      marks.remove(mark);
      say(`Removed ${mark[0]} at ${clock(mark[1] / 1000)}.`);
    },
    undo: () => say(marks.undo() ? "Undone." : "There is nothing to undo."),
    save: () => {
      if (!sound.file) return say(NO_FILE);
      say("Saving …");
      model.send({ save: marks.list });
    },
  };
  const ui = build(model, act);

  // What is drawn.

  const share = (time) => `${(100 * (time - start)) / span}%`;

  function reveal(time) {
    if (time < start || time > start + span) start = time - span / 2;
    start = clamp(start, 0, seconds - span);
  }

  function draw() {
    const at = head();
    reveal(at);
    if (player.playing) start = clamp(Math.max(start, at - EDGE * span), 0, seconds - span);
    ui.time.textContent = `${clock(at)} of ${clock(seconds, 1)}`;
    ui.play.textContent = player.playing ? "pause" : "play";
    ui.near.style.left = share(at);
    ui.far.style.left = `${(100 * at) / seconds}%`;
    ui.shown.style.left = `${(100 * start) / seconds}%`;
    ui.shown.style.width = `${(100 * span) / seconds}%`;
    // One long layer with all marks is moved as a whole.
    ui.marks.style.width = `${(100 * seconds) / span}%`;
    ui.marks.style.transform = `translateX(${(-100 * start) / seconds}%)`;
    [...ui.ticks.children].forEach((tick, n) => {
      const second = Math.ceil(start) + n;
      tick.style.left = share(second);
      tick.textContent = second <= seconds ? clock(second, 0) : "";
      tick.hidden = second > seconds;
    });
    drawPicture(at);
  }

  function sized(canvas) {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((side) =>
      Math.round(side * devicePixelRatio));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const brush = canvas.getContext("2d");
    brush.clearRect(0, 0, width, height);
    return [brush, width, height];
  }

  function drawPicture(at) {
    const [brush, width, height] = sized(ui.picture);
    const from = (time) => Math.floor(Math.min(time, seconds - 1e-9) / sound.piece_s);
    const range = (first, last) => Array.from({ length: last - first + 1 }, (_, n) => first + n);
    const x = (time) => Math.round(((time - start) / span) * width); // whole: no seams
    const seen = range(from(start), from(start + span));
    for (const number of seen) {
      const image = pieces.kept.get(number)?.image;
      const begin = number * sound.piece_s;
      const left = x(begin);
      if (image) brush.drawImage(image, left, 0, x(begin + image.width / sound.columns) - left, height);
    }
    const ahead = player.playing ? range(from(at), from(at + AHEAD_S)) : [from(at)];
    pieces.want([...new Set([...ahead, ...seen])]);
  }

  function drawOverview() {
    const [brush, width, height] = sized(ui.overview);
    const outline = new Int8Array(bytes(model.get("_overview")).slice().buffer);
    const columns = outline.length / 2;
    brush.fillStyle = "rgb(86, 140, 200)";
    for (let n = 0; n < columns; n++) {
      const [low, high] = [outline[2 * n], outline[2 * n + 1]].map((v) => (height / 2) * (1 - v / 127));
      brush.fillRect((n * width) / columns, high, Math.ceil(width / columns), Math.max(low - high, 1));
    }
  }

  // The table and the marks in both pictures.
  function list() {
    const focus = ui.rows.contains(document.activeElement) ? document.activeElement : null;
    const place = focus && [focus.closest("tr").sectionRowIndex, focus.textContent];
    const parts = marks.list.map((mark) => drawn.get(mark) ?? drawMark(mark));
    parts.forEach((each, n) => {
      const selected = marks.list[n] === marks.selected;
      Object.values(each).forEach((part) => part.classList.toggle("selected", selected));
      each.flag.classList.toggle("low", n % 2 === 1);
      each.row.ariaCurrent = String(selected);
    });
    fill(ui.outline, parts.map(({ line }) => line));
    fill(ui.marks, parts.map(({ flag }) => flag));
    fill(ui.rows, parts.map(({ row }) => row));
    if (marks.selected) showRow(drawn.get(marks.selected).row);
    if (focus && !focus.isConnected) {
      const row = ui.rows.rows[Math.min(place[0], marks.list.length - 1)];
      const buttons = [...(row?.querySelectorAll("button") ?? [])];
      const next = buttons.find((each) => each.textContent === place[1]) ?? ui.root;
      next.focus({ preventScroll: true });
    }
    sign();
  }

  // scrollIntoView would move the notebook, too.
  function showRow(row) {
    const { clientHeight, scrollTop } = ui.list;
    const top = row.offsetTop - ui.list.querySelector("thead").offsetHeight;
    const bottom = row.offsetTop + row.offsetHeight;
    ui.list.scrollTop = clamp(scrollTop, bottom - clientHeight, top);
  }

  function drawMark(mark) {
    const what = `${mark[0]} at ${clock(mark[1] / 1000)}`;
    const button = (text, label, action) => {
      const onclick = (event) => {
        event.stopPropagation(); // the row selects its mark
        action(mark);
      };
      return make("button", { type: "button", label, onclick }, text);
    };
    const line = make("div", { className: "mark" });
    const flag = make("div", { className: "mark" }, make("span", {}, mark[0]));
    line.style.left = flag.style.left = `${mark[1] / 10 / seconds}%`;
    flag.onpointerdown = (event) => drag(event, mark, flag);
    const row = make("tr", { onclick: () => act.select(mark) },
      make("td", {}, clock(mark[1] / 1000)), make("td", {}, mark[0]),
      make("td", {}, button("listen", `listen from half a second before ${what}`, listen),
        button("delete", `delete ${what}`, act.remove)));
    drawn.set(mark, { line, flag, row });
    return drawn.get(mark);
  }

  const sign = () =>
    (ui.unsaved.hidden = !sound.file || same(marks.list, model.get("_saved")));

  // Mouse and finger.

  const timeAt = (event, box, from, length) => {
    const { left, width } = box.getBoundingClientRect();
    return clamp(from + ((event.clientX - left) / width) * length, 0, seconds);
  };

  function drag(event, mark, made) {
    event.stopPropagation();
    event.preventDefault();
    ui.root.focus({ preventScroll: true });
    const offset = mark[1] / 1000 - timeAt(event, ui.detail, start, span);
    const { left } = made.style;
    let time = mark[1];
    made.setPointerCapture(event.pointerId);
    made.onpointermove = (moved) => {
      if (Math.abs(moved.clientX - event.clientX) < 3 && time === mark[1]) return; // a click
      time = inMs(timeAt(moved, ui.detail, start, span) + offset);
      made.style.left = `${time / 10 / seconds}%`;
    };
    made.onpointerup = made.onpointercancel = (ended) => {
      made.onpointermove = made.onpointerup = made.onpointercancel = null;
      made.style.left = left;
      marks.select(mark);
      if (ended.type === "pointerup") marks.move(mark, time);
    };
  }

  function scrub(box, view) {
    const follow = (event) => seek(timeAt(event, box, ...view()));
    box.addEventListener("pointerdown", (event) => {
      marks.select(null);
      follow(event);
      box.setPointerCapture(event.pointerId);
      box.onpointermove = follow;
      box.onpointerup = box.onpointercancel = () => (box.onpointermove = null);
    });
  }
  scrub(ui.whole, () => [0, seconds]);
  scrub(ui.detail, () => [start, span]);

  // Clicked buttons leave the focus to the frame, where the keys work; Tab reaches them all.
  ui.root.addEventListener("mousedown", (event) => {
    if (!event.target.closest("button, summary")) return;
    event.preventDefault();
    ui.root.focus({ preventScroll: true });
  });

  // Keys.

  const keys = {
    " ": act.toggle, m: act.mark, Enter: act.mark, Delete: () => act.remove(marks.selected),
    Backspace: () => act.remove(marks.selected), Escape: () => marks.select(null),
    l: () => (marks.selected ? listen(marks.selected) : say(SELECT)),
    ArrowLeft: (large) => nudge(-1, large), ArrowRight: (large) => nudge(1, large),
    ArrowUp: () => neighbour(-1), ArrowDown: () => neighbour(1),
    PageUp: () => seek(head() - 5), PageDown: () => seek(head() + 5),
    Home: () => seek(0), End: () => seek(seconds),
  };
  const controls = { z: act.undo, s: act.save };

  ui.root.addEventListener("keydown", (event) => {
    event.stopPropagation();
    const control = event.ctrlKey || event.metaKey;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    let action = control ? controls[name] : keys[name];
    if (!control && /^[1-9]$/.test(name)) action = () => act.choose(Number(name) - 1);
    // A button that was reached with Tab is pressed by these.
    if ([" ", "Enter"].includes(name) && event.target.closest("button, summary")) return;
    if (!action || event.altKey) return;
    event.preventDefault();
    action(event.shiftKey);
  });

  function run() {
    if (player.playing) player.fill();
    draw();
    if (player.playing) frame = requestAnimationFrame(run);
  }

  const told = () => say(model.get("status"));
  model.on("change:status", told);
  model.on("change:_saved", sign);
  const resized = new ResizeObserver(() => { drawOverview(); draw(); });
  act.choose(0);
  told();
  list();
  el.append(ui.root);
  resized.observe(ui.whole);

  return () => {
    cancelAnimationFrame(frame);
    resized.disconnect();
    player.close();
    pieces.close();
    marks.close();
    model.off("change:status", told);
    model.off("change:_saved", sign);
  };
}

export default { render };
