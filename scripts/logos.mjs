// Draws kernel/logos/logo-32x32.png and logo-64x64.png: the shapes of logo-svg.svg, each pixel the mean of 8 × 8 samples.
import { writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";

const BLUE = [0x31, 0x78, 0xc6, 255];
const WHITE = [255, 255, 255, 255];
const YELLOW = [0xff, 0xd1, 0x66, 255];
const CLEAR = [0, 0, 0, 0];
const SAMPLES = 8;

const distance = (x, y, cx, cy) => Math.hypot(x - cx, y - cy);

function distanceToSegment(x, y, [ax, ay], [bx, by]) {
  const along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2);
  const t = Math.min(1, Math.max(0, along));
  return distance(x, y, ax + t * (bx - ax), ay + t * (by - ay));
}

/** The colour at a place in the 64 × 64 drawing, from the topmost shape down. */
function colourAt(x, y) {
  const dx = Math.max(10 - x, x - 54, 0);
  const dy = Math.max(10 - y, y - 54, 0);
  if (Math.hypot(dx, dy) > 10) return CLEAR;
  if (distance(x, y, 41, 37) <= 3.5) return YELLOW;
  if (distanceToSegment(x, y, [48.5, 44.5], [56.5, 52.5]) <= 3) return WHITE;
  if (Math.abs(distance(x, y, 41, 37) - 10.5) <= 2.5) return WHITE;
  if (x >= 10 && x <= 34 && y >= 17 && y <= 23) return WHITE;
  if (x >= 19 && x <= 25 && y >= 17 && y <= 49) return WHITE;
  return BLUE;
}

/** The mean colour of a pixel, weighted by opacity. */
function pixel(column, row, scale) {
  const sum = [0, 0, 0, 0];
  for (let i = 0; i < SAMPLES; i++) {
    for (let j = 0; j < SAMPLES; j++) {
      const at = (index, sample) => (index + (sample + 0.5) / SAMPLES) * scale;
      const [r, g, b, a] = colourAt(at(column, i), at(row, j));
      for (const [k, value] of [r * a, g * a, b * a, a].entries()) sum[k] += value;
    }
  }
  const alpha = sum[3];
  return [
    ...sum.slice(0, 3).map((value) => (alpha ? Math.round(value / alpha) : 0)),
    Math.round(alpha / SAMPLES ** 2),
  ];
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

function png(size) {
  const rows = Array.from({ length: size }, (_, row) => [
    0,
    ...Array.from({ length: size }, (_, column) => pixel(column, row, 64 / size)).flat(),
  ]);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 6, 0, 0, 0], 8); // 8 bits a channel, RGBA
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(Buffer.from(rows.flat()), { level: 9 });
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

for (const size of [32, 64]) {
  writeFileSync(new URL(`../kernel/logos/logo-${size}x${size}.png`, import.meta.url), png(size));
}
