/** What the magics of a kernel remember between calls. */
export class ModelSession {
  readonly #values = new Map<string, unknown>();

  /** What was kept under a name, such as `"model"`. */
  get<T>(name: string): T | undefined {
    return this.#values.get(name) as T | undefined;
  }

  /** Forgets everything. */
  clear(): void {
    this.#values.clear();
  }

  /** Keeps a value under a name. */
  set(name: string, value: unknown): void {
    this.#values.set(name, value);
  }
}
