// A rolling spectrogram and, for a listener, the probability of the word below it.

const COLUMNS_PER_S = 50;
const SPAN_S = 10;
const [LOW_DB, HIGH_DB] = [-100, -30];
const TOP_HZ = 8000; // speech has next to nothing above it
// Matplotlib's magma at nine places, as in the course's other pictures of sound.
const MAGMA = [
  [0, 0, 4], [29, 17, 71], [81, 18, 124], [131, 38, 129], [183, 55, 121], [231, 82, 99],
  [252, 137, 97], [254, 196, 136], [252, 253, 191],
];
const LINE = "#0072B2", LINE_ON_DARK = "#56B4E9", MARK = "#D55E00";
const [LEFT, RIGHT, TITLE, SOUND, STRIP, AXIS] = [36, 64, 18, 130, 56, 18]; // in CSS pixels

function magma(share) {
  const place = Math.max(0, Math.min(1, share)) * (MAGMA.length - 1);
  const below = Math.min(Math.floor(place), MAGMA.length - 2);
  return MAGMA[below].map((value, i) => value + (place - below) * (MAGMA[below + 1][i] - value));
}

class Picture {
  constructor(threshold) {
    this.threshold = threshold;
    const strip = threshold === undefined ? "" : ", and the probability of the word below it";
    this.canvas = make("canvas", {
      role: "img", "aria-label": `Rolling spectrogram of the last ${SPAN_S} s of sound${strip}.`,
    });
    this.ring = make("canvas", { width: SPAN_S * COLUMNS_PER_S, height: 1 });
    this.begin();
  }

  get bottom() {
    const sound = this.fileSeconds === undefined ? TITLE + SOUND : 0;
    return sound + (this.threshold === undefined ? 0 : TITLE + STRIP);
  }

  // A new stream. A file is heard faster than its spectrogram could roll by: it has none, and its
  // probabilities are shown from beginning to end.
  begin(fileSeconds) {
    this.points = [];
    this.marks = [];
    this.column = -1;
    this.fileSeconds = fileSeconds;
    this.canvas.style.height = `${this.bottom + AXIS}px`;
    this.ring.getContext("2d").clearRect(0, 0, this.ring.width, this.ring.height);
  }

  // The spectrum of this moment, as the newest column.
  listen(now, analyser) {
    const hertz = analyser.context.sampleRate / 2;
    const rows = Math.round(analyser.frequencyBinCount * Math.min(1, TOP_HZ / hertz));
    const spectrum = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(spectrum);
    if (this.ring.height !== rows) this.ring.height = rows;
    this.topHz = (rows / analyser.frequencyBinCount) * hertz;
    const newest = Math.floor(now * COLUMNS_PER_S);
    const pen = this.ring.getContext("2d");
    const image = pen.createImageData(1, rows);
    for (let row = 0; row < rows; row++) {
      const share = (spectrum[rows - 1 - row] - LOW_DB) / (HIGH_DB - LOW_DB);
      image.data.set([...magma(share), 255], row * 4);
    }
    // A slow page draws one column for two; what passed in a hidden tab stays empty.
    const passed = newest - this.column;
    for (let n = Math.max(this.column + 1, newest - this.ring.width + 1); n <= newest; n++) {
      const x = n % this.ring.width;
      if (passed < 10 || n === newest) pen.putImageData(image, x, 0);
      else pen.clearRect(x, 0, 1, rows);
    }
    this.column = newest;
  }

  add(points, detections) {
    this.points.push(...points);
    this.marks.push(...detections);
    if (this.fileSeconds !== undefined) return;
    const newest = this.points.at(-1)?.[0] ?? 0;
    const kept = this.points.findIndex(([time]) => time >= newest - 2 * SPAN_S);
    if (kept > SPAN_S * COLUMNS_PER_S) this.points.splice(0, kept);
  }

