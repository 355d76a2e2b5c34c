// The microphone in the browser: what Listener and Recorder share. microphone.py joins this file
// with listener.js or recorder.js into one module, so that no second file has to be served.

const WORKLET = `
registerProcessor("chunks", class extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.size = processorOptions.size;
    this.begin();
  }
  begin() {
    this.chunk = new Int16Array(this.size);
    this.filled = 0;
  }
  process([input]) {
    const samples = input[0]; // none from a muted track: the stream's time goes on all the same
    for (let i = 0; i < (samples ? samples.length : 128); i++) {
      const value = samples ? Math.round(samples[i] * 32768) : 0;
      this.chunk[this.filled++] = Math.max(-32768, Math.min(32767, value));
      if (this.filled === this.size) {
        this.port.postMessage(this.chunk, [this.chunk.buffer]);
        this.begin();
      }
    }
    return true;
  }
});`;

const QUIETEST_DB = -90; // where the level meter begins
const INSTEAD = "or open a sound file instead.";
const SENTENCES = {
  NotAllowedError:
    "The browser does not let this page use the microphone; allow it at the sign beside the " +
    `page's address and try again, ${INSTEAD}`,
  NotFoundError: `The browser finds no microphone; connect one and try again, ${INSTEAD}`,
  NotReadableError:
    "The microphone cannot be read, perhaps because another program is using it; close that " +
    `program and try again, ${INSTEAD}`,
  Insecure:
    "This page came over plain http from another machine, and browsers give the microphone only " +
    "to https and to localhost; open JupyterLab under one of these (for example through " +
    `ssh -L 8888:localhost:8888), ${INSTEAD}`,
};
const sentence = (name, message) =>
  SENTENCES[name] ?? `The microphone cannot be opened (${name}: ${message}); try again, ${INSTEAD}`;

