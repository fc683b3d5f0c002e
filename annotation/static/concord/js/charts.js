/**
 * Draws charts with ECharts as SVG: colours of the page in light and dark, patterns beside colours, words for those who
 * don't see them, the numbers as a table below. Decides the look; refuses to know what is drawn.
 */

import { el, replace } from "./dom.js";

/* global echarts */

const VARIABLES = {
  text: "--body-fg", quiet: "--body-quiet-color", line: "--border-color", faint: "--hairline-color", surface: "--surface",
  good: "--good", bad: "--bad", warn: "--warn",
};
const SERIES = ["--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5", "--chart-6"];

/** The page's colours now, as "rgb(r, g, b)": {text, quiet, line, …, series: […]}. A variable alone is not yet light or dark. */
function theme() {
  const probe = document.body.appendChild(el("i", { hidden: true }));
  const value = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
  const colours = { ...Object.fromEntries(Object.entries(VARIABLES).map(([key, name]) => [key, value(name)])), series: SERIES.map(value) };
  probe.remove();
  return colours;
}

const drawn = new Set();

/**
 * Draw into `element`. `option`: an ECharts option, or a function of the theme that gives one.
 * `describe`: the sentence that stands for the picture. `table`, `csv`: a node and an address, folded away below.
 * Returns {update(option, describe), close}.
 */
export function chart(element, option, { describe = "", height = 260, table = null, csv = "" } = {}) {
  const canvas = el("div", { class: "chart", role: "img", "aria-label": describe, style: { height: `${height}px` } });
  replace(element, canvas, numbers(table, csv));
  const instance = echarts.init(canvas, null, { renderer: "svg" });
  const one = { canvas, instance, option, draw: () => instance.setOption(finish(one.option), { notMerge: true }) };
  one.draw();
  drawn.add(one);
  sizes.observe(canvas);
  return {
    update(next, words = describe, tall = height) {
      one.option = next;
      canvas.setAttribute("aria-label", words);
      canvas.style.height = `${tall}px`;
      instance.resize();
      one.draw();
    },
    close() {
      sizes.unobserve(canvas);
      drawn.delete(one);
      instance.dispose();
      canvas.remove();
    },
  };
}

function numbers(table, csv) {
  if (!table && !csv) return null;
  return el("details", {}, el("summary", { text: "Numbers as a table" }), table, csv && el("p", {}, el("a", { href: csv, text: "CSV" })));
}

/** What all charts share. Tooltips are drawn, not written as HTML: names in them can't become markup. */
function finish(option) {
  const colours = theme();
  const made = typeof option === "function" ? option(colours) : option;
  return {
    animation: false,
    backgroundColor: "transparent",
    color: colours.series,
    useUTC: true,
    textStyle: { color: colours.text, fontFamily: getComputedStyle(document.body).fontFamily },
    aria: { enabled: true, label: { enabled: false }, decal: { show: true } },
    ...made,
    // The room for labels is measured a little too small where the system's font stands in for another.
    grid: { left: 22, right: 18, top: made.legend === false ? 10 : 34, bottom: 8, containLabel: true, ...made.grid },
    legend: made.legend === false ? undefined : { top: 0, left: 0, type: "scroll", textStyle: { color: colours.text }, inactiveColor: colours.quiet, ...made.legend },
    tooltip: {
      renderMode: "richText", confine: true, backgroundColor: colours.surface, borderColor: colours.line,
      textStyle: { color: colours.text }, ...made.tooltip,
    },
  };
}

/** An axis in the page's colours. */
export function axis(colours, own = {}) {
  return {
    nameTextStyle: { color: colours.quiet }, nameGap: 24,
    ...own,
    axisLabel: { color: colours.quiet, hideOverlap: true, ...own.axisLabel },
    axisLine: { lineStyle: { color: colours.line } }, axisTick: { lineStyle: { color: colours.line } },
    splitLine: { show: own.type === "value", lineStyle: { color: colours.faint } },
  };
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) echarts.getInstanceByDom(target)?.resize();
});
const redraw = () => { for (const one of drawn) one.draw(); };
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
