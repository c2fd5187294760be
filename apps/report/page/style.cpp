#include "apps/report/page/style.h"

#include "apps/report/heights.h"
#include "apps/report/svg.h"

namespace basin::apps {
namespace {

constexpr const char* kStyle = R"(
:root{color-scheme:light dark;--ink:#222;--faint:#666;--paper:#fff;--soft:#f5f6f7;--rule:#ddd;--link:#0060a8}
@media(prefers-color-scheme:dark){
:root{--ink:#e4e6e8;--faint:#a3a9b0;--paper:#14171a;--soft:#1f2429;--rule:#3a4047;--link:#7cc0ff}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1080px;
margin:2em auto;padding:0 1em}
h1{font-size:1.6em;margin:.2em 0}h2{font-size:1.25em;margin-top:2.2em;border-bottom:1px solid var(--rule)}
h3{font-size:1.05em;margin:1.6em 0 .3em}
a{color:var(--link)}.said{color:var(--faint);margin:.2em 0;font-size:.93em}
.lead p{margin:.15em 0}nav ul{display:flex;flex-wrap:wrap;gap:.2em 1.4em;padding:0;margin:.8em 0;list-style:none}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.6em 0}
th,td{padding:.2em .8em;text-align:right;border-bottom:1px solid var(--rule);vertical-align:top}
th{white-space:nowrap}
th:first-child,td:first-child,.words td,.words th{text-align:left}
caption{text-align:left;font-weight:bold;padding:.3em 0}
pre{background:var(--soft);padding:1em;overflow-x:auto;font-size:.87em}
details{margin:.5em 0}summary{cursor:pointer}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:1em}
figure{margin:0;min-width:0}figure.pair{grid-column:1/-1}
figcaption{font-size:.87em;color:var(--faint)}
.views{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:1em;align-items:center}
.picture{max-width:100%;height:auto;display:block}
.relief canvas{width:100%;max-width:480px;cursor:grab;touch-action:pan-y;display:block}
.relief canvas:active{cursor:grabbing}
svg.picture{fill:var(--ink)}.picture .paper{fill:var(--paper)}.picture .hole{fill:var(--rule)}
.picture .grid{stroke:var(--rule)}.picture .axis{stroke:var(--ink)}
@media print{body{max-width:none}figure{break-inside:avoid}}
)";

// Of Okabe and Ito's colours those that are dark on a dark page are lighter; their lightness still differs.
constexpr const char* kDark[kPalette] = {"#7c9cff", "#ff8c42", "#2ec4a0", "#e8a0c8",
                                         "#f2c14e", "#8fd8ff", "#a8a8a8"};

constexpr const char* kScript = R"js("use strict";
function reliefOf(box) {
  const data = box.dataset, link = document.getElementById(data.numbers);
  const text = decodeURIComponent(link.getAttribute("href").split(",").slice(1).join(","));
  const points = text.trim().split("\n").slice(1).map((line) => line.split(",").map(Number));
  let columns = 1;
  while (columns < points.length && points[columns][1] === points[0][1]) columns++;
  const rows = points.length / columns, log = data.log === "1";
  const scaled = (z) => (log ? Math.log(z) : z), low = scaled(+data.low), high = scaled(+data.high);
  const spread = (v, a, b) => (2 * (v - a)) / (b - a) - 1, last = points[points.length - 1];
  const at = points.map((p) => ({
    x: spread(p[0], points[0][0], last[0]),
    y: spread(p[1], points[0][1], last[1]),
    z: (scaled(p[2]) - low) / (high - low),
  }));
  const cells = [];
  for (let j = 0; j + 1 < rows; j++)
    for (let i = 0; i + 1 < columns; i++) {
      const k = j * columns + i, c = [at[k], at[k + 1], at[k + columns + 1], at[k + columns]];
      if (c.every((p) => Number.isFinite(p.z))) cells.push(cellOf(c));
    }
  return cells;
}
function cellOf(c) {
  const tall = 0.8, a = [c[2].x - c[0].x, c[2].y - c[0].y, (c[2].z - c[0].z) * tall];
  const b = [c[3].x - c[1].x, c[3].y - c[1].y, (c[3].z - c[1].z) * tall];
  const n = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const lit = (-0.45 * n[0] - 0.25 * n[1] + 0.857 * n[2]) / (Math.hypot(...n) || 1);
  const light = 0.62 + 0.45 * Math.max(0, lit), z = (c[0].z + c[1].z + c[2].z + c[3].z) / 4;
  const place = Math.min(1, Math.max(0, z)) * (stops.length - 1), k = Math.min(place | 0, stops.length - 2);
  const rgb = stops[k].map((v, i) => Math.min(255, light * (v + (place - k) * (stops[k + 1][i] - v))) | 0);
  return {c, colour: `rgb(${rgb})`, x: (c[0].x + c[2].x) / 2, y: (c[0].y + c[2].y) / 2};
}
function turning(box) {
  const cells = reliefOf(box), canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
  const data = box.dataset, marks = JSON.parse(data.marks);
  let turn = 35, tilt = 30, from = null, waiting = false;
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", data.title + ": a surface; the arrow keys turn it");
  function draw() {
    waiting = false;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = 480 * ratio;
    canvas.height = 400 * ratio;
    pen.scale(ratio, ratio);
    const angle = (turn * Math.PI) / 180, cos = Math.cos(angle), sin = Math.sin(angle);
    const sine = Math.sin((tilt * Math.PI) / 180), cosine = Math.sqrt(1 - sine * sine);
    const right = (p) => p.x * cos - p.y * sin, back = (p) => p.x * sin + p.y * cos;
    const seen = (p) => [252 + 140 * right(p), 272 - 140 * (back(p) * sine + p.z * 0.8 * cosine)];
    const style = getComputedStyle(box), ink = style.color;
    pen.font = "11px sans-serif";
    pen.lineJoin = "round";
    pen.strokeStyle = style.getPropertyValue("--rule");
    pen.beginPath();
    for (const [x, y] of [[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]) pen.lineTo(...seen({x, y, z: 0}));
    pen.stroke();
    for (const cell of cells) cell.depth = back(cell);
    cells.sort((a, b) => b.depth - a.depth);
    pen.lineWidth = 0.8;
    for (const cell of cells) {
      pen.beginPath();
      for (const p of cell.c) pen.lineTo(...seen(p));
      pen.closePath();
      pen.fillStyle = pen.strokeStyle = cell.colour;
      pen.fill();
      pen.stroke();
    }
    pen.lineWidth = 1;
    pen.fillStyle = pen.strokeStyle = ink;
    const label = (p, words) => {
      const [x, y] = seen(p);
      pen.textAlign = right(p) > 0 ? "left" : "right";
      pen.fillText(words, x, y + 10);
    };
    label({x: 0, y: cos > 0 ? -1.12 : 1.12, z: 0}, data.x);
    label({x: sin > 0 ? -1.12 : 1.12, y: 0, z: 0}, data.y);
    let corner = {x: -1, y: -1};
    for (const [x, y] of [[-1, 1], [1, -1], [1, 1]]) if (right({x, y}) < right(corner)) corner = {x, y};
    const [x, foot] = seen({...corner, z: 0}), top = seen({...corner, z: 1})[1];
    pen.textAlign = "right";
    pen.beginPath();
    pen.moveTo(x, foot);
    pen.lineTo(x, top);
    for (const [part, words] of marks) {
      const y = foot + part * (top - foot);
      pen.moveTo(x - 4, y);
      pen.lineTo(x, y);
      pen.fillText(words, x - 6, y + 4);
    }
    pen.stroke();
    pen.textAlign = "center";
    pen.fillText(data.z, x, top - 8);
    box.dataset.drawn = "1";
  }
  function turned(byTurn, byTilt) {
    turn = (turn + byTurn + 360) % 360;
    tilt = Math.min(85, Math.max(5, tilt + byTilt));
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(draw);
  }
  canvas.addEventListener("pointerdown", (e) => {
    from = [e.clientX, e.clientY];
    canvas.setPointerCapture(e.pointerId);
  });
  canvas.addEventListener("pointermove", (e) => {
    if (!from) return;
    turned((e.clientX - from[0]) * 0.5, (e.clientY - from[1]) * 0.3);
    from = [e.clientX, e.clientY];
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { from = null; });
  canvas.addEventListener("keydown", (e) => {
    const step = {ArrowLeft: [-5, 0], ArrowRight: [5, 0], ArrowUp: [0, -5], ArrowDown: [0, 5]}[e.key];
    if (!step) return;
    e.preventDefault();
    turned(...step);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  box.replaceChildren(canvas);
  draw();
}
document.querySelectorAll(".relief").forEach(turning);
)js";

}  // namespace

std::string page_style() {
  std::string dark;
  for (std::size_t i = 0; i < kPalette; ++i) {
    const std::string n = std::to_string(i), colour = kDark[i];
    dark += ".picture .s" + n + "{stroke:" + colour + "}.picture .fs" + n + "{fill:" + colour + "}\n";
  }
  return kStyle + ("@media(prefers-color-scheme:dark){\n" + dark + "}\n");
}

std::string page_script() {
  std::string stops;
  for (int k = 0; k <= 8; ++k) {
    const std::array<double, 3> c = viridis(k / 8.0);
    stops += (k == 0 ? "[" : ",[") + coordinate(c[0]) + "," + coordinate(c[1]) + "," + coordinate(c[2]) + "]";
  }
  return "const stops = [" + stops + "];\n" + kScript;
}

}  // namespace basin::apps
