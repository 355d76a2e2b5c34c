// The listener: chunks to the kernel, detections back.

class Listener extends Widget {
  constructor(model, el) {
    super(model, el, new Picture(model.get("settings").threshold));
    this.toggle = make("button", {
      type: "button", class: "course-main", onclick: () => (this.key ? this.stop() : this.start()),
    });
    const [open, input] = fileButton("open a sound file", false, ([file]) => this.hear(file));
    this.controls = [this.toggle, open];
    this.chimes = make("input", { type: "checkbox", checked: true });
    this.counters = make("p", { class: "course-number" });
    this.list = make("ol", { "aria-live": "polite", "aria-label": "detections" });
    this.player = make("audio", { controls: true });
    this.root.append(
      make("div", { class: "course-row" }, this.toggle, open, input,
        make("label", {}, this.chimes, " chime at a detection")),
      this.alert, this.status, this.level, this.picture.canvas, this.counters, this.player,
      this.list,
    );
    this.begin();
    this.greet();
    this.animate();
  }

  // A new stream.
  begin() {
    this.sent = 0;
    this.arrivals = [];
    this.delay = undefined;
    this.began = undefined;
    this.picture.begin();
    this.list.replaceChildren();
    this.counters.textContent = "";
    this.player.hidden = true;
    URL.revokeObjectURL(this.player.src);
    this.player.removeAttribute("src");
    this.complain("");
  }

  async start() {
    this.begin();
    const key = (this.key = `${Date.now()} ${Math.random()}`);
    this.toggle.textContent = "stop";
    this.say("Waiting for the browser's permission to use the microphone.");
    try {
      const opened = await openMicrophone({
        wanted: this.settings.sample_rate,
        chunkMs: this.settings.chunk_ms,
        onChunk: (chunk) => this.send(key, chunk),
        onEnded: () => this.lose("The microphone was unplugged or taken away; start again."),
      });
      if (this.key !== key) return opened.close(); // stopped while the browser asked
      this.microphone = opened;
    } catch (error) {
      if (this.key !== key) return;
      this.lose(sentence(error.name, error.message));
      return;
    }
    this.answered = performance.now();
    this.model.send({ type: "start", key, rate: this.microphone.rate });
    this.say(`Listening at ${this.microphone.rate} Hz.`);
  }

  send(key, chunk) {
    if (this.key !== key || !this.microphone) return;
    const { rate, context } = this.microphone;
    this.chunkS = chunk.length / rate;
    if (!this.sent) this.began = context.currentTime - this.chunkS;
    this.arrivals[this.sent % 256] = performance.now();
    this.model.send({ type: "chunk", key, number: this.sent++ }, undefined, [chunk.buffer]);
    const silent = (performance.now() - this.answered) / 1000;
    if (silent > this.settings.patience_s) {
      this.lose(
        `The kernel has not answered for ${silent.toFixed(0)} s, because it is busy or was ` +
        "restarted, so the microphone was released; wait for the kernel or run this cell again.");
    }
  }

  stop() {
    if (this.key) this.model.send({ type: "stop", key: this.key });
    this.release("Stopped.");
  }

  lose(text) {
    this.stop();
    this.say("");
    this.complain(text);
  }

  // Give the microphone back; the browser's sign that it is on goes out.
  release(text) {
    this.key = undefined;
    this.microphone?.close();
    this.microphone = undefined;
    this.showLevel();
    this.toggle.textContent = "start listening";
    if (text) this.say(text);
  }

  async hear(file) {
    this.stop();
    this.begin();
    this.say(`Sending ${file.name} to the kernel.`);
    this.player.src = URL.createObjectURL(file);
    this.player.hidden = false;
    this.player.setAttribute("aria-label", file.name);
    sendParts(this.model, { type: "upload", name: file.name }, await file.arrayBuffer());
  }

  take(message, buffers) {
    const { type, key } = message;
    if (type === "here") {
      const { buffer, byteOffset, byteLength } = buffers[0];
      this.chime = new Int16Array(buffer.slice(byteOffset, byteOffset + byteLength));
    }
    if (type === "problem") {
      this.lose(message.text);
      this.player.hidden = true;
    }
    if (type === "stop" && this.key && this.key !== message.but) this.release(message.text);
    if (type === "file") {
      this.picture.begin(message.seconds);
      this.say(`Hearing ${message.name}.`);
      this.hearing = key;
    }
    if (type === "status" && (key === this.key || key === this.hearing)) this.report(message);
    if (type === "finished" && key === this.hearing) this.say(message.text);
  }

  report(message) {
    this.picture.add(message.points, message.detections.filter(({ told }) => told));
    for (const detection of message.detections) if (detection.told) this.tell(detection);
    const { heard, dropped, lost, not_told: rest } = message;
    if (this.microphone) {
      const last = Math.round(message.time_s / this.chunkS) - 1;
      const delay = performance.now() - this.arrivals[last % 256];
      this.delay = 0.8 * (this.delay ?? delay) + 0.2 * delay;
    }
    this.floorDb = message.floor_db;
    this.counters.textContent = [
      `${message.time_s.toFixed(1)} s of sound`, `${heard} chunks heard`, `${dropped} dropped`,
      ...(lost ? [`${lost} lost on the way (heard as silence)`] : []),
      ...(rest ? [`${rest} not told (late or too quiet)`] : []),
      ...(this.delay === undefined ? [] : [`latency ${this.delay.toFixed(0)} ms`]),
    ].join(" · ");
  }

  tell(detection) {
    const { time_s: time, score } = detection;
    this.list.prepend(make("li", {}, `${time.toFixed(2)} s, probability ${score.toFixed(2)}`));
    if (this.list.children.length > this.settings.shown) this.list.lastChild.remove();
    if (this.microphone && this.chimes.checked) this.play();
  }

  // The microphone hears the chime, too; within the refractory period nothing is told.
  play() {
    const { context } = this.microphone;
    const { chime, settings: { chime_rate: sampleRate } } = this;
    const sound = new AudioBuffer({ length: chime.length, sampleRate });
    sound.getChannelData(0).set(Float32Array.from(chime, (value) => value / 32768));
    const source = new AudioBufferSourceNode(context, { buffer: sound });
    source.connect(context.destination);
    source.start();
  }

  remove() {
    this.stop();
    super.remove();
  }
}

function render({ model, el }) {
  const listener = new Listener(model, el);
  return () => listener.remove();
}
export default { render };
