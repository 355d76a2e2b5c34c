// The recorder: a clip from press to press, or for as long as the button is held.

const LONGEST_S = 600;
const HELD_MS = 400; // a longer press ends the clip when it ends

// 16-bit mono samples as the bytes of a WAV file, for the player.
function wav(samples, rate) {
  const header = new DataView(new ArrayBuffer(44));
  const bytes = samples.byteLength;
  for (const [at, text] of [[0, "RIFF"], [8, "WAVEfmt "], [36, "data"]]) {
    [...text].forEach((letter, i) => header.setUint8(at + i, letter.charCodeAt(0)));
  }
  [[4, 36 + bytes], [16, 16], [24, rate], [28, 2 * rate], [40, bytes]]
    .forEach(([at, value]) => header.setUint32(at, value, true));
  [[20, 1], [22, 1], [32, 2], [34, 16]].forEach(([at, value]) => header.setUint16(at, value, true));
  return new Blob([header, samples], { type: "audio/wav" });
}

class Recorder extends Widget {
  constructor(model, el) {
    super(model, el, new Picture());
    this.toggle = make("button", { type: "button", onclick: () => this.toggleMicrophone() });
    this.record = make("button", {
      type: "button", class: "course-main", disabled: true, "aria-pressed": "false",
      onpointerdown: (event) => {
        event.target.setPointerCapture(event.pointerId); // a held button may be slid off
        if (event.button === 0) this.press();
      },
      onpointerup: () => this.lift(),
      onpointercancel: () => this.lift(),
      // A click without a pointer comes from the keyboard or from a screen reader.
      onclick: (event) => event.detail === 0 && this.press(),
    }, "record");
    // Not in the status: a screen reader would read out every tenth of a second.
    this.clock = make("span", { class: "course-number course-clock" });
    this.kind = make("select", { "aria-label": "kind of clip" },
      ...this.settings.kinds.map((kind) => make("option", {}, kind)));
    this.kind.value = this.settings.kind;
    const [open, input] = fileButton("add sound files", true, (files) => this.add(files));
    const undo = make("button", {
      type: "button", onclick: () => this.model.send({ type: "undo" }),
    }, "delete last");
    this.controls = [this.toggle, open, undo];
    this.sounds = new Map(); // what the kernel has not answered yet, for the player
    this.last = make("p", { role: "status" });
    this.player = make("audio", { controls: true, hidden: true });
    this.counts = make("p", { class: "course-number" });
    this.root.append(
      make("div", { class: "course-row" },
        this.toggle, this.record, this.kind, open, input, undo, this.clock),
      this.alert, this.status, this.level, this.picture.canvas, this.last, this.player,
      this.counts,
    );
    this.greet();
    this.animate();
  }

  async toggleMicrophone() {
    if (this.microphone) return this.release("The microphone is off.");
    this.complain("");
    this.say("Waiting for the browser's permission to use the microphone.");
    this.toggle.disabled = true;
    try {
      this.microphone = await openMicrophone({
        wanted: this.settings.sample_rate,
        chunkMs: this.settings.chunk_ms,
        onChunk: (chunk) => this.keep(chunk),
        onEnded: () => this.lose("The microphone was unplugged or taken away; switch it on again."),
      });
      if (this.removed) return this.release("");
      this.began = this.microphone.context.currentTime;
      this.picture.begin();
      this.record.disabled = false;
      this.toggle.textContent = "microphone off";
      this.say("The microphone is on. Press record and speak; press again, or hold it.");
    } catch (error) {
      this.lose(sentence(error.name, error.message));
    } finally {
      this.toggle.disabled = !this.alive;
    }
  }

  lose(text) {
    this.release("");
    this.say("");
    this.complain(text);
  }

  // Give the microphone back; what was being recorded is saved.
  release(text) {
    this.save();
    this.microphone?.close();
    this.microphone = undefined;
    this.showLevel();
    this.record.disabled = true;
    this.toggle.textContent = "microphone on";
    if (text) this.say(text);
  }

  press() {
    if (this.chunks) return this.finish();
    this.chunks = [];
    this.ending = false;
    this.pressed = performance.now();
    this.record.textContent = "stop";
    this.record.setAttribute("aria-pressed", "true");
    this.complain("");
    this.say(`Recording for ${this.kind.value}.`);
  }

  lift() {
    if (this.chunks && performance.now() - this.pressed > HELD_MS) this.finish();
  }

  // The chunk that is being filled still belongs to the clip.
  finish() {
    this.ending = true;
  }

  keep(chunk) {
    if (!this.chunks) return;
    this.chunks.push(chunk);
    const seconds = (this.chunks.length * chunk.length) / this.microphone.rate;
    if (seconds >= LONGEST_S) {
      this.complain(`A clip ends after ${LONGEST_S / 60} minutes; press record to begin another.`);
    }
    if (this.ending || seconds >= LONGEST_S) this.save();
    else this.clock.textContent = `${seconds.toFixed(1)} s`;
  }

  save() {
    if (!this.chunks) return;
    const { chunks, microphone: { rate } } = this;
    this.chunks = undefined;
    this.record.textContent = "record";
    this.record.setAttribute("aria-pressed", "false");
    this.clock.textContent = "";
    if (!chunks.length) return;
    const samples = new Int16Array(chunks.length * chunks[0].length);
    chunks.forEach((chunk, i) => samples.set(chunk, i * chunk.length));
    const clip = wav(samples, rate);
    this.show(clip, "the clip"); // at once, so that it is not lost if the kernel is
    this.send({ type: "clip", rate }, samples.buffer, clip, "The clip");
  }

  async add(files) {
    this.complain("");
    for (const file of files) {
      const bytes = await file.arrayBuffer();
      this.send({ type: "upload", name: file.name }, bytes, file, file.name);
    }
  }

  send(content, bytes, sound, name) {
    this.say(`${name} is on its way to the kernel.`);
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.complain(
      `The kernel has not answered for ${this.settings.patience_s} s, because it is busy or was ` +
      "restarted; the last clip is still in the player below, whose menu can save it.",
    ), this.settings.patience_s * 1000);
    this.sounds.set(sendParts(this.model, { ...content, kind: this.kind.value }, bytes), sound);
  }

  show(sound, name) {
    URL.revokeObjectURL(this.player.src);
    this.player.src = URL.createObjectURL(sound);
    this.player.hidden = false;
    this.player.setAttribute("aria-label", name);
  }

  take({ type, id, text, warning, counts }) {
    clearTimeout(this.patience);
    if (counts) this.counts.textContent = counts;
    if (type === "here") return;
    this.say(this.microphone ? "The microphone is on." : "");
    if (type === "saved" || type === "deleted") this.last.textContent = text;
    if (type === "saved" && this.sounds.has(id)) this.show(this.sounds.get(id), text);
    if (type === "deleted") this.player.hidden = true;
    this.sounds.delete(id);
    // Several files may be added at once: what is wrong with one must not hide another.
    const sentences = [this.alert.textContent, type === "problem" ? text : warning];
    this.complain(sentences.filter(Boolean).join(" "));
  }

  remove() {
    this.removed = true;
    clearTimeout(this.patience);
    super.remove();
  }
}

function render({ model, el }) {
  const recorder = new Recorder(model, el);
  return () => recorder.remove();
}
export default { render };
