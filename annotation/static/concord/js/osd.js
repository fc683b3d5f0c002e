/**
 * Makes OpenSeadragon fit the site: it would write a style element of its own, which the policy refuses, and remarks
 * on the console about pictures that came too late. To be imported by every module that opens a viewer. (It looks
 * whether its element is there already. The one put here has its name and no namespace: nothing a browser would apply.)
 */

const MARK = "data-openseadragon-mobile-css";

if (!document.querySelector(`style[${MARK}]`)) {
  const mark = document.createElementNS(null, "style");
  mark.setAttribute(MARK, "true");
  document.head.append(mark);
}

// A picture that comes when the next region is shown already is no fault of anybody's; errors are still told.
if (globalThis.OpenSeadragon) globalThis.OpenSeadragon.console = { ...silent(), error: (...said) => console.error(...said) };

function silent() {
  return Object.fromEntries(["assert", "debug", "info", "log", "warn"].map((name) => [name, () => {}]));
}
