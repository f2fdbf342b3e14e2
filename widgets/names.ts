/** A hook name taken apart: `blocks.3.attn.hook_z` is layer 3 of the kind `blocks.*.attn.hook_z`. */
export interface PointName {
  readonly kind: string;
  /** `null` for points outside the layers, such as `hook_embed`. */
  readonly layer: number | null;
}

/** Takes a hook name apart at its first number. */
export function splitName(name: string): PointName {
  const match = /^(.*?)\.(\d+)\.(.*)$/.exec(name);
  return match ? { kind: `${match[1]}.*.${match[3]}`, layer: Number(match[2]) } : { kind: name, layer: null };
}

/** The kinds of points in the order of the model, each with its layers (none for points outside the layers). */
export function groupNames(names: readonly string[]): Map<string, number[]> {
  const kinds = new Map<string, number[]>();
  for (const name of names) {
    const { kind, layer } = splitName(name);
    const layers = kinds.get(kind) ?? [];
    if (layer !== null) layers.push(layer);
    kinds.set(kind, layers);
  }
  for (const layers of kinds.values()) layers.sort((a, b) => a - b);
  return kinds;
}

/** The hook name of a kind at a layer. */
export function joinName(kind: string, layer: number | null): string {
  return layer === null ? kind : kind.replace(".*.", `.${layer}.`);
}
