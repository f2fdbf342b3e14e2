import type { Direction, DirectionKind, NextToken, Positions } from "./state.js";

/** One run that the controls ask of the engine. All of it has been checked for type and range. */
export interface SteeringRequest {
  readonly prompt: string;
  readonly point: string;
  /** `kind` is one of the engine's, `values` has a text for each of its fields. */
  readonly direction: Direction;
  /** What the direction is multiplied by. */
  readonly coefficient: number;
  readonly positions: Positions;
  readonly maxNewTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly seed: number;
}

/** How a run tells what it has found, and learns that it is no longer wanted. */
export interface SteeringListener {
  /** The most probable tokens right after the prompt, without and with steering: the union of both top tens. */
  onNext(next: readonly NextToken[]): void;
  /** The token that one step added to each continuation; `null` for one that has ended. */
  onTokens(tokens: { readonly unsteered: string | null; readonly steered: string | null }): void;
  readonly signal: AbortSignal;
}

/** What steering controls know of the engine. */
export interface SteeringEngine {
  /** The points that a direction can be added at, in the order of the model. */
  readonly points: readonly string[];
  /** The ways to name a direction. */
  readonly directions: readonly DirectionKind[];
  /**
   * Continues a prompt with and without steering.
   *
   * @returns a promise that resolves after the last token and rejects with a sentence for the reader, such as
   *   of a token that does not exist; when the signal is aborted it settles soon, either way
   */
  steer(request: SteeringRequest, listener: SteeringListener): Promise<void>;
}
