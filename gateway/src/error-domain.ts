/** The `domain` of the reasons that errors carry, here as in every service. */
export const DOMAIN = "chargemesh";