  draw(now) {
    const { canvas } = this;
    const width = canvas.clientWidth, height = this.bottom + AXIS, ratio = devicePixelRatio || 1;
    if (!width) return;
    const size = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = "11px system-ui, sans-serif";
    this.ink = getComputedStyle(canvas).color; // another after the theme was changed
    pen.fillStyle = pen.strokeStyle = this.ink;
    const inner = width - LEFT - RIGHT;
    const span = this.fileSeconds ?? SPAN_S;
    const begin = this.fileSeconds === undefined ? now - SPAN_S : 0;
    const x = (time) => LEFT + ((time - begin) / span) * inner;
    if (this.fileSeconds === undefined) this.drawSound(pen, inner);
    if (this.threshold !== undefined) this.drawStrip(pen, inner, x, begin);
    pen.textAlign = "center";
    const steps = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
    const step = steps.find((seconds) => span / seconds <= 8) ?? 7200;
    let time = Math.max(0, Math.ceil(begin / step) * step);
    for (; time <= begin + span; time += step) {
      pen.fillText(`${time} s`, x(time), height - 5);
    }
  }

  drawSound(pen, inner) {
    pen.textAlign = "left";
    pen.fillText("frequency (kHz)", LEFT, TITLE - 6);
    pen.textAlign = "right";
    for (const share of this.topHz ? [0, 0.5, 1] : []) {
      const text = String(+((this.topHz / 1000) * share).toFixed(1));
      pen.fillText(text, LEFT - 5, TITLE + SOUND + share * (9 - SOUND));
    }
    if (this.column >= 0) {
      // The ring's oldest column is right of its newest: two pieces, side by side.
      const { width, height } = this.ring;
      const cut = (this.column % width) + 1, scale = inner / width;
      pen.imageSmoothingEnabled = false;
      const old = (width - cut) * scale;
      pen.drawImage(this.ring, cut, 0, width - cut, height, LEFT, TITLE, old, SOUND);
      pen.drawImage(this.ring, 0, 0, cut, height, LEFT + old, TITLE, cut * scale, SOUND);
    }
    pen.strokeRect(LEFT + 0.5, TITLE + 0.5, inner - 1, SOUND - 1);
    const x = LEFT + inner + 8;
    for (let row = 0; row < SOUND; row++) {
      pen.fillStyle = `rgb(${magma(1 - row / SOUND)})`;
      pen.fillRect(x, TITLE + row, 8, 1);
    }
    pen.fillStyle = this.ink;
    pen.textAlign = "left";
    pen.fillText(`${dB(HIGH_DB)} dB`, x + 11, TITLE + 9);
    pen.fillText(dB(LOW_DB), x + 11, TITLE + SOUND);
  }

  drawStrip(pen, inner, x, begin) {
    const bottom = this.bottom, y = (score) => bottom - 1 - score * (STRIP - 2);
    pen.textAlign = "left";
    const threshold = +this.threshold.toPrecision(3); // as in the course's figures
    pen.fillText(
      `probability of the word (dashed: threshold ${threshold}; triangles: detections)`,
      LEFT, bottom - STRIP - 5);
    pen.textAlign = "right";
    pen.fillText("1", LEFT - 5, bottom - STRIP + 9);
    pen.fillText("0", LEFT - 5, bottom);
    pen.strokeRect(LEFT + 0.5, bottom - STRIP + 0.5, inner - 1, STRIP - 1);
    pen.save();
    pen.beginPath();
    pen.rect(LEFT, bottom - STRIP, inner, STRIP);
    pen.clip();
    pen.setLineDash([5, 4]);
    pen.strokeStyle = pen.fillStyle = MARK;
    pen.beginPath();
    pen.moveTo(LEFT, y(this.threshold));
    pen.lineTo(LEFT + inner, y(this.threshold));
    pen.stroke();
    pen.setLineDash([]);
    for (const { time_s: time } of this.marks) {
      pen.beginPath();
      pen.moveTo(x(time), bottom - STRIP + 9);
      pen.lineTo(x(time) - 5, bottom - STRIP);
      pen.lineTo(x(time) + 5, bottom - STRIP);
      pen.fill();
    }
    pen.strokeStyle = this.dark ? LINE_ON_DARK : LINE;
    pen.lineWidth = 1.5;
    pen.beginPath();
    for (const [time, score] of this.points) if (time >= begin - 1) pen.lineTo(x(time), y(score));
    pen.stroke();
    pen.restore();
  }

  // Whether the page's text is light, and so its ground dark.
  get dark() {
    const [red, green, blue] = this.ink.match(/[\d.]+/g).map(Number);
    return red + green + blue > 384;
  }
}
