/** What of a ØMQ socket the queue needs. */
export interface Sender {
  send(frames: (Uint8Array | string)[]): Promise<void>;
}

/**
 * Sends one message after the other: a zeromq.js socket takes one pending send at a time and answers `EBUSY` to a
 * second.
 */
export class SendQueue {
  #last: Promise<void> = Promise.resolve();

  constructor(private readonly socket: Sender) {}

  /** Sends the frames when all before them are sent. A closed socket has nobody left to tell. */
  send(frames: (Uint8Array | string)[]): void {
    this.#last = this.#last.then(() => this.socket.send(frames)).catch(() => {});
  }

  /** Resolves when everything given so far is sent. */
  get sent(): Promise<void> {
    return this.#last;
  }
}
