// The threshold test (chapter 10): an adaptive staircase of leakage, and the reader's own curve.

import {follow, Frame, readings, soundsOf, steadyReading} from "./kit/control.mjs";
import {h} from "./kit/look.mjs";
import {Plot} from "./kit/plot.mjs";
import {playButton} from "./kit/seekbar.mjs";
import {sdr} from "./kit/spectra.mjs";
import {Track, Transport} from "./kit/transport.mjs";

const START = 10, STEPS = [8, 4, 2], LOW = 0, HIGH = 70; // dB
const ENOUGH = 8, LONGEST = 60; // reversals, trials
const RARELY = 0.01; // that someone who hears it answers wrong

/** Two right answers in a row make it harder, one wrong one easier: all that follows from the answers. */
export function staircase(answers) {
  const levels = [], reversals = [];
  let level = START, streak = 0, direction = 0;
  for (const right of answers) {
    levels.push(level);
    streak = right ? streak + 1 : 0;
    if (right && streak < 2) continue;
    streak = 0;
    const move = right ? 1 : -1;
    if (direction && move !== direction) reversals.push(level);
    direction = move;
    level = Math.min(HIGH, Math.max(LOW, level + move * STEPS[Math.min(reversals.length, STEPS.length - 1)]));
  }
  // The first two came in larger steps.
  const last = reversals.slice(2);
  const estimate = last.length < 2 ? null : last.reduce((a, b) => a + b, 0) / last.length;
  return {levels, reversals, level, estimate, done: reversals.length >= ENOUGH || answers.length >= LONGEST};
}

/** The chance of a right answer at a level: half of it is luck. */
export function chance(level, {middle, slope}) { return 0.5 + (0.5 - RARELY) / (1 + Math.exp((level - middle) / slope)); }

/** Of a grid the curve that makes the answers likeliest: {middle, slope, threshold}; null before it means anything. */
export function fitted(answers, levels) {
  if (answers.length < 8 || answers.every(Boolean) || !answers.some(Boolean)) return null;
  let best = {likely: -Infinity};
  for (const slope of [1, 1.5, 2, 3, 4, 6]) {
    for (let middle = LOW; middle <= HIGH; middle += 0.5) {
      let likely = 0;
      answers.forEach((right, i) => {
        const p = chance(levels[i], {middle, slope});
        likely += Math.log(right ? p : 1 - p);
      });
      if (likely > best.likely + 1e-9) best = {likely, middle, slope};
    }
  }
  // Where the staircase stays: two right answers in a row as often as not.
  const threshold = best.middle + best.slope * Math.log((0.5 - RARELY) / (Math.SQRT1_2 - 0.5) - 1);
  return {middle: best.middle, slope: best.slope, threshold};
}

/** At each level that was tried: [level, share of right answers, how many]. */
export function shares(answers, levels) {
  return [...new Set(levels)].sort((a, b) => a - b).map((level) => {
    const here = answers.filter((_, i) => levels[i] === level);
    return [level, here.filter(Boolean).length / here.length, here.length];
  });
}

/** The source with so much of the error that its SDR is the level, as `mix_at_sdr` does it. */
export function leaking(source, error, level) {
  const energy = (x) => x.reduce((sum, value) => sum + value * value, 0);
  const gain = Math.sqrt(energy(source) / energy(error)) * 10 ** (-level / 20);
  return source.map((value, n) => value + gain * error[n]);
}

