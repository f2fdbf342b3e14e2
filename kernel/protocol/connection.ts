import { readFileSync } from "node:fs";

/** What a connection file says: where the five sockets are bound, and the key that signs messages. */
export interface Connection {
  readonly transport: string;
  readonly ip: string;
  readonly key: string;
  readonly signature_scheme: string;
  readonly shell_port: number;
  readonly control_port: number;
  readonly iopub_port: number;
  readonly stdin_port: number;
  readonly hb_port: number;
  /** Where the connection file stands. */
  readonly file: string;
}

const PORTS = ["shell_port", "control_port", "iopub_port", "stdin_port", "hb_port"] as const;

/**
 * Reads a connection file.
 *
 * @throws Error when the file is missing, is not JSON, lacks a port or asks for another signature than HMAC-SHA256
 */
export function readConnection(path: string): Connection {
  const connection = JSON.parse(readFileSync(path, "utf8")) as Connection;
  for (const port of PORTS) {
    if (!Number.isInteger(connection[port])) {
      throw new Error(
        `the connection file ${path} gives ${String(connection[port])} as ${port}, not a number`,
      );
    }
  }
  const scheme = connection.signature_scheme || "hmac-sha256";
  if (connection.key && scheme !== "hmac-sha256") {
    throw new Error(
      `the connection file ${path} asks for signatures by ${scheme}; the kernel signs by hmac-sha256`,
    );
  }
  return { ...connection, file: path };
}

/** The ports, as a `connect_reply` tells them. */
export function portsOf(connection: Connection): Record<string, number> {
  return Object.fromEntries(PORTS.map((port) => [port, connection[port]]));
}

/** The address of one of the sockets. */
export function endpoint({ transport, ip }: Connection, port: number): string {
  return transport === "ipc" ? `ipc://${ip}-${port}` : `${transport}://${ip}:${port}`;
}
