/** How long a kernel may be silent before the reader is told so, in milliseconds. */
export const patience = 3000;

/** What the reader is told then. */
export const waitingForKernel = "Waiting for the kernel: it may be busy with a cell, or stopped.";