export async function render({model, el}) {
  const data = model.get("data"), {rate} = data, {clean: [clean], leak: [leak]} = await soundsOf(data);
  const set = (answers) => { model.set("answers", answers); model.save_changes(); };
  const frame = new Frame(el, "threshold_test",
    "answer until the steps turn round eight times, guessing where you hear nothing. Then take the test again: how far apart are your two thresholds?",
    () => set([]));
  const gap = Math.round(0.4 * rate), length = clean.length;
  // Which of the two has the leak is nobody's to know, not even the notebook's.
  let second = 0, transport = null, tick = 0;
  const intervals = ["first", "second"].map((word, i) => h("button", {type: "button", onclick: () => answer(i)},
    `the ${word} has the leak`, h("kbd", {"aria-hidden": "true"}, i + 1)));
  const play = playButton(() => (transport.playing ? transport.pause(0) : (transport.seek(0), transport.play())));
  const status = h("span", {class: "time", style: "min-width: 9.5rem; text-align: right"}), trial = steadyReading("dB in this trial");
  const steps = steadyReading("dB by the last turns"), curve = steadyReading("dB by the curve");
  const stairs = new Plot({x: {low: 0, high: LONGEST, label: "trial"}, y: {low: LOW, high: HIGH, label: "SDR (dB)"}, height: 210});
  const points = new Plot({x: {low: LOW, high: HIGH, label: "SDR with the leak (dB)"},
    y: {low: 0, high: 1, label: "right", ticks: [0, 0.5, 0.75, 1]}, height: 200});
  const example = h("button", {type: "button", onclick: () => { transport.pause(0); set(data.example); }}, "let a program answer");
  frame.buttons.append(example);
  frame.add(stairs.element, h("header", {}, play, h("div", {class: "chips", role: "group", "aria-label": "your answer"}, ...intervals),
    h("span", {class: "ends"}, status)), readings(steps, curve, trial), points.element);
  const light = () => {
    cancelAnimationFrame(tick);
    const at = transport.playing ? Math.floor(transport.now / (gap + length)) : -1;
    const sounds = at >= 0 && transport.now % (gap + length) > gap;
    intervals.forEach((button, i) => { button.style.boxShadow = sounds && at === i ? "inset 0 0 0 2px var(--focus)" : ""; });
    if (transport.playing) tick = requestAnimationFrame(light);
  };
  const answer = (i) => {
    const answers = model.get("answers");
    if (staircase(answers).done) return;
    transport.pause(0);
    const right = i === second;
    set([...answers, right]);
    frame.say(right ? "right" : "wrong");
    // The answer was the gesture: the next two follow.
    if (!staircase(model.get("answers")).done) setTimeout(() => { transport.seek(0); transport.play(); }, 350);
  };
  frame.element.onkeydown = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "1" || event.key === "2") answer(Number(event.key) - 1);
    else if (event.key === " " && event.target.tagName !== "BUTTON") play.click();
    else return;
    event.preventDefault();
  };
  const run = () => {
    const answers = model.get("answers"), now = staircase(answers), fit = fitted(answers, now.levels);
    second = crypto.getRandomValues(new Uint8Array(1))[0] & 1;
    const mixture = leaking(clean, leak, now.level), pair = new Float32Array(2 * (gap + length));
    [clean, mixture].forEach((sound, i) => pair.set(sound, gap + ((i === 0) === Boolean(second) ? 0 : 1) * (gap + length)));
    const track = new Track([pair], rate);
    if (transport) transport.replace([track]);
    else {
      transport = new Transport([track]);
      transport.loop = false;
      transport.onchange = () => { play.update(transport.playing); light(); };
    }
    intervals.forEach((button) => { button.disabled = now.done; });
    const last = answers.length ? (answers.at(-1) ? "right" : "wrong") : "";
    status.textContent = now.done ? "done" : `${last}${last && ", "}turn ${now.reversals.length} of ${ENOUGH}`;
    trial.set(String(now.level));
    steps.set(now.estimate === null ? "–" : now.estimate.toFixed(1));
    curve.set(fit ? fit.threshold.toFixed(1) : "–");
    const ladder = now.levels.map((level, i) => [i + 1, level]);
    stairs.draw({lines: [{points: [...ladder, [answers.length + 1, now.level]], width: 1.5},
      ...(now.estimate === null ? [] : [{points: [[1, now.estimate], [LONGEST, now.estimate]], dash: "6 5"}])],
    dots: ladder.map(([x, y], i) => ({x, y, size: answers[i] ? 4 : 6.5, colour: answers[i] ? "currentColor" : "var(--vocals)"}))});
    stairs.say(`the staircase: ${answers.length} answers, now at ${now.level} dB; large and orange where the answer was wrong`);
    const axis = Array.from({length: 141}, (_, i) => i / 2);
    points.draw({lines: [{points: [[LOW, Math.SQRT1_2], [HIGH, Math.SQRT1_2]], dash: "2 5", width: 1},
      ...(fit ? [{points: axis.map((x) => [x, chance(x, fit)])}] : [])],
    dots: shares(answers, now.levels).map(([x, y, count]) => ({x, y, size: 3 + 1.5 * Math.sqrt(count), colour: "var(--drums)"})),
    marks: fit ? [{x: fit.threshold, label: "71 %"}] : []});
    points.say(fit ? `your curve: 71 percent right at ${fit.threshold.toFixed(1)} dB` : "your curve: no answers yet");
    if (now.done) frame.say(`done: your threshold is ${now.estimate?.toFixed(1)} dB`);
    el.reading = [now.level, now.reversals.length, now.estimate ?? 0, fit?.threshold ?? 0, sdr(clean, mixture)];
  };
  follow(model, ["answers"], run);
  run();
}
