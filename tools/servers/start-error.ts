/** Something that the person at the terminal can act on. Its message is one whole sentence; nobody needs its stack. */
export class StartError extends Error {}
