/** What is asked of a charger, in our words; each version of OCPP has its own for it, or none. */
export type Question =
  /** Start a transaction. Connector 0 leaves the choice to the charger. */
  | { readonly kind: "remoteStart"; readonly idToken: string; readonly connectorId: number }
  | { readonly kind: "remoteStop"; readonly transactionId: number }
  /** Open or close the charger as a whole. */
  | { readonly kind: "changeAvailability"; readonly available: boolean }
  /** Show this password from now on. */
  | { readonly kind: "changePassword"; readonly password: Buffer };

/** The question of one kind. */
export type QuestionOf<Kind extends Question["kind"]> = Extract<Question, { kind: Kind }>;
