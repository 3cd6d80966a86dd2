// The page that draws a metric: one piece of HTML, with nothing from elsewhere.
//
// Names and labels come from whoever records them, so the page puts them in as text alone.

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --dim: #5d6878; --line: #d7dde5; --face: #fff;
  --page: #f4f6f9; --one: #2563c9; --band: #2563c933; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --dim: #9aa6b6; --line: #2c3644;
  --face: #171d26; --page: #0f141b; --one: #6ea8fe; --band: #6ea8fe33; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 16px; font: 15px/1.45 system-ui, sans-serif; color: var(--ink);
  background: var(--page); }
main { max-width: 1040px; margin: 0 auto; }
h1 { font-size: 20px; margin: 0 0 12px; }
h2 { font-size: 14px; margin: 0 0 8px; color: var(--dim); font-weight: 600; }
form { display: flex; flex-wrap: wrap; gap: 10px 16px; margin-bottom: 16px; }
label { display: grid; gap: 2px; font-size: 13px; color: var(--dim); min-width: 0; }
select { font: inherit; font-size: 16px; color: var(--ink); background: var(--face);
  border: 1px solid var(--line); border-radius: 6px; padding: 8px; max-width: 100%; }
section { background: var(--face); border: 1px solid var(--line); border-radius: 8px;
  padding: 14px; margin-bottom: 14px; }
.two { display: grid; gap: 14px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(96px, 1fr)); gap: 10px; margin: 0; }
dt { font-size: 13px; color: var(--dim); }
dd { margin: 0; font-size: 18px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: var(--dim); }
.grid { stroke: var(--line); } .band { fill: var(--band); }
.mean { fill: none; stroke: var(--one); stroke-width: 2; } .bar, .dot { fill: var(--one); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
td { padding: 4px 0; border-top: 1px solid var(--line); } td + td { text-align: right; }
#note { color: var(--dim); margin: 0 0 16px; } #note:empty { display: none; }
.two section { margin-bottom: 0; }
`;

const SCRIPT = `
const find = (id) => document.getElementById(id);
const format = (value) => value === null ? "–" : Number(value.toPrecision(6)).toLocaleString("en");
let series = [];

function element(name, attributes = {}, ...children) {
  const svg = ["svg", "g", "line", "path", "rect", "circle", "text", "title"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) => {
    const option = element("option", {}, text);
    option.value = value;
    option.selected = value === chosen;
    return option;
  }));
}

function showLabels() {
  const name = find("name").value;
  const values = new Map();
  for (const one of series.filter((other) => other.name === name)) {
    for (const [key, value] of Object.entries(one.labels)) {
      if (!values.has(key)) values.set(key, new Set());
      values.get(key).add(value);
    }
  }
  find("labels").replaceChildren(...[...values].sort().map(([key, texts]) => {
    const select = element("select");
    select.dataset.key = key;
    fill(select, [["", "any"], ...[...texts].sort().map((text) => ["=" + text, text])], "");
    return element("label", {}, key, select);
  }));
}

function chosenLabels() {
  const chosen = [...find("labels").querySelectorAll("select")].filter((one) => one.value !== "");
  return Object.fromEntries(chosen.map((one) => [one.dataset.key, one.value.slice(1)]));
}

function frame(width, height, low, high) {
  const svg = element("svg", { viewBox: "0 0 " + width + " " + height, role: "img" });
  const y = (value) => height - 24 - (value - low) / (high - low || 1) * (height - 36);
  for (const share of [0, 0.5, 1]) {
    const value = low + share * (high - low);
    svg.append(element("line", { class: "grid", x1: 56, x2: width, y1: y(value), y2: y(value) }),
      element("text", { x: 50, y: y(value) + 4, "text-anchor": "end" }, format(value)));
  }
  return { svg, y };
}

