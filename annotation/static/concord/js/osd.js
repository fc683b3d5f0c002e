/**
 * Makes OpenSeadragon fit the site's policy: it would write a style element of its own, which the policy refuses.
 * Decides only that; to be imported by every module that opens a viewer. (It looks whether its element is there
 * already. The one put here has its name and no namespace: nothing that a browser would apply.)
 */

const MARK = "data-openseadragon-mobile-css";

if (!document.querySelector(`style[${MARK}]`)) {
  const mark = document.createElementNS(null, "style");
  mark.setAttribute(MARK, "true");
  document.head.append(mark);
}
