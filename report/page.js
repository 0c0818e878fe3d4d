"use strict";
const DATA = JSON.parse(document.getElementById("data").textContent);
const NS = "http://www.w3.org/2000/svg";
const el = (name, attrs, parent, text) => {
  const e = document.createElementNS(NS, name);
  for (const k in attrs) e.setAttribute(k, attrs[k]);
  if (text !== undefined) e.textContent = text;
  if (parent) parent.appendChild(e);
  return e;
};
const num = v => Number(v.toPrecision(4)).toString().replace("-", "−");
// ticks: about n round numbers within [lo, hi].
const ticks = (lo, hi, n) => {
  const raw = (hi - lo) / n, mag = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map(s => s * mag).find(s => s >= raw);
  const out = [];
  for (let i = Math.ceil(lo / step); i * step <= hi + 1e-12; i++) out.push(i * step);
  return out;
};
const band = f => f.lo < f.hi ? ` (${num(f.lo)} … ${num(f.hi)})` : "";
const describe = m => {
  const coeffs = DATA.coefficients.map((c, i) => `${c.name} ${num(m.x[i])}`).join(", ");
  const tasks = DATA.tasks.map((t, i) => m.t[i] && `<b>${t.name} ${num(m.t[i].v)}</b>${band(m.t[i])}`).filter(Boolean).join(", ");
  const what = m.kind === "trial" || m.kind === "measured" ? "measured" : "predicted";
  const name = document.createElement("b");
  name.textContent = m.name;
  return `${name.outerHTML}, ${what}: ${tasks}<br>at ${coeffs}`;
};
const escaped = s => { const e = document.createElement("span"); e.textContent = s; return e.innerHTML; };
for (const a of DATA.tasks) a.name = escaped(a.name);
for (const a of DATA.coefficients) a.name = `c ${escaped(a.name)}`; // a model and its task may share a name

let held = null;
const show = m => {
  document.getElementById("hand").innerHTML = m ? describe(m) : "Point at a mark to read it. Click to hold it.";
  for (const e of document.querySelectorAll("[data-m]")) e.classList.toggle("held", m && DATA.marks[e.dataset.m] === m);
};
const listen = (e, m) => {
  e.addEventListener("pointerenter", () => show(m));
  e.addEventListener("pointerleave", () => show(held));
  e.addEventListener("click", () => { held = held === m ? null : m; show(held); });
};

const order = ["trial", "measured", "front", "model", "pick", "knee"];
function shape(m, x, y, parent) {
  const cls = `m ${m.kind}${m.kind === "front" && !m.solid ? " doubted" : ""}`;
  switch (m.kind) {
    case "model": return el("path", {d: `M${x} ${y - 6}l6 10h-12z`, class: cls}, parent);
    case "knee": case "pick": { const r = m.kind === "knee" ? 8 : 6; return el("path", {d: `M${x} ${y - r}l${r} ${r}l${-r} ${r}l${-r} ${-r}z`, class: cls}, parent); }
    default: return el("circle", {cx: x, cy: y, r: m.kind === "front" ? 3.2 : 4.5, class: cls}, parent);
  }
}
// What an axis can show: tasks, then coefficients, which have no interval.
const AXES = [...DATA.tasks.map((a, i) => ({...a, get: m => m.t[i]})), ...DATA.coefficients.map((a, i) => ({...a, get: m => ({v: m.x[i], lo: m.x[i], hi: m.x[i]})}))];
const plainName = a => { const e = document.createElement("span"); e.innerHTML = a.name; return e.textContent; };
const heading = a => a.better ? `${plainName(a)} (${a.better} is better)` : plainName(a);
function drawFront() {
  const svg = document.getElementById("front"), W = 760, H = 460, L = 60, R = 20, T = 16, B = 44;
  svg.replaceChildren();
  const ax = +document.getElementById("ax").value, ay = +document.getElementById("ay").value;
  const tx = AXES[ax], ty = AXES[ay];
  const px = v => L + (W - L - R) * (v - tx.lo) / (tx.hi - tx.lo), py = v => H - B - (H - T - B) * (v - ty.lo) / (ty.hi - ty.lo);
  for (const v of ticks(tx.lo, tx.hi, 8)) { el("line", {x1: px(v), x2: px(v), y1: T, y2: H - B, class: "grid"}, svg); el("text", {x: px(v), y: H - B + 16, "text-anchor": "middle"}, svg, num(v)); }
  for (const v of ticks(ty.lo, ty.hi, 6)) { el("line", {x1: L, x2: W - R, y1: py(v), y2: py(v), class: "grid"}, svg); el("text", {x: L - 8, y: py(v) + 4, "text-anchor": "end"}, svg, num(v)); }
  el("text", {x: (L + W - R) / 2, y: H - 8, "text-anchor": "middle", class: "title"}, svg, heading(tx));
  el("text", {x: 14, y: (T + H - B) / 2, "text-anchor": "middle", class: "title", transform: `rotate(-90 14 ${(T + H - B) / 2})`}, svg, heading(ty));
  const sorted = DATA.marks.map((m, i) => [m, i]).sort((a, b) => order.indexOf(a[0].kind) - order.indexOf(b[0].kind));
  const names = [];
  for (const [m, i] of sorted) {
    const a = tx.get(m), b = ty.get(m);
    if (!a || !b) continue;
    const x = px(a.v), y = py(b.v);
    if (m.kind === "knee" || m.kind === "pick") {
      el("line", {x1: px(a.lo), x2: px(a.hi), y1: y, y2: y, class: "bar"}, svg);
      el("line", {x1: x, x2: x, y1: py(b.lo), y2: py(b.hi), class: "bar"}, svg);
    }
    const e = shape(m, x, y, svg);
    e.dataset.m = i;
    listen(e, m);
    if (m.kind === "model" || m.kind === "knee" || m.kind === "pick") names.push([m, x, y]);
  }
  // Names come last, where they hide no other name and no mark that has one.
  const taken = names.map(([, x, y]) => [x - 7, y + 4, 14, 18]);
  for (const [m, x, y] of names) {
    const w = 7 * m.name.length, places = [];
    for (const dy of [-7, 16, 4, -21, 30]) for (const at of x + 9 + w > W - R ? [x - 9 - w, x + 9] : [x + 9, x - 9 - w]) places.push([at, Math.max(y + dy, 12)]);
    const free = ([at, base]) => at >= 0 && at + w <= W && taken.every(([a, b, v, h]) => at + w < a || a + v < at || Math.abs(base - b) > h);
    const [at, base] = places.find(free) ?? places[0];
    taken.push([at, base, w, 13]);
    el("text", at < x ? {x: x - 9, y: base, "text-anchor": "end", class: "name"} : {x: at, y: base, class: "name"}, svg, m.name);
  }
  show(held);
}
const objectives = DATA.tasks.map((t, i) => i).filter(i => DATA.tasks[i].objective);
for (const [id, want] of [["ax", objectives[0]], ["ay", objectives[1] ?? (DATA.tasks.length > 1 ? (objectives[0] + 1) % DATA.tasks.length : DATA.tasks.length)]]) {
  const s = document.getElementById(id);
  AXES.forEach((t, i) => { const o = document.createElement("option"); o.value = i; o.innerHTML = t.name; s.append(o); });
  s.value = want;
  s.addEventListener("change", drawFront);
}
drawFront();