function drawCourse({ steps, min, max }) {
  const width = Math.max(320, find("course").clientWidth), height = 240;
  const { svg, y } = frame(width, height, min, max);
  const first = steps[0].time, last = steps[steps.length - 1].time;
  const x = (time) => 60 + (time - first) / (last - first || 1) * (width - 68);
  const upper = steps.map((step) => x(step.time) + " " + y(step.max));
  const lower = steps.map((step) => x(step.time) + " " + y(step.min)).reverse();
  svg.append(element("path", { class: "band", d: "M" + [...upper, ...lower].join("L") + "Z" }),
    element("path", { class: "mean",
      d: "M" + steps.map((step) => x(step.time) + " " + y(step.mean)).join("L") }));
  if (steps.length < 60) for (const step of steps) {
    svg.append(element("circle", { class: "dot", cx: x(step.time), cy: y(step.mean), r: 3 }));
  }
  const style = last - first < 86400000 ? { timeStyle: "medium" }
    : { dateStyle: "short", timeStyle: "short" };
  const at = (time) => new Date(time).toLocaleString(undefined, { ...style, hour12: false });
  svg.append(element("text", { x: 60, y: height - 4 }, at(first)));
  if (steps.length > 1) {
    svg.append(element("text", { x: width - 4, y: height - 4, "text-anchor": "end" }, at(last)));
  }
  find("course").replaceChildren(svg);
}

function drawHistogram({ histogram }) {
  const width = Math.max(280, find("histogram").clientWidth), height = 240;
  const most = Math.max(...histogram.map((bar) => bar.count));
  const { svg, y } = frame(width, height, 0, most);
  const step = (width - 64) / histogram.length;
  histogram.forEach((bar, at) => {
    const words = format(bar.from) + " to " + format(bar.to) + ": " + format(bar.count);
    svg.append(element("rect", { class: "bar", x: 60 + at * step, width: Math.max(1, step - 1),
      y: y(bar.count), height: y(0) - y(bar.count) }, element("title", {}, words)));
  });
  const { from } = histogram[0], { to } = histogram[histogram.length - 1];
  svg.append(element("text", { x: 60, y: height - 4 }, format(from)),
    element("text", { x: width - 4, y: height - 4, "text-anchor": "end" }, format(to)));
  find("histogram").replaceChildren(svg);
}

function showNumbers(plot) {
  find("numbers").replaceChildren(...["count", "last", "mean", "min", "max"].map((key) =>
    element("div", {}, element("dt", {}, key), element("dd", {}, format(plot[key])))));
  find("percentiles").replaceChildren(...plot.percentiles.map(([percentile, value]) =>
    element("tr", {}, element("td", {}, "p" + percentile), element("td", {}, format(value)))));
}

async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

let asked = 0;
async function show() {
  const mine = ++asked;
  const query = new URLSearchParams({ name: find("name").value,
    labels: JSON.stringify(chosenLabels()) });
  if (find("minutes").value !== "") query.set("minutes", find("minutes").value);
  try {
    const plot = await get("plot?" + query);
    if (mine !== asked) return;
    showNumbers(plot);
    find("note").textContent = plot.count === 0 ? "No point in this window." : "";
    if (plot.count === 0) return void ["course", "histogram"].map((id) => find(id).replaceChildren());
    drawCourse(plot);
    drawHistogram(plot);
  } catch (error) {
    if (mine === asked) find("note").textContent = error.message;
  }
}

async function begin() {
  try {
    series = await get("series");
  } catch (error) {
    find("note").textContent = error.message;
    return;
  }
  const names = [...new Set(series.map(({ name }) => name))];
  if (names.length === 0) return void (find("note").textContent = "Nothing is recorded yet.");
  fill(find("name"), names.map((name) => [name, name]), names[0]);
  showLabels();
  find("name").addEventListener("change", showLabels);
  find("choice").addEventListener("change", show);
  addEventListener("resize", show);
  setInterval(() => { if (!document.hidden) show(); }, 5000);
  await show();
}
begin();
`;

export const METRICS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Metrics</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Metrics</h1>
<form id="choice">
<label>Metric <select id="name"></select></label>
<label>Time <select id="minutes"><option value="">from the beginning</option>
<option value="5">last 5 minutes</option><option value="60">last hour</option>
<option value="1440">last day</option><option value="10080">last week</option></select></label>
<span id="labels" style="display: contents"></span>
</form>
<p id="note" role="status"></p>
<section><dl id="numbers"></dl></section>
<section><h2>Mean, between least and greatest</h2><div id="course"></div></section>
<div class="two">
<section><h2>Histogram</h2><div id="histogram"></div></section>
<section><h2>Percentiles</h2><table><tbody id="percentiles"></tbody></table></section>
</div>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
