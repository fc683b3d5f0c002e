/**
 * Rectangles of a slide as columns: which one lies under a point, which is next in a direction.
 * Decides by geometry alone, in level-0 pixels; refuses to know what a rectangle stands for, or a screen.
 */

/** Boxes from columns of equal length. */
export const boxes = (x, y, width, height) => ({ count: x.length, x, y, width, height });

/** The smallest box that holds the point, -1 where there is none. `shown`: 0 for those that are passed over. */
export function at(all, px, py, shown = null) {
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < all.count; i += 1) {
    if (shown && !shown[i]) continue;
    if (px < all.x[i] || py < all.y[i] || px >= all.x[i] + all.width[i] || py >= all.y[i] + all.height[i]) continue;
    const area = all.width[i] * all.height[i];
    if (area < least) [best, least] = [i, area];
  }
  return best;
}

/** The box whose centre is nearest to the point, -1 where none is shown. */
export function nearest(all, px, py, shown = null) {
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < all.count; i += 1) {
    if (shown && !shown[i]) continue;
    const across = all.x[i] + all.width[i] / 2 - px;
    const down = all.y[i] + all.height[i] / 2 - py;
    const far = across * across + down * down;
    if (far < least) [best, least] = [i, far];
  }
  return best;
}

/**
 * The nearest box from box `from` in a direction (`dx`, `dy` of -1, 0, 1), -1 where there is none.
 * What lies aside counts double, so that the way keeps to its row or column where it can.
 */
export function next(all, from, dx, dy, shown = null) {
  const cx = all.x[from] + all.width[from] / 2;
  const cy = all.y[from] + all.height[from] / 2;
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < all.count; i += 1) {
    if (i === from || (shown && !shown[i])) continue;
    const across = all.x[i] + all.width[i] / 2 - cx;
    const down = all.y[i] + all.height[i] / 2 - cy;
    const ahead = across * dx + down * dy;
    const aside = Math.abs(across * dy) + Math.abs(down * dx);
    // Within a right angle around the direction, or the way would jump to the far side.
    if (ahead <= 0 || aside > ahead * 1.0001) continue;
    const far = ahead + 2 * aside;
    if (far < least) [best, least] = [i, far];
  }
  return best;
}