(function parallel() {
  const axes = [...DATA.tasks.map((a, i) => ({...a, get: m => m.t[i] && m.t[i].v})), ...DATA.coefficients.map((a, i) => ({...a, get: m => m.x[i]}))];
  // Names of many axes stand on two lines in turn, and take the width that they need.
  const letters = 7.5 * Math.max(...axes.map(a => plainName(a).length)), rows = letters > 1060 / Math.max(axes.length - 1, 1) ? 2 : 1;
  const svg = document.getElementById("parallel"), W = Math.max(1160, 100 + letters * (axes.length - 1) / rows), H = 340, T = rows * 16 + 24, B = 24, L = 50, R = 50;
  svg.setAttribute("viewBox", `0 0 ${W} ${H}`);
  svg.style.minWidth = `${Math.round(.75 * W)}px`;
  const at = i => axes.length > 1 ? L + (W - L - R) * i / (axes.length - 1) : W / 2;
  const y = (a, v) => H - B - (H - T - B) * (v - a.lo) / (a.hi - a.lo), back = (a, py) => a.lo + (a.hi - a.lo) * (H - B - py) / (H - T - B);
  const lines = DATA.marks.map((m, i) => [m, i]).filter(([m]) => m.kind === "front").map(([m, i]) => {
    const e = el("path", {d: "M" + axes.map((a, k) => `${at(k)} ${y(a, a.get(m))}`).join("L"), class: "path"}, svg);
    e.dataset.m = i;
    listen(e, m);
    return [e, m];
  });
  const filter = () => {
    let n = 0;
    for (const [e, m] of lines) {
      const on = axes.every(a => !a.brush || (a.get(m) >= a.brush[0] && a.get(m) <= a.brush[1]));
      e.classList.toggle("off", !on);
      n += on;
    }
    document.getElementById("kept").textContent = `${n} of ${lines.length} points of the front.`;
  };
  axes.forEach((a, k) => {
    el("line", {x1: at(k), x2: at(k), y1: T, y2: H - B, class: "axis"}, svg);
    el("text", {x: at(k), y: 16 * (1 + k % rows), "text-anchor": "middle", class: "title"}, svg).innerHTML = a.name;
    el("text", {x: at(k), y: T - 8, "text-anchor": "middle"}, svg, num(a.hi));
    el("text", {x: at(k), y: H - 6, "text-anchor": "middle"}, svg, num(a.lo));
    const box = el("rect", {x: at(k) - 7, width: 14, y: T, height: 0, class: "brush"}, svg), pad = el("rect", {x: at(k) - 14, width: 28, y: T, height: H - T - B, class: "catch"}, svg);
    const pos = ev => { const p = svg.createSVGPoint(); p.x = ev.clientX; p.y = ev.clientY; return Math.min(H - B, Math.max(T, p.matrixTransform(svg.getScreenCTM().inverse()).y)); };
    let from = null;
    pad.addEventListener("pointerdown", ev => { from = pos(ev); pad.setPointerCapture(ev.pointerId); });
    pad.addEventListener("pointermove", ev => {
      if (from === null) return;
      const to = pos(ev), top = Math.min(from, to), height = Math.abs(to - from);
      box.setAttribute("y", top); box.setAttribute("height", height);
      a.brush = height < 3 ? null : [back(a, top + height), back(a, top)];
      filter();
    });
    pad.addEventListener("pointerup", ev => { if (Math.abs(pos(ev) - from) < 3) { a.brush = null; box.setAttribute("height", 0); filter(); } from = null; });
  });
  filter();
})();