// Open the microphone and give every chunk of `chunkMs` to `onChunk`. The browser may refuse the
// rate that is wanted; `rate` is the true one.
async function openMicrophone({ wanted, chunkMs, onChunk, onEnded }) {
  if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("", "Insecure");
  const stream = await navigator.mediaDevices.getUserMedia({
    // All three are made for calls between people: they cut off the beginnings of words, smear
    // the spectrum and turn the noise floor up and down, and no training recording has that.
    audio: {
      channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false,
    },
  });
  const release = () => stream.getTracks().forEach((track) => track.stop());
  try {
    const [context, source] = connect(stream, wanted);
    const rate = context.sampleRate;
    const address = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
    await context.audioWorklet.addModule(address);
    URL.revokeObjectURL(address);
    const node = new AudioWorkletNode(context, "chunks", {
      channelCount: 1, channelCountMode: "explicit",
      processorOptions: { size: Math.round((rate * chunkMs) / 1000) },
    });
    node.port.onmessage = ({ data }) => onChunk(data);
    // About 30 ms in every column: short enough for syllables, long enough for harmonics.
    const fftSize = 2 ** Math.round(Math.log2(rate * 0.03));
    const analyser = new AnalyserNode(context, { fftSize, smoothingTimeConstant: 0 });
    source.connect(analyser);
    // The node's output is silence; without a way to the destination browsers do not run it.
    source.connect(node).connect(context.destination);
    stream.getTracks()[0].onended = onEnded; // unplugged, or the permission was taken back
    context.resume();
    return {
      rate, context, analyser,
      close() {
        node.port.onmessage = null;
        release();
        if (context.state !== "closed") context.close();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

// Firefox connects a microphone only to a context of the microphone's own rate.
function connect(stream, wanted) {
  let refused;
  for (const options of wanted ? [{ sampleRate: wanted }, {}] : [{}]) {
    let context;
    try {
      context = new AudioContext(options);
      return [context, context.createMediaStreamSource(stream)];
    } catch (error) {
      context?.close();
      refused = error;
    }
  }
  throw refused;
}

// Send bytes in parts: a Jupyter server cuts the connection at a message of more than 10 MB.
const PART = 2 ** 19;
function sendParts(model, content, bytes) {
  const id = `${Date.now()} ${Math.random()}`; // crypto.randomUUID is for https only
  const parts = Math.max(1, Math.ceil(bytes.byteLength / PART));
  for (let part = 0; part < parts; part++) {
    const piece = bytes.slice(part * PART, (part + 1) * PART);
    model.send({ ...content, id, parts }, undefined, [piece]);
  }
  return id;
}

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// A button that opens files, and gives them to `take`.
function fileButton(label, multiple, take) {
  const input = make("input", {
    type: "file", accept: ".wav,.flac,.ogg,.mp3", hidden: true, multiple,
    onchange: () => {
      const files = [...input.files];
      input.value = ""; // so that the same file can be opened again
      if (files.length) take(files);
    },
  });
  return [make("button", { type: "button", onclick: () => input.click() }, label), input];
}

// What both widgets have around their own controls: a sentence for what went wrong, a status, the
// level, a picture, and a kernel behind them that may be busy, gone, or not there yet.
class Widget {
  constructor(model, el, picture) {
    this.model = model;
    this.settings = model.get("settings");
    this.picture = picture;
    this.alive = false;
    this.alert = make("p", { role: "alert", hidden: true });
    this.status = make("p", { role: "status" });
    this.meter = make("meter", {
      min: QUIETEST_DB, max: 0, high: -3, optimum: -30, value: QUIETEST_DB, "aria-label": "level",
    });
    this.floor = make("span", { class: "course-floor", hidden: true });
    this.numbers = make("span", { class: "course-number" });
    this.level = make("div", { class: "course-level" }, "level",
      make("span", { class: "course-meter" }, this.meter, this.floor), this.numbers);
    this.root = make("div", { class: "course-mic", "data-lm-suppress-shortcuts": "true" });
    el.append(this.root);
    model.on("msg:custom", (message, buffers) => this.answer(message, buffers));
    model.on("comm_live_update", () => this.greet()); // the kernel was restarted
    model.on("destroy", () => this.release(""));
  }

  // Ask whether there is a kernel. A notebook that is only read has none, and one that was
  // restarted does not know this widget any more: then the controls stay off.
  greet() {
    this.release("");
    this.turn(false);
    this.say("Run this cell to use the microphone: no kernel answers here yet.");
    try {
      this.model.send({ type: "hello" });
    } catch { /* the connection is closed; the status says what to do */ }
  }

  turn(alive) {
    this.alive = alive;
    for (const control of this.controls) control.disabled = !alive;
  }

  answer(message, buffers) {
    this.answered = performance.now();
    if (message.type === "here" && !this.alive) {
      this.turn(true);
      this.say("Ready.");
      if (this.settings.refused) this.complain(sentence(this.settings.refused, "Colab"));
    }
    this.take(message, buffers);
  }

  complain(text) {
    this.alert.hidden = !text;
    this.alert.textContent = text;
  }

  say(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  // A level and the noise floor, in dBFS; nothing, while nothing is known.
  showLevel(db, floorDb) {
    this.meter.value = Math.max(QUIETEST_DB, db ?? QUIETEST_DB);
    this.floor.hidden = floorDb === undefined;
    this.floor.style.left = `${100 - (100 * Math.max(QUIETEST_DB, floorDb ?? 0)) / QUIETEST_DB}%`;
    const known = [db, floorDb].map((level) => level !== undefined && `${dB(level)} dBFS`);
    this.numbers.textContent =
      (known[0] || "") + (known[1] ? `, noise floor ${known[1]}` : "");
    this.floorDb = floorDb;
  }

  // Draw as long as the widget is in the page; without a microphone only now and then.
  animate(count = 0) {
    this.frame = requestAnimationFrame(() => this.animate((count + 1) % 30));
    const listening = this.microphone && this.began !== undefined;
    if (listening) {
      const { context, analyser } = this.microphone;
      this.now = context.currentTime - this.began;
      this.picture.listen(this.now, analyser);
      if (count % 6 === 0) this.showLevel(levelOf(analyser), this.floorDb);
    }
    if (listening || count === 0) this.picture.draw(this.now ?? 0);
  }

  remove() {
    cancelAnimationFrame(this.frame);
    this.release("");
  }
}

const dB = (level) => level.toFixed(0).replace("-", "−");

function levelOf(analyser) {
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
  return 10 * Math.log10(Math.max(power, 1e-12));
}
