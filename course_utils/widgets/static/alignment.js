// An aligned utterance in the browser: a click on a word, in the picture or on its button, plays its
// part of the sound. Everything that is needed comes with the model.

const FADE_S = 0.005; // a cut through a wave would be heard as a click
const AHEAD_S = 0.02; // for the sound card to be told before
const LATE_MS = 2000;
const SILENT = "The browser plays no sound: connect a loudspeaker or a headset, and try again.";

function render({ model, el }) {
  const { rate, seconds } = model.get("_sound");
  el.insertAdjacentHTML("beforeend", model.get("_page"));
  const root = el.querySelector(".course-alignment");
  const [axes, near, chosen, head, status] = [".axes", ".near", ".chosen", ".head", "[role=status]"]
    .map((part) => root.querySelector(part));
  const [all, ...words] = root.querySelectorAll("button");
  const spans = new Map([all, ...words].map((button) =>
    [button, [Number(button.dataset.begin), Number(button.dataset.end)]]));
  const percent = (time) => `${(100 * time) / seconds}%`;
  let [context, sound, node, turn] = [null, null, null, 0];

  function frame(element, button) {
    const [begin, end] = spans.get(button) ?? [];
    element.hidden = !words.includes(button);
    Object.assign(element.style, { left: percent(begin), width: percent(end - begin) });
  }

  function stop() {
    turn += 1;
    node?.stop();
    node = null;
    all.textContent = "play all";
    head.getAnimations().forEach((animation) => animation.cancel());
  }

  async function play(button) {
    const mine = turn;
    context ??= new AudioContext({ sampleRate: rate });
    context.resume();
    const flac = model.get("_flac");
    sound ??= context.decodeAudioData(
      flac.buffer.slice(flac.byteOffset, flac.byteOffset + flac.byteLength));
    const buffer = await sound;
    if (mine !== turn) return; // another one was clicked meanwhile
    const [begin, end] = spans.get(button);
    const [at, lasts] = [context.currentTime + AHEAD_S, end - begin];
    const { gain } = (node = new AudioBufferSourceNode(context, { buffer }))
      .connect(new GainNode(context, { gain: 0 }));
    gain.setValueAtTime(0, at).linearRampToValueAtTime(1, at + FADE_S);
    gain.setValueAtTime(1, at + lasts - FADE_S).linearRampToValueAtTime(0, at + lasts);
    node.onended = () => mine === turn && stop();
    node.start(at, begin, lasts);
    const seen = { visibility: "visible" };
    head.animate([{ left: percent(begin), ...seen }, { left: percent(end), ...seen }], 1000 * lasts);
    setTimeout(() => {
      if (context.currentTime < at) status.textContent = SILENT;
    }, LATE_MS);
  }

  function choose(button) {
    const playing = node && all.getAttribute("aria-pressed") === "true";
    stop();
    if (button === all && playing) return;
    for (const each of spans.keys()) each.setAttribute("aria-pressed", String(each === button));
    frame(chosen, button);
    status.textContent = button.dataset.said;
    if (button === all) all.textContent = "stop";
    play(button);
  }

  // The word at a place of the picture: the one that is deepest around it, or else the nearest.
  function at({ clientX }) {
    const { left, width } = axes.getBoundingClientRect();
    const time = ((clientX - left) / width) * seconds;
    const distance = (word) => Math.max(spans.get(word)[0] - time, time - spans.get(word)[1]);
    return words.reduce((best, word) => (distance(word) < distance(best) ? word : best));
  }

  axes.addEventListener("pointermove", (event) => frame(near, at(event)));
  axes.addEventListener("pointerleave", () => frame(near));
  axes.addEventListener("click", (event) => {
    const word = at(event);
    word.focus({ preventScroll: true }); // from where the arrow keys go on
    choose(word);
  });
  for (const button of spans.keys()) button.addEventListener("click", () => choose(button));
  root.addEventListener("keydown", (event) => {
    // A letter alone is a shortcut of the notebook, which would make, change or cut a cell.
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const here = [...spans.keys()].indexOf(document.activeElement);
    const next = [...spans.keys()][here + step];
    if (event.key === "Escape") stop();
    else if (next) [next.focus(), choose(next)];
    else if (!step) return;
    event.preventDefault();
  });
  frame(near);
  frame(chosen);

  return () => {
    stop();
    context?.close();
  };
}

export default { render };
