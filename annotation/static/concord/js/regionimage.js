/**
 * The addresses of a region's pictures.
 * Decides their sizes; refuses to know who draws them.
 */

const LARGEST_EDGE = 2048;
const CONTEXT_EDGE = 1024;

/** How many times as wide and high as the region its surroundings are. */
export const CONTEXT = 4;

/** The address of a region's pixels, none of them left out. */
export const sharpUrl = (region) => `${region.image}?edge=${Math.min(LARGEST_EDGE, Math.max(16, region.width, region.height))}`;

/** The address of its surroundings, four times as wide. */
export const contextUrl = (region) => `${region.image}?edge=${CONTEXT_EDGE}&context=${CONTEXT}`;
